"""Cases on disk: loading, hashing, edits of inputs, and comparing answers with what is expected."""

from __future__ import annotations

import json
import math
import shutil
import struct
from dataclasses import dataclass
from pathlib import Path

from hashing import digest, sha256

ROOT = Path(__file__).resolve().parent.parent
CASES = ROOT / "cases"
VERBS = {
    "read": "read", "reject": "read", "survive": "read", "write": "write", "history": "history", "conflict": "commit",
    "search": "search", "build": "build",
}


@dataclass(frozen=True)
class Case:
    id: str
    folder: Path
    body: dict

    @property
    def kind(self) -> str:
        return self.body["kind"]

    @property
    def verb(self) -> str:
        return VERBS[self.kind]

    def load(self, name: str):
        return load(self.folder / name)


def load(path: Path):
    return json.loads(path.read_text(encoding="utf-8"))


def all_cases(root: Path = CASES) -> list[Case]:
    return [
        Case(str(path.parent.relative_to(root)), path.parent, load(path)) for path in sorted(root.rglob("case.json"))
    ]


# ---------------------------------------------------------------- inputs


def place_input(case: Case, folder: Path) -> Path:
    """A fresh copy of the case's input, with its edits applied."""
    source = case.body["input"]
    base = source if isinstance(source, str) else source["base"]
    origin = (case.folder / base).resolve()
    target = folder / origin.name
    if origin.is_dir():
        shutil.copytree(origin, target)
    else:
        shutil.copyfile(origin, target)
    if isinstance(source, dict):
        for edit in source["edits"]:
            apply_edit(target, edit)
    return target


def apply_edit(target: Path, edit: dict) -> None:
    path = target / edit["file"] if "file" in edit else target
    if edit.get("remove"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        return
    if "add" in edit:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes.fromhex(edit["add"]))
        return
    data = bytearray(path.read_bytes())
    at = edit["at"] if edit["at"] >= 0 else len(data) + edit["at"]
    if not 0 <= at <= len(data):
        raise ValueError(f"edit at {edit['at']} of {len(data)} bytes")
    if "set" in edit:
        new = bytes.fromhex(edit["set"])
        if at + len(new) > len(data):
            raise ValueError("edit beyond the end")
        data[at : at + len(new)] = new
    elif "insert" in edit:
        data[at:at] = bytes.fromhex(edit["insert"])
    elif "delete" in edit:
        del data[at : at + edit["delete"]]
    elif edit.get("truncate"):
        del data[at:]
    else:
        raise ValueError(f"an edit that does nothing: {edit}")
    path.write_bytes(bytes(data))


# ---------------------------------------------------------------- comparing


def compact(value) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def matches(expected, actual) -> bool:
    """Equality where an expected text may be given by its digest. Types count: 1 is not "1", 0 is not false."""
    if isinstance(expected, dict) and "sha256" in expected:
        return isinstance(actual, str) and sha256(actual) == expected["sha256"]
    if isinstance(expected, list):
        return isinstance(actual, list) and len(expected) == len(actual) and all(map(matches, expected, actual))
    return type(expected) is type(actual) and expected == actual


def short(value, limit: int = 120) -> str:
    text = compact(value)
    return text if len(text) <= limit else text[:limit] + "…"


def normal_field(field: dict) -> dict:
    result = {name: field.get(name) for name in ("name", "type", "nullable")}
    result["metadata"] = field.get("metadata") or {}
    result["children"] = [normal_field(child) for child in field.get("children") or []]
    return result


def compare_schemas(expected: dict, actual) -> str | None:
    if not isinstance(actual, dict) or not isinstance(actual.get("fields"), list):
        return "the answer has no schema"
    try:
        ours, theirs = ([normal_field(field) for field in schema["fields"]] for schema in (expected, actual))
    except (AttributeError, TypeError):
        return "the schema has another form than the protocol's"
    if ours != theirs:
        for left, right in zip(ours, theirs):
            if left != right:
                return f"field {short(left, 200)} came back as {short(right, 200)}"
        return f"{len(ours)} fields expected, {len(theirs)} in the answer"
    if (expected.get("metadata") or {}) != (actual.get("metadata") or {}):
        return f"schema metadata {short(expected.get('metadata'))} came back as {short(actual.get('metadata'))}"
    return None


