"""Stable row ids: tables made and changed by Lancer and by pylance, compared row by row."""

from __future__ import annotations

import random
from pathlib import Path

import lance
import pyarrow as pa
import pytest

from lancer_cli import lancer, read_arrow, text, write_arrow
from test_changes import change, check, make, rows

META = ["_rowid", "_row_created_at_version", "_row_last_updated_at_version"]


def lineage(path: Path) -> dict[int, tuple[int, int, int]]:
    """Row id, version made in and version last changed in, by the value of the id column."""
    table = lance.dataset(str(path)).to_table(columns=["id", *META])
    result = {row["id"]: tuple(row[name] for name in META) for row in table.to_pylist()}
    assert len(result) == table.num_rows
    assert len({row[0] for row in result.values()}) == table.num_rows, "a row id is there twice"
    # Lancer sees the same, in a scan and in a take.
    out = path.with_suffix(".lineage.arrow")
    names = ["_rowaddr", "id", *META]
    theirs = lance.dataset(str(path)).to_table(columns=names).select(names).to_pylist()
    out.unlink(missing_ok=True)
    lancer("convert", path, out, "-c", ",".join(names))
    assert read_arrow(out).to_pylist() == theirs
    if theirs:
        rows = [len(theirs) - 1, 0, len(theirs) // 2, 0]
        out.unlink()
        lancer("take", path, "--rows", ",".join(map(str, rows)), "-c", ",".join(names), "-o", out)
        assert read_arrow(out).to_pylist() == [theirs[i] for i in rows]
    return result


def test_a_table_made_by_lancer_is_like_one_of_pylance(scratch):
    ours = make(scratch / "ours.lance", "lancer", enable_stable_row_ids=True)
    theirs = make(scratch / "theirs.lance", "pylance", enable_stable_row_ids=True)
    for path in (ours, theirs):
        assert lance.dataset(str(path)).has_stable_row_ids
        write_arrow(rows(10, 100), scratch / "more.arrow")
        lancer("append", path, scratch / "more.arrow")
        change("delete", path, "--rows", "3,50")
        lance.dataset(str(path)).update({"name": "'new'"}, where="id in (4, 60, 105)")
        lance.dataset(str(path)).insert(rows(5, 110))
        check(path)
    assert lineage(ours) == lineage(theirs)
    for path in (ours, theirs):
        before = lineage(path)
        expected = check(path)
        change("compact", path, "--target-rows", 60)
        assert lineage(path) == before
        check(path, expected)
        lance.dataset(str(path)).optimize.compact_files()
        assert lineage(path) == before
        check(path, expected)
    assert lineage(ours) == lineage(theirs)


@pytest.mark.parametrize("seed", range(6))
def test_random_changes_by_both(seed, scratch):
    rng = random.Random(seed)
    path = make(scratch / "t.lance", rng.choice(["lancer", "pylance"]), enable_stable_row_ids=True, rows_per_file=25)
    known = {i: i for i in range(100)}
    next_id = 100
    for step in range(12):
        dataset = lance.dataset(str(path))
        kind = rng.choice(["delete", "their delete", "update", "append", "their append", "compact", "their compact", "upsert", "their upsert", "their update"])
        if kind in ("delete", "their delete") and len(known) > 20:
            ids = dataset.to_table(columns=["id"])["id"].to_pylist()
            chosen = sorted(rng.sample(range(len(ids)), 7))
            if kind == "delete":
                change("delete", path, "--rows", ",".join(map(str, chosen)))
            else:
                dataset.delete(f"id in ({', '.join(str(ids[i]) for i in chosen)})")
            for i in chosen:
                del known[ids[i]]
        elif kind == "update":
            change("update", path, "--set", "name='u'", "--where", f"id % 7 = {rng.randrange(7)}")
        elif kind == "their update":
            dataset.update({"name": "'u'"}, where=f"id % 7 = {rng.randrange(7)}")
        elif kind in ("upsert", "their upsert"):
            old = rng.sample(sorted(known), 5)
            new = list(range(next_id, next_id + 3))
            next_id += 3
            source = pa.table({"id": pa.array(old + new), "name": ["m"] * 8, "s": [{"x": 1, "y": "1"}] * 8})
            if kind == "upsert":
                write_arrow(source, scratch / "source.arrow")
                lancer("merge", path, scratch / "source.arrow", "--on", "id")
                (scratch / "source.arrow").unlink()
            else:
                dataset.merge_insert("id").when_matched_update_all().when_not_matched_insert_all().execute(source)
        elif kind in ("append", "their append"):
            if kind == "append":
                write_arrow(rows(6, next_id), scratch / "more.arrow")
                lancer("append", path, scratch / "more.arrow")
                (scratch / "more.arrow").unlink()
            else:
                dataset.insert(rows(6, next_id))
            next_id += 6
        elif kind == "compact":
            change("compact", path, "--target-rows", rng.choice([30, 70, 1000]))
        else:
            dataset.optimize.compact_files(target_rows_per_fragment=rng.choice([30, 70, 1000]))
        now = lineage(path)
        for key, row in now.items():
            assert known.setdefault(key, row[0]) == row[0], f"seed {seed}, step {step} ({kind}): row {key} has another id"
        assert set(now) == set(known), f"seed {seed}, step {step} ({kind})"
        check(path)


def test_an_index_gives_the_right_rows_after_a_compaction(scratch):
    # pylance's indices hold row addresses in tables with stable row ids, too.
    path = make(scratch / "t.lance", "pylance", enable_stable_row_ids=True)
    dataset = lance.dataset(str(path))
    dataset.create_scalar_index("id", "BTREE")
    dataset = lance.dataset(str(path))
    dataset.insert(rows(20, 100))
    change("delete", path, "--rows", "5,50")
    before = lineage(path)
    change("compact", path)
    assert lineage(path) == before
    for _ in range(2):
        dataset = lance.dataset(str(path))
        for i in (4, 5, 50, 51, 99, 100, 119):
            found = dataset.to_table(filter=f"id = {i}")["id"].to_pylist()
            assert found == ([] if i in (5, 50) else [i])
        dataset.optimize.optimize_indices()


def test_system_columns(scratch):
    for stable in (False, True):
        path = make(scratch / f"{stable}.lance", "pylance", enable_stable_row_ids=stable)
        change("delete", path, "--rows", "3,50")
        lance.dataset(str(path)).update({"name": "'new'"}, where="id in (4, 60)")
        lineage(path) if stable else None
        names = ["_rowid", "_rowaddr", "id"]
        out = scratch / f"{stable}.arrow"
        lancer("convert", path, out, "-c", ",".join(names), "--where", "id > 40 and _rowid % 3 = 1")
        theirs = lance.dataset(str(path)).scanner(columns=names, filter="id > 40").to_table().select(names).to_pylist()
        assert read_arrow(out).to_pylist() == [row for row in theirs if row["_rowid"] % 3 == 1]
        assert text("scan", path, "-c", "_rowid", "--limit", "1", "--json").strip() == '{"_rowid":0}'
    # A column of that name goes first.
    table = pa.table({"_rowid": ["a", "b"], "x": [1, 2]})
    try:
        lance.write_dataset(table, str(scratch / "own.lance"))
    except (OSError, ValueError):
        return  # pylance does not let one make such a table
    assert text("scan", scratch / "own.lance", "-c", "_rowid", "--json").splitlines()[0] == '{"_rowid":"a"}'
