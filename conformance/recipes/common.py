"""What the recipes share: seeded values, the writing of cases, and the proof that the bytes hold what a case tests."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import sys
import zlib
from pathlib import Path

os.environ.setdefault("LANCE_LOG", "error")
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "runner"))

import lance
from lance.file import LanceFileWriter

import lancefile
from arrow_values import schema_of, table_of

PRODUCER = f"pylance {lance.__version__}"
VERSIONS = ("2.1", "2.2")
# Longer columns are compared by digest; the first values stay readable.
DIGEST_ABOVE = 24 << 10
HEAD = 10


def spec(*places: str) -> list[dict]:
    """`"03-mini-block.md#Chunks"` as a citation."""
    return [dict(zip(("file", "heading"), place.split("#"))) for place in places]


def seeded(name: str) -> random.Random:
    return random.Random(zlib.crc32(name.encode()))


def dump(value, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def compact(value) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def shorten(column: list, above: int = DIGEST_ABOVE):
    text = compact(column)
    if len(text.encode()) <= above:
        return column
    head = [value if len(compact(value)) < 400 else {"sha256": hashlib.sha256(compact(value).encode()).hexdigest()} for value in column[:HEAD]]
    return {"sha256": hashlib.sha256(text.encode()).hexdigest(), "head": head}


def dump_values(values: dict, path: Path, digest: bool = True, above: int = DIGEST_ABOVE) -> None:
    """Values with one column a line; columns of more than so many bytes by digest."""
    columns = [shorten(column, above) if digest else column for column in values["columns"]]
    lines = ",\n  ".join(compact(column) for column in columns)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = f'{{"schema": {compact(values["schema"])},\n "rows": {values["rows"]},\n "columns": [\n  {lines}\n ]}}\n'
    path.write_text(text, encoding="utf-8")


def values(fields: list[dict], columns: list[list], metadata: dict | None = None) -> dict:
    schema: dict = {"fields": fields}
    if metadata:
        schema["metadata"] = metadata
    return {"schema": schema, "rows": len(columns[0]) if columns else 0, "columns": columns}


def field(name: str, type_: str, *children: dict, nullable: bool = True, metadata: dict | None = None) -> dict:
    result: dict = {"name": name, "type": type_, "nullable": nullable}
    if children or type_ == "struct":
        result["children"] = list(children)
    if metadata:
        result["metadata"] = metadata
    return result


def item(type_: str, *children: dict, nullable: bool = True) -> dict:
    return field("item", type_, *children, nullable=nullable)


class Suite:
    """Writes cases below a folder; the folder of the repository, or a fresh one for `--check`."""

    def __init__(self, root: Path):
        self.root = root
        self.written: list[str] = []

    def folder(self, case_id: str) -> Path:
        path = self.root / "cases" / case_id
        if path.exists():
            shutil.rmtree(path)
        path.mkdir(parents=True)
        return path

    def case(self, case_id: str, title: str, kind: str, places: list[dict], recipe: str, **members) -> Path:
        path = self.root / "cases" / case_id
        path.mkdir(parents=True, exist_ok=True)
        origin = {"recipe": recipe, "seed": zlib.crc32(case_id.encode()), "producer": PRODUCER}
        case = {"id": case_id, "title": title, "kind": kind, "since": "1.0.0", "spec": places}
        case.update(members)
        case["origin"] = origin
        dump(case, path / "case.json")
        self.written.append(case_id)
        return path

    # -------------------------------------------------------- files

    def write_file(self, path: Path, data: dict, version: str, batches: int = 1, **options) -> None:
        """One data file. Rows are written in as many batches as asked."""
        writer = LanceFileWriter(str(path), schema_of(data["schema"]), version=version, **options)
        size = max(1, -(-data["rows"] // batches))
        for start in range(0, max(data["rows"], 1), size):
            # Arrays of their own: the reference trips over slices of nested ones.
            part = {**data, "columns": [column[start : start + size] for column in data["columns"]]}
            for batch in table_of(part).to_batches():
                writer.write_batch(batch)
        writer.close()

    def read_case(
        self, case_id: str, title: str, data: dict, version: str, recipe: str, places: list[dict], must: list[str] = (),
        words: list[str] = (), batches: int = 1, ask: dict | None = None, answer: dict | None = None, note: str | None = None,
        digest_above: int = DIGEST_ABOVE, **options,
    ) -> Path:
        """A data file, what is asked of it and what comes back; fails unless the bytes hold `must`."""
        folder = self.folder(case_id)
        self.write_file(folder / "file.lance", data, version, batches, **options)
        self.read_case_of(case_id, title, "file.lance", version, recipe, places, answer or data, must, words, ask, note, digest_above)
        return folder

    def read_case_of(
        self, case_id: str, title: str, source: str, version: str, recipe: str, places: list[dict], answer: dict,
        must: list[str] = (), words: list[str] = (), ask: dict | None = None, note: str | None = None,
        digest_above: int = DIGEST_ABOVE,
    ) -> None:
        folder = self.root / "cases" / case_id
        folder.mkdir(parents=True, exist_ok=True)
        texts, found, stamped = lancefile.contents((folder / source).resolve())
        if stamped not in (version, "none"):
            raise AssertionError(f"{case_id}: file version {stamped}")
        for wanted in must:
            if not any(wanted in text for text in texts):
                raise AssertionError(f"{case_id}: no page has {wanted!r}:\n  " + "\n  ".join(texts))
        members: dict = {"requires": {"file_version": version, "words": sorted(found | set(words) | type_words(answer))}}
        members["input"] = source
        members["contains"] = texts
        if must:
            members["must_contain"] = list(must)
        if ask:
            members["ask"] = ask
        members["expect"] = {"values": "expected.json"}
        if note:
            members["note"] = note
        dump_values(answer, folder / "expected.json", above=digest_above)
        self.case(case_id, title, "read", places, recipe, **members)


def type_words(data: dict) -> set[str]:
    words: set[str] = set()

    def visit(field_: dict) -> None:
        words.add("type:" + field_["type"].split("(")[0])
        for child in field_.get("children", []):
            visit(child)

    for field_ in data["schema"]["fields"]:
        visit(field_)
    return words
