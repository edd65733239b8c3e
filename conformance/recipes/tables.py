"""Helpers for recipes that make tables: a plain model of the rows beside the table that pylance writes."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import lance
import pyarrow as pa

from common import Suite, dump, dump_values, field, lancefile, values
from arrow_values import table_of

FIELDS = [field("id", "int32"), field("v", "int32"), field("w", "utf8")]


def rows(ids, step: int = 0) -> list[list]:
    """Rows of the usual three columns."""
    return [[str(i), str(i * 10 + step), f"w{i}"] for i in ids]


def table(fields: list[dict], listed: list[list], metadata: dict | None = None) -> dict:
    columns = [list(column) for column in zip(*listed)] if listed else [[] for _ in fields]
    return values(fields, columns, metadata)


def arrow(fields: list[dict], listed: list[list], metadata: dict | None = None) -> pa.Table:
    return table_of(table(fields, listed, metadata))


class History:
    """A table and, for each version, what must be read from it.

    Every step changes the model first, as plain data; the table follows.
    """

    def __init__(self, suite: Suite, case_id: str, version: str, stable: bool = False, source: Path | None = None, **options):
        self.suite, self.case_id, self.file_version, self.stable = suite, case_id, version, stable
        self.folder = suite.folder(case_id)
        self.path = self.folder / "table.lance"
        self.options = {"data_storage_version": version, **options}
        if stable:
            self.options["enable_stable_row_ids"] = True
        self.fields: list[dict] = FIELDS
        self.metadata: dict | None = None
        self.live: list[list] = []
        # id, physical rows, deleted rows
        self.fragments: list[list[int]] = []
        self.versions: list[dict] = []
        self.reads: list[dict] = []
        self.tags: list[dict] = []
        self.branches: list[dict] = []
        self.words: set[str] = {"table"}

    @property
    def dataset(self) -> lance.LanceDataset:
        return lance.dataset(str(self.path))

    # -------------------------------------------------------- model

    def version(self, keep: bool = True) -> int:
        """The model as it is now is the next version."""
        number = len(self.versions) + 1
        self.versions.append(
            {
                "version": number,
                "rows": len(self.live),
                "file_version": self.file_version,
                "stable_row_ids": self.stable and bool(self.fragments) or self.stable,
                "fragments": [dict(zip(("id", "physical_rows", "deleted_rows"), fragment)) for fragment in self.fragments],
            }
        )
        if keep:
            self.keep(f"v{number}", {"version": number})
        found = self.dataset.version
        if found != number:
            raise AssertionError(f"{self.case_id}: version {found} where the model has {number}")
        return number

    def keep(self, name: str, ask: dict, answer: dict | None = None) -> None:
        dump_values(answer or table(self.fields, self.live, self.metadata), self.folder / f"{name}.json")
        self.reads.append({"ask": ask, "values": f"{name}.json"})

    def next_fragment(self) -> int:
        return max([fragment[0] for entry in self.versions for fragment in
                    ([f["id"], 0] for f in entry["fragments"])] + [f[0] for f in self.fragments] + [-1]) + 1

    # -------------------------------------------------------- changes

    def write(self, listed: list[list], mode: str = "create", per_file: int = 1 << 20, **options) -> None:
        data = arrow(self.fields, listed, self.metadata)
        if mode != "append":
            self.live = []
        first = self.next_fragment()
        if mode != "append":
            self.fragments = []
        self.live = self.live + [list(row) for row in listed]
        for start in range(0, len(listed), per_file):
            self.fragments.append([first + start // per_file, min(per_file, len(listed) - start), 0])
        lance.write_dataset(data, str(self.path), mode=mode, max_rows_per_file=per_file, **{**self.options, **options})

    def done(self, title: str, places: list[dict], recipe: str, extra: list[dict] = (), note: str | None = None) -> None:
        dump({"versions": self.versions, "tags": sorted(self.tags, key=lambda tag: tag["name"]),
              "branches": sorted(self.branches, key=lambda branch: branch["name"])}, self.folder / "history.json")
        clean(self.path)
        texts, found, stamped = lancefile.contents(self.path)
        words = {word for word in found if word.startswith(("layout", "encoding"))}
        members: dict = {"requires": {"file_version": self.file_version, "words": sorted(words | self.words)}, "input": "table.lance", "contains": texts}
        members["expect"] = {"history": "history.json", "reads": self.reads + list(extra)}
        if note:
            members["note"] = note
        self.suite.case(self.case_id, title, "history", places, recipe, **members)


def clean(path: Path) -> None:
    """Removes what is not part of a table: hints are best effort and carry nothing."""
    for name in path.rglob("latest_version_hint.json"):
        name.unlink()
