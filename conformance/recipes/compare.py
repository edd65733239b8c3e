"""Whether recipes still make what is committed.

| what | how it is compared |
|---|---|
| data files, expected values, values to be written, questions, cases | byte for byte, but: |
| … files with FSST | by their pages; the reference trains symbol tables on samples of its choice, and no two are alike |
| … files with several entries of metadata in one map | byte for byte, with the entries in any order |
| data files of tables, and files of blobs | the same, their names aside |
| deletion files of tables | by their rows: the reference writes them in any order |
| manifests | every field, without times, names of files and ids of deletion files |
| transactions | what kind of change, and of which version |
| damage of tables, and of files with FSST | the number of edits: places and bytes move with names and times |
| index files, and distances that follow from their codes | not at all: the reference builds other ones each time |
"""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path

import pyarrow as pa

import lancefile


def report(root: Path, fresh: Path, cases: list[str], whole: bool) -> int:
    complaints: list[str] = []
    for name in sorted(fresh.rglob("*")):
        if name.is_dir() and name.name == "table.lance":
            complaints += tables(root / name.relative_to(fresh), name, str(name.relative_to(fresh / "cases")))
        elif name.is_file() and "table.lance" not in name.parts:
            complaints += files(root / name.relative_to(fresh), name, str(name.relative_to(fresh / "cases")))
    if whole:
        listed = {path.parent.relative_to(root / "cases").as_posix() for path in (root / "cases").rglob("case.json")}
        complaints += [f"{name}: no recipe makes it" for name in sorted(listed - set(cases))]
    for complaint in complaints[:60]:
        print(complaint)
    print(f"regenerate --check: {len(cases)} cases, {len(complaints)} differences")
    return 1 if complaints else 0


def files(old: Path, new: Path, name: str) -> list[str]:
    if not old.exists():
        return [f"{name}: is not committed"]
    if name.startswith("index/search/") and new.name == "expected.json":
        return []
    left, right = old.read_bytes(), new.read_bytes()
    if new.name == "case.json":
        left, right = (masked_case(json.loads(each)) for each in (left, right))
    if left != right and new.name == "file.lance" and same_file(left, right):
        return []
    return [] if left == right else [f"{name}: differs"]


def same_file(left: bytes, right: bytes) -> bool:
    """Whether two data files differ only where the reference leaves it to chance."""
    one, other = lancefile.parse(left), lancefile.parse(right)
    if any("fsst" in text for text in one.contents()):
        return one.contents() == other.contents()
    start, end = one.places["schema"], one.places["column-metadata"]
    return len(left) == len(right) and left[:start] == right[:start] and left[end:] == right[end:] and sorted(left[start:end]) == sorted(right[start:end])


def masked_case(case: dict) -> dict:
    case["origin"].pop("producer")
    if case["kind"] == "build":
        case["expect"].pop("recall"), case["expect"].pop("measured")
    if case["id"].startswith("table/") and isinstance(case["input"], dict):
        case.pop("title")
        for edit in case["input"]["edits"]:
            for key in ("set", "file", "at"):
                edit.pop(key, None)
    if case["id"].startswith("file/") and isinstance(case["input"], dict) and "fsst" in case["input"]["base"]:
        case.pop("title")
        case["input"]["edits"] = len(case["input"]["edits"])
    return case


def hashes(folder: Path, pattern: str) -> list[str]:
    return sorted(deleted(path) if path.suffix == ".arrow" else hashlib.sha256(settled(path)).hexdigest() for path in folder.glob(pattern))


def settled(path: Path) -> bytes:
    """The bytes of a file; those of a data file's schema in an order that does not depend on that of its maps."""
    data = path.read_bytes()
    if path.suffix != ".lance":
        return data
    places = lancefile.parse(data).places
    start, end = places["schema"], places["column-metadata"]
    return data[:start] + bytes(sorted(data[start:end])) + data[end:]


def deleted(path: Path) -> str:
    """The rows of an Arrow deletion file."""
    with pa.OSFile(str(path)) as source:
        return f"{sorted(pa.ipc.open_file(source).read_all()['row_id'].to_pylist())}"


def tables(old: Path, new: Path, name: str) -> list[str]:
    if not old.is_dir():
        return [f"{name}: is not committed"]
    found = [f"{name}: {what} differ" for what in ("data/*.lance", "data/*/*.blob", "_deletions/*", "tree/*/data/*.lance") if hashes(old, what) != hashes(new, what)]
    left, right = (manifests(each) for each in (old, new))
    if left.keys() != right.keys():
        found.append(f"{name}: other versions")
    found += [f"{name}: {key} differs" for key in sorted(left.keys() & right.keys()) if left[key] != right[key]]
    if transactions(old) != transactions(new):
        found.append(f"{name}: other transactions")
    return found


def manifests(table: Path) -> dict[str, dict]:
    return {str(path.relative_to(table)): manifest(path.read_bytes()) for path in table.rglob("*.manifest")}


def manifest(data: bytes) -> dict:
    position = struct.unpack_from("<Q", data, len(data) - 16)[0]
    size = struct.unpack_from("<I", data, position)[0]
    fields = lancefile.message(data[position + 4 : position + 4 + size])
    # Positions of sections, time, the name of the transaction, where other roots are.
    for number in (6, 7, 12, 18, 21, 23):
        fields.pop(number, None)
    # Entries of a field's metadata come in any order.
    fields[1] = [sorted(each) for each in fields.get(1, [])]
    fields[2] = [fragment(each) for each in fields.get(2, [])]
    return fields


def fragment(data: bytes) -> dict:
    fields = lancefile.message(data)
    fields[2] = [{number: value for number, value in lancefile.message(each).items() if number != 1} for each in fields.get(2, [])]
    if 3 in fields:
        fields[3] = [{number: value for number, value in lancefile.message(each).items() if number != 3} for each in fields[3]]
    return fields


def transactions(table: Path) -> list[tuple]:
    result = []
    for path in table.rglob("*.txn"):
        fields = lancefile.message(path.read_bytes())
        result.append((lancefile.one(fields, 1), sorted(number for number in fields if number >= 100)))
    return sorted(result)
