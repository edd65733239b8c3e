"""Two writers: one has committed, the other one knows only the version before. What must become of the second change."""

from __future__ import annotations

import shutil
from pathlib import Path

import lance
import pyarrow as pa

from arrow_values import field_of, table_of
from common import Suite, dump_values, field, spec
from tables import clean, table

RECIPE = "conflict.py"
FIELDS = [field("id", "int32"), field("v", "int32"), field("w", "utf8"), field("spare", "float64")]
# Rows of the last fragment, which compaction rewrites, other rows of it, and rows of the first fragment.
PLACES = {"here": ("31", "32"), "beside": ("33", "34"), "there": ("1", "2")}
DELETED = ("37", "38", "39")
# Rows: the second change. Columns: the first. `.` both are kept, R the second has to be made again, X it is impossible.
# As the reference behaves: chapter 11.
ORDER = [
    "append", *(f"{kind} {place}" for kind in ("delete", "update", "merge") for place in PLACES), "overwrite", "compact", "add a",
    "add b", "drop w", "restore", "config k", "config l",
]
TABLE = """
append         .  .  .  .  .  .  .  .  .  .  X  .  .  .  .  X  .  .
delete here    .  R  .  .  R  .  .  R  .  .  X  R  R  R  .  X  .  .
delete beside  .  .  R  .  .  R  .  .  R  .  X  R  R  R  .  X  .  .
delete there   .  .  .  R  .  .  R  .  .  R  X  .  R  R  .  X  .  .
update here    .  R  .  .  R  .  .  R  .  .  X  R  R  R  .  X  .  .
update there   .  .  .  R  .  .  R  .  .  R  X  .  R  R  .  X  .  .
merge here     .  R  .  .  R  .  .  R  .  .  X  R  R  R  .  X  .  .
merge there    .  .  .  R  .  .  R  .  .  R  X  .  R  R  .  X  .  .
overwrite      .  .  .  .  .  .  .  .  .  .  R  .  .  .  .  .  .  .
compact        .  R  R  .  R  R  .  R  R  .  X  R  R  R  .  X  .  .
add b          R  R  R  R  R  R  R  R  R  R  X  R  R  R  X  X  .  .
drop w         .  .  .  .  .  .  .  .  .  .  X  .  R  R  R  X  .  .
restore        .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
config k       .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  X  .
config l       .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  X
"""
FIRST = ["append", "delete here", "update here", "merge here", "overwrite", "compact", "add a", "drop w", "restore", "config k"]
SECOND = [line[:15].strip() for line in TABLE.strip().splitlines()]
VERDICTS = {
    (first, line[:15].strip()): cell for line in TABLE.strip().splitlines() for first, cell in zip(ORDER, line[15:].split(), strict=True)
}
# The reference commits these, and the files then hold a column that nobody asked for: asking again is as good.
EITHER = {("drop w", "append"), ("drop w", "merge here"), ("drop w", "merge there")}
# Made again, these ask for a column that is gone; what then is the caller's to say.
LEFT_OUT = {("drop w", "merge here"), ("drop w", "merge there"), ("drop w", "drop w")}


def row(number: int, step: int = 0) -> dict[str, str]:
    import struct

    return {"id": str(number), "v": str(number * 10 + step), "w": f"w{number}", "spare": struct.pack(">d", number).hex()}


class Model:
    """Fields and rows."""

    def __init__(self):
        self.fields = list(FIELDS)
        self.rows = {str(i): row(i) for i in range(40)}
        self.first = {key: dict(value) for key, value in self.rows.items()}
        for key in DELETED:
            del self.rows[key]

    def copy(self) -> Model:
        other = Model()
        other.fields, other.rows = list(self.fields), {key: dict(value) for key, value in self.rows.items()}
        return other

    def values(self) -> dict:
        return table(self.fields, [[each.get(f["name"]) for f in self.fields] for each in self.rows.values()])

    def apply(self, operation: dict) -> None:
        kind = operation["kind"]
        if kind in ("append", "overwrite"):
            new = dicts(operation["values"])
            if kind == "overwrite":
                self.fields, self.rows = list(FIELDS), {}
            self.rows.update({each["id"]: each for each in new})
        elif kind == "delete":
            for key in operation["where"]["in"]:
                self.rows.pop(key, None)
        elif kind == "update":
            for key in operation["where"]["in"]:
                if key in self.rows:
                    self.rows[key].update(operation["set"])
        elif kind == "merge":
            for each in dicts(operation["values"]):
                self.rows[each["id"]] = each
        elif kind == "add-column":
            self.fields.append(operation["field"])
        elif kind == "drop-column":
            self.fields = [f for f in self.fields if f["name"] != operation["column"]]
        elif kind == "restore":
            self.fields, self.rows = list(FIELDS), {key: dict(value) for key, value in self.first.items()}
        elif kind not in ("compact", "set-config"):
            raise ValueError(kind)


