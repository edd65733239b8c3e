"""`lancer diff`: columns and rows that differ between two versions, whoever made them."""

from __future__ import annotations

import json
import random
from pathlib import Path

import lance
import pyarrow as pa
import pytest

from lancer_cli import USAGE, lancer, text
from test_changes import change, make, rows


def diff(path: Path, *arguments: object) -> tuple[list[dict], list[dict], dict]:
    """Column changes, row changes, summary."""
    found = [json.loads(line) for line in text("diff", path, *arguments, "--json").splitlines()]
    assert found[-1]["of"] == "summary"
    return [d for d in found if d["of"] == "column"], [d for d in found if d["of"] == "row"], found[-1]


def expected(old: list[dict], new: list[dict], key: list[str]) -> dict[str, dict]:
    before = {tuple(row[k] for k in key): row for row in old}
    after = {tuple(row[k] for k in key): row for row in new}
    common = set(old[0]) & set(new[0]) if old and new else set()
    return {
        "added": {k: row for k, row in after.items() if k not in before},
        "removed": {k: row for k, row in before.items() if k not in after},
        "changed": {
            k: {c for c in common if before[k][c] != row[c]}
            for k, row in after.items()
            if k in before and any(before[k][c] != row[c] for c in common)
        },
    }


def check_diff(path: Path, old: int, new: int, key: list[str]) -> None:
    before = lance.dataset(str(path), version=old).to_table().to_pylist()
    after = lance.dataset(str(path), version=new).to_table().to_pylist()
    want = expected(before, after, key)
    _, found, summary = diff(path, old, new, "--key", ",".join(key))
    for kind in want:
        assert summary[kind] == len(want[kind]), kind
    for kind in ("added", "removed"):
        assert {tuple(d["row"][k] for k in key): d["row"] for d in found if d["change"] == kind} == want[kind]
    changed = {tuple(d["key"][k] for k in key): set(d["after"]) for d in found if d["change"] == "changed"}
    assert changed == want["changed"]
    assert (summary["rowsBefore"], summary["rowsAfter"]) == (len(before), len(after))


@pytest.mark.parametrize("stable", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_rows_of_any_two_versions(seed, stable, scratch):
    rng = random.Random(seed)
    path = make(scratch / "t.lance", rng.choice(["lancer", "pylance"]), rows_per_file=30, enable_stable_row_ids=stable)
    for step in range(8):
        dataset = lance.dataset(str(path))
        kind = rng.choice(["delete", "update", "append", "upsert", "compact", "restore"])
        if kind == "delete":
            change("delete", path, "--rows", ",".join(map(str, sorted(rng.sample(range(dataset.count_rows()), 5)))))
        elif kind == "update":
            dataset.update({"name": f"'u{step}'"}, where=f"id % 9 = {rng.randrange(9)}")
        elif kind == "append":
            dataset.insert(rows(4, 1000 + step * 10))
        elif kind == "upsert":
            source = pa.table({"id": [1, 2, 2000 + step], "name": ["m", None, "m"], "s": [{"x": 1, "y": "q"}] * 3})
            dataset.merge_insert("id").when_matched_update_all().when_not_matched_insert_all().execute(source)
        elif kind == "compact":
            change("compact", path, "--target-rows", rng.choice([40, 1000]))
        else:
            change("restore", path, rng.randint(1, dataset.version))
    versions = [v["version"] for v in lance.dataset(str(path)).versions()]
    for _ in range(8):
        check_diff(path, rng.choice(versions), rng.choice(versions), ["id"])


def test_columns_and_keys(scratch):
    path = make(scratch / "t.lance", "pylance")
    change("columns", "rename", path, "name", "label")
    change("columns", "add", path, "--null", "n: int32")
    change("columns", "retype", path, "s.x", "int32")
    change("columns", "nullable", path, "id", "no")
    dataset = lance.dataset(str(path))
    dataset.insert(pa.table({"id": [500], "label": ["x"], "s": pa.array([{"x": 1, "y": "2"}], dataset.schema.field("s").type), "n": pa.array([7], pa.int32())}))
    columns, found, summary = diff(path, 1, "latest", "--key", "id,label")
    kinds = {(c["change"], c["column"], c["before"], c["after"]) for c in columns}
    assert kinds == {
        ("renamed", "label", "name", "label"), ("added", "n", None, "int32"), ("retyped", "s.x", "int64", "int32"),
        ("nullability", "id", "nullable", "not null"),
    }
    assert (summary["added"], summary["removed"], summary["changed"]) == (1, 0, 0)
    # Rows whose label is null match nothing, once they are not known to be the same.
    change("columns", "retype", path, "label", "large_string")
    change("columns", "retype", path, "label", "string")
    _, _, summary = diff(path, 6, "latest", "--key", "id,label")
    assert (summary["added"], summary["removed"], summary["changed"]) == (20, 20, 0)
    columns, found, summary = diff(path, 1, "--key", "id")
    assert (summary["added"], summary["removed"], summary["changed"]) == (1, 0, 0)
    assert found[0]["row"] == {"id": 500, "label": "x", "s": {"x": 1, "y": "2"}, "n": 7}
    columns, _, _ = diff(path, 6, 1)
    assert {c["change"] for c in columns} == {"renamed", "removed", "retyped", "nullability"}
    shown = text("diff", path, 1, "latest", "--key", "id")
    assert "+ column n: int32" in shown and "1 row added, 0 removed, 0 changed" in shown
    lance.dataset(str(path)).tags.create("first", 1)
    assert diff(path, "first", "latest")[2]["from"] == 1
    assert "no column" in lancer("diff", path, 1, 2, "--key", "nothing", status=USAGE).stderr.decode()
    lancer("diff", path, 1, 99, status=USAGE)
    lancer("diff", path, 1, "nothing", status=USAGE)


def test_a_key_must_be_one(scratch):
    table = pa.table({"k": [1, 1, 2], "v": [1, 2, 3]})
    path = scratch / "t.lance"
    lance.write_dataset(table, str(path))
    lance.write_dataset(table, str(path), mode="overwrite")
    assert "k = 1" in lancer("diff", path, 1, 2, "--key", "k", status=USAGE).stderr.decode()
    assert diff(path, 1, 2, "--key", "k,v")[2]["changed"] == 0


def test_only_what_changed_is_read(scratch):
    # Without the data files of rows that both versions have, the others can still be told.
    path = make(scratch / "t.lance", "lancer", rows_per_file=10)
    lance.dataset(str(path)).update({"name": "'x'"}, where="id = 15")
    lance.dataset(str(path)).insert(rows(2, 100))
    first = lance.dataset(str(path)).get_fragments()[0].metadata.files[0].path
    (path / "data" / first).unlink()
    _, found, summary = diff(path, 1, 3, "--key", "id")
    assert (summary["added"], summary["removed"], summary["changed"]) == (2, 0, 1)
    assert [d for d in found if d["change"] == "changed"] == [
        {"of": "row", "change": "changed", "key": {"id": 15}, "before": {"name": None}, "after": {"name": "x"}}
    ]