def compare_values(expected: dict, actual, ordered: bool = True) -> str | None:
    """The first difference, or nothing."""
    if not isinstance(actual, dict):
        return "the answer is not an object"
    difference = compare_schemas(expected["schema"], actual.get("schema"))
    if difference:
        return difference
    columns = actual.get("columns")
    if type(actual.get("rows")) is not int or actual["rows"] != expected["rows"]:
        return f"{expected['rows']} rows expected, {short(actual.get('rows'))} in the answer"
    if not isinstance(columns, list) or len(columns) != len(expected["columns"]):
        return f"{len(expected['columns'])} columns expected"
    for field, column in zip(expected["schema"]["fields"], columns):
        if not isinstance(column, list) or len(column) != expected["rows"]:
            return f"column {field['name']} has not {expected['rows']} values"
    if not ordered:
        left = sorted(compact(list(row)) for row in zip(*expected["columns"]))
        right = sorted(compact(list(row)) for row in zip(*columns))
        if left == right:
            return None
        missing = [row for row in left if row not in set(right)]
        extra = [row for row in right if row not in set(left)]
        return f"rows missing: {short(missing[:3], 200)}; rows too many: {short(extra[:3], 200)}"
    for field, want, got in zip(expected["schema"]["fields"], expected["columns"], columns):
        difference = compare_column(field["name"], want, got)
        if difference:
            return difference
    return None


def compare_column(name: str, want, got: list) -> str | None:
    head = want["head"] if isinstance(want, dict) else want
    for row, (left, right) in enumerate(zip(head, got)):
        if isinstance(left, dict):
            if sha256(compact(right)) != left["sha256"] and not matches(left, right):
                return f"column {name} row {row}: another value than expected: {short(right)}"
        elif not matches(left, right):
            return f"column {name} row {row}: {short(left)} expected, got {short(right)}"
    if isinstance(want, dict) and sha256(compact(got)) != want["sha256"]:
        return f"column {name}: a value after row {len(head)} differs"
    return None


# ---------------------------------------------------------------- searches


def float32(text: str) -> float:
    return struct.unpack(">f", bytes.fromhex(text))[0]


def close(left: float, right: float, tolerance: dict) -> bool:
    if left == right:
        return True
    if math.isnan(left) or math.isnan(right):
        return math.isnan(left) and math.isnan(right)
    return abs(left - right) <= float(tolerance["abs"]) + float(tolerance["rel"]) * abs(left)


def compare_results(expected: list[dict], actual, tolerance: dict) -> str | None:
    """Ids in order, distances within the tolerance; ids of equal distances may change places."""
    if not isinstance(actual, dict) or not isinstance(actual.get("results"), list):
        return "the answer has no results"
    results = actual["results"]
    if len(results) != len(expected):
        return f"{len(expected)} results expected, {len(results)} in the answer"
    for number, (want, got) in enumerate(zip(expected, results)):
        ids, distances = got.get("ids"), got.get("distances")
        if not isinstance(ids, list) or not isinstance(distances, list) or len(ids) != len(distances):
            return f"query {number}: ids and distances of equal number expected"
        if len(ids) != len(want["ids"]):
            return f"query {number}: {len(want['ids'])} ids expected, {len(ids)} in the answer"
        try:
            far = [float32(text) for text in distances]
        except (ValueError, TypeError, struct.error):
            return f"query {number}: a distance is not eight hex digits"
        near = [float32(text) for text in want["distances"]]
        for place, (left, right) in enumerate(zip(near, far)):
            if not close(left, right, tolerance):
                return f"query {number} place {place}: distance {left:g} expected, got {right:g}"
        if len(set(ids)) != len(ids):
            return f"query {number}: an id comes twice"
        allowed = dict(zip(want["ids"], near))
        # What else lies as far away as the last one may stand in its place.
        allowed.update((id_, near[-1]) for id_ in want.get("also_last", []))
        for place, id_ in enumerate(ids):
            if id_ not in allowed:
                return f"query {number} place {place}: id {short(id_)} is not among the expected {short(want['ids'])}"
            if not close(allowed[id_], near[place], tolerance):
                return f"query {number} place {place}: id {id_} in the wrong place; expected {short(want['ids'])}, got {short(ids)}"
    return None


def recall(truth: list[list[str]], actual) -> float | str:
    if not isinstance(actual, dict) or not isinstance(actual.get("results"), list) or len(actual["results"]) != len(truth):
        return "the answer has not one result a query"
    found = sum(len(set(want) & set(got.get("ids", []))) for want, got in zip(truth, actual["results"]))
    return found / sum(map(len, truth))
