"""Random sessions on one table, each change made by Lancer or by pylance, both readers checked against a model after each."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import lance
import pyarrow as pa
import pytest

from conftest import FULL
from lancer_cli import lance_to_table, lancer, text, write_arrow
from session import TYPES, Model, conditions, new_rows, table, value

SESSIONS = int(os.environ.get("LANCER_SESSIONS", 2_000 if FULL else 24))
FIRST_SEED = int(os.environ.get("LANCER_SEED", 1))
STEPS = 24


class Session:
    def __init__(self, seed: int, directory: Path):
        self.rng = random.Random(seed)
        self.path = directory / "t.lance"
        self.scratch = directory
        self.model = Model()
        self.log: list[str] = []
        self.versions: dict[int, Model] = {}
        self.tagged: set[int] = set()
        self.renames = 0

    # -- the two writers

    def dataset(self, version: int | None = None) -> lance.LanceDataset:
        return lance.dataset(str(self.path), version=version)

    def source(self, rows, names=None) -> pa.Table:
        return table(rows, self.model.schema(names))

    def arrow(self, source: pa.Table) -> Path:
        return write_arrow(source, self.scratch / "source.arrow")

    # -- changes: each returns a word for the log, or None when it does not apply

    def append(self, ours: bool):
        rows = new_rows(self.model, self.rng.randrange(1, 40), self.rng)
        source = self.source(rows)
        if ours:
            lancer("append", self.path, self.arrow(source), "--max-rows-per-file", self.rng.choice([7, 1000]))
        else:
            lance.write_dataset(source, str(self.path), mode="append", max_rows_per_file=self.rng.choice([7, 1000]))
        self.model.rows |= {row["id"]: row for row in rows}
        return f"append {len(rows)}"

    def overwrite(self, ours: bool):
        if self.rng.random() < 0.6:
            return None
        self.model.columns = dict(TYPES)
        rows = new_rows(self.model, self.rng.randrange(1, 60), self.rng)
        source = self.source(rows)
        if ours:
            lancer("convert", self.arrow(source), self.path, "--overwrite", "--max-rows-per-file", 25)
        else:
            lance.write_dataset(source, str(self.path), mode="overwrite", max_rows_per_file=25)
        self.model.rows = {row["id"]: row for row in rows}
        return f"overwrite {len(rows)}"

    def delete(self, ours: bool):
        sql, holds = self.rng.choice(conditions(self.model, self.rng))
        if ours:
            lancer("delete", self.path, "--where", sql)
        else:
            self.dataset().delete(sql)
        self.model.rows = {id: row for id, row in self.model.rows.items() if holds(row) is not True}
        return f"delete {sql}"

    def update(self, ours: bool):
        sql, holds = self.rng.choice(conditions(self.model, self.rng))
        sets: dict[str, tuple[str, object]] = {}
        if "v" in self.model.columns:
            sets["v"] = ("v + 1", lambda r: None if r["v"] is None else r["v"] + 1)
        if "x" in self.model.columns:
            sets["x"] = ("cast(id as double) / 4.0", lambda r: r["id"] / 4.0)
        if "name" in self.model.columns:
            sets["name"] = self.rng.choice([("'new'", lambda r: "new"), ("null", lambda r: None)])
        chosen = self.rng.sample(sorted(sets), self.rng.randint(1, len(sets))) if sets else []
        if not chosen:
            return None
        if ours:
            given = [part for name in chosen for part in ("--set", f"{name}={sets[name][0]}")]
            lancer("update", self.path, *given, "--where", sql)
        else:
            self.dataset().update({name: sets[name][0] for name in chosen}, where=sql)
        for row in self.model.rows.values():
            if holds(row) is True:
                row |= {name: sets[name][1](row) for name in chosen}
        return f"update {chosen} where {sql}"

    def merge(self, ours: bool):
        known = self.rng.sample(sorted(self.model.rows), min(len(self.model.rows), self.rng.randrange(8)))
        rows = [{n: value(n, t, self.rng) for n, t in self.model.columns.items()} | {"id": id} for id in known]
        rows += new_rows(self.model, self.rng.randrange(6), self.rng)
        self.rng.shuffle(rows)
        if not rows:
            return None
        update, insert = self.rng.random() < 0.7, self.rng.random() < 0.7
        purge = self.rng.random() < 0.1
        if not update and not insert and not purge:
            return None
        source = self.source(rows)
        if ours:
            lancer(
                "merge", self.path, self.arrow(source), "--on", "id", "--when-matched", "update" if update else "nothing",
                "--when-not-matched", "insert" if insert else "nothing",
                "--when-not-matched-by-source", "delete" if purge else "keep",
            )
        else:
            builder = self.dataset().merge_insert("id")
            if update:
                builder.when_matched_update_all()
            if insert:
                builder.when_not_matched_insert_all()
            if purge:
                builder.when_not_matched_by_source_delete()
            builder.execute(source)
        keys = {row["id"] for row in rows}
        if purge:
            self.model.rows = {id: row for id, row in self.model.rows.items() if id in keys}
        for row in rows:
            if update if row["id"] in self.model.rows else insert:
                self.model.rows[row["id"]] = row
        return f"merge {len(rows)} update={update} insert={insert} purge={purge}"

    def add_nulls(self, ours: bool):
        name = f"extra{self.renames}"
        self.renames += 1
        if ours:
            lancer("columns", "add", self.path, "--null", f"{name}: int32")
        else:
            self.dataset().add_columns(pa.schema([pa.field(name, pa.int32())]))
        self.model.columns[name] = pa.int32()
        for row in self.model.rows.values():
            row[name] = None
        return f"add {name}"

    def add_computed(self, ours: bool):
        name = f"extra{self.renames}"
        self.renames += 1
        if ours:
            lancer("columns", "add", self.path, f"{name}=id * 2 + 1")
        else:
            self.dataset().add_columns({name: "id * 2 + 1"})
        self.model.columns[name] = pa.int64()
        for id, row in self.model.rows.items():
            row[name] = id * 2 + 1
        return f"add {name} computed"

    def drop(self, ours: bool):
        names = [name for name in self.model.columns if name != "id"]
        if len(names) < 3 or self.rng.random() < 0.4:
            return None
        name = self.rng.choice(names)
        if ours:
            lancer("columns", "drop", self.path, name)
        else:
            self.dataset().drop_columns([name])
        del self.model.columns[name]
        for row in self.model.rows.values():
            row.pop(name, None)
        return f"drop {name}"

    def rename(self, ours: bool):
        names = [name for name in self.model.columns if name.startswith("extra")]
        if not names:
            return None
        old, new = self.rng.choice(names), f"extra{self.renames}"
        self.renames += 1
        if ours:
            lancer("columns", "rename", self.path, old, new)
        else:
            self.dataset().alter_columns({"path": old, "name": new})
        self.model.columns = {new if name == old else name: type_ for name, type_ in self.model.columns.items()}
        for row in self.model.rows.values():
            row[new] = row.pop(old, None)
        return f"rename {old} {new}"

    def retype(self, ours: bool):
        if self.model.columns.get("v") != pa.int32():
            return None
        if ours:
            lancer("columns", "retype", self.path, "v", "int64")
        else:
            self.dataset().alter_columns({"path": "v", "data_type": pa.int64()})
        self.model.columns["v"] = pa.int64()
        return "retype v"

    def compact(self, ours: bool):
        if ours:
            lancer("compact", self.path)
        else:
            self.dataset().optimize.compact_files()
        return "compact"

    def restore(self, ours: bool):
        version = self.rng.choice(sorted(self.versions))
        if ours:
            lancer("restore", self.path, version)
        else:
            self.dataset(version).restore()
        following = self.model.next_id
        self.model = self.versions[version].copy()
        self.model.next_id = following
        return f"restore {version}"

    def tag(self, ours: bool):
        version = self.rng.choice(sorted(self.versions))
        if version in self.tagged:
            return None
        if ours:
            lancer("tag", "create", self.path, f"tag{version}", version)
        else:
            self.dataset().tags.create(f"tag{version}", version)
        self.tagged.add(version)
        return f"tag {version}"

    def cleanup(self, ours: bool):
        if self.rng.random() < 0.5:
            return None
        keep = self.rng.randrange(1, 5)
        # A compaction by pylance makes two versions.
        newest = {entry["version"] for entry in self.dataset().versions()[-keep:]}
        if ours:
            lancer("cleanup", self.path, "--keep", keep, "--yes")
        else:
            self.dataset().cleanup_old_versions(retain_versions=keep, error_if_tagged_old_versions=False)
        left = {entry["version"] for entry in self.dataset().versions()}
        assert left >= newest | self.tagged, "a version that should stay is gone"
        self.versions = {version: model for version, model in self.versions.items() if version in left}
        return f"cleanup {keep}"

    def config(self, ours: bool):
        key = self.rng.choice(["a", "b"])
        if ours:
            lancer("config", self.path, f"my.{key}={self.rng.random()}")
        else:
            self.dataset().update_config({f"my.{key}": str(self.rng.random())})
        return "config"

    CHANGES = [
        (append, 5), (overwrite, 1), (delete, 4), (update, 4), (merge, 4), (add_nulls, 1), (add_computed, 2), (drop, 2),
        (rename, 1), (retype, 1), (compact, 3), (restore, 1), (tag, 1), (cleanup, 1), (config, 1),
    ]

    # -- checks

    def check(self, model: Model, version: int | None = None) -> None:
        theirs = self.dataset(version).to_table()
        assert theirs.column_names == list(model.columns)
        rows = sorted(table_rows(theirs), key=lambda row: row["id"])
        expected = table_rows(table(model.listed(), model.schema()))
        assert rows == expected, f"pylance reads other rows of version {version or 'latest'}"
        options = [] if version is None else ["--version", version]
        out = self.scratch / "check.arrow"
        out.unlink(missing_ok=True)
        ours = lance_to_table(self.path, out, *options)
        assert ours.column_names == theirs.column_names
        assert table_rows(ours) == table_rows(theirs), f"Lancer reads other rows of version {version or 'latest'}"

    def run(self) -> None:
        rows = new_rows(self.model, self.rng.randrange(1, 60), self.rng)
        source = self.source(rows)
        stable = self.rng.random() < 0.3
        ours = self.rng.random() < 0.5
        version = self.rng.choice(["2.1", "2.2"])
        if ours:
            flags = ["--stable-row-ids"] if stable else []
            lancer("convert", self.arrow(source), self.path, "--max-rows-per-file", 20, "--file-version", version, *flags)
        else:
            lance.write_dataset(
                source, str(self.path), max_rows_per_file=20, enable_stable_row_ids=stable, data_storage_version=version
            )
        self.log.append(f"create {len(rows)} by {'lancer' if ours else 'pylance'}, {version}, stable row ids: {stable}")
        self.model.rows = {row["id"]: row for row in rows}
        self.check(self.model)
        changes, weights = zip(*self.CHANGES)
        for _ in range(STEPS):
            self.versions[self.dataset().version] = self.model.copy()
            done = None
            while done is None:
                change = self.rng.choices(changes, weights)[0]
                ours = self.rng.random() < 0.5
                self.log.append(f"{change.__name__} by {'lancer' if ours else 'pylance'} …")
                done = change(self, ours)
                self.log.pop()
            self.log.append(f"{'lancer' if ours else 'pylance'}: {done}")
            self.check(self.model)
            old = self.rng.choice(sorted(self.versions))
            self.check(self.versions[old], old)
        for version, model in self.versions.items():
            self.check(model, version)
        listed = [json.loads(line)["version"] for line in text("versions", self.path, "--json").splitlines()]
        assert listed == [entry["version"] for entry in self.dataset().versions()]
        self.dataset().validate()


def table_rows(rows: pa.Table) -> list[dict]:
    return rows.to_pylist()


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + SESSIONS))
def test_session(seed, scratch):
    session = Session(seed, scratch)
    try:
        session.run()
    except Exception as error:
        steps = "\n".join(f"  {number}. {step}" for number, step in enumerate(session.log))
        raise AssertionError(f"seed {seed} after\n{steps}\n{type(error).__name__}: {error}") from error