def dicts(data: dict) -> list[dict]:
    names = [f["name"] for f in data["schema"]["fields"]]
    return [dict(zip(names, each)) for each in zip(*data["columns"])]


def listed(numbers, step: int = 0) -> dict:
    return table(FIELDS, [list(row(i, step).values()) for i in numbers])


def operation(change: str, second: bool) -> dict:
    kind, _, detail = change.partition(" ")
    shift = 10 if second else 0
    if kind == "append":
        return {"kind": "append", "values": listed(range(100 + shift, 105 + shift))}
    if kind == "overwrite":
        return {"kind": "overwrite", "values": listed(range(200 + shift, 205 + shift))}
    if kind == "delete":
        return {"kind": "delete", "where": {"column": "id", "in": list(PLACES[detail])}}
    if kind == "update":
        return {"kind": "update", "where": {"column": "id", "in": list(PLACES[detail])}, "set": {"v": "-2" if second else "-1"}}
    if kind == "merge":
        new = {"here": 300, "beside": 301, "there": 302}[detail] + shift
        return {"kind": "merge", "on": ["id"], "values": listed([*map(int, PLACES[detail]), new], 6 if second else 5)}
    if kind == "compact":
        return {"kind": "compact", "target_rows": 10}
    if kind == "add":
        return {"kind": "add-column", "field": field(detail, "int32")}
    if kind == "drop":
        return {"kind": "drop-column", "column": detail}
    if kind == "restore":
        return {"kind": "restore", "version": 1}
    return {"kind": "set-config", "key": detail, "value": "second" if second else "first"}


def by_pylance(path: Path, op: dict) -> None:
    dataset = lance.dataset(str(path))
    kind = op["kind"]
    where = f"id in ({', '.join(op['where']['in'])})" if "where" in op else None
    if kind in ("append", "overwrite"):
        lance.write_dataset(table_of(op["values"]), dataset, mode=kind)
    elif kind == "delete":
        dataset.delete(where)
    elif kind == "update":
        dataset.update(op["set"], where)
    elif kind == "merge":
        dataset.merge_insert("id").when_matched_update_all().when_not_matched_insert_all().execute(table_of(op["values"]))
    elif kind == "compact":
        dataset.optimize.compact_files(target_rows_per_fragment=op["target_rows"])
    elif kind == "add-column":
        dataset.add_columns(field_of(op["field"]))
    elif kind == "drop-column":
        dataset.drop_columns([op["column"]])
    elif kind == "restore":
        lance.dataset(str(path), version=op["version"]).restore()
    else:
        dataset.update_config({op["key"]: op["value"]})


def make(suite: Suite) -> None:
    base = suite.root / "conflict-base.lance"
    shutil.rmtree(base, ignore_errors=True)
    lance.write_dataset(table_of(listed(range(40))), str(base), max_rows_per_file=10, data_storage_version="2.2")
    lance.dataset(str(base)).delete(f"id in ({', '.join(DELETED)})")
    try:
        for first in FIRST:
            make_first(suite, base, first)
    finally:
        shutil.rmtree(base)


def make_first(suite: Suite, base: Path, first: str) -> None:
    label = "after-" + first.replace(" ", "-")
    folder = suite.folder(f"table/conflict/{label}")
    path = folder / "table.lance"
    shutil.copytree(base, path)
    start = Model()
    after = start.copy()
    after.apply(operation(first, second=False))
    by_pylance(path, operation(first, second=False))
    clean(path)
    dump_values(after.values(), folder / "first.json")
    for second in SECOND:
        if (first, second) in LEFT_OUT:
            continue
        verdict = VERDICTS[first, second]
        case_id = f"table/conflict/{label}/{second.replace(' ', '-')}"
        case_folder = suite.folder(case_id)
        op = operation(second, second=True)
        both = after.copy()
        both.apply(op)
        outcomes: list[dict] = []
        if verdict in ".R":
            dump_values(both.values(), case_folder / "both.json")
            outcomes.append({"committed": True, "values": "both.json"})
        if verdict == "R" or (first, second) in EITHER:
            outcomes.append({"conflict": "retryable", "values": "../first.json"})
        if verdict == "X":
            outcomes.append({"conflict": "incompatible", "values": "../first.json"})
        members: dict = {"requires": {"file_version": "2.2", "words": ["deletion-arrow", "table"]}, "input": "../table.lance", "ask": {"read_version": 2, **op}, "expect": {"outcomes": outcomes}}
        if (first, second) in EITHER:
            members["note"] = "the reference commits; rows of a column that is gone are then in the files"
        title = f"{second} by a writer that does not know of {first}: " + {".": "both are kept", "R": "to be made again", "X": "impossible"}[verdict]
        suite.case(case_id, title, "conflict", spec("11-commits.md#Conflicts", "11-commits.md#Committing"), RECIPE, **members)
