"""Deletes and updates by condition: the same rows and the same kind of commit as pylance makes."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from datetime import date

import lance
import pyarrow as pa
import pytest

from compare import assert_tables_equal
from lancer_cli import BINARY, UNSUPPORTED, USAGE, environment, lance_to_table, lancer, text
from predicates import Predicates, every_type

SEED = int(os.environ.get("LANCER_SEED", "20260722"))


def change(*arguments: object) -> dict:
    return json.loads(text(*arguments, "--json"))


def check(path, expected: pa.Table | None = None) -> pa.Table:
    dataset = lance.dataset(str(path))
    dataset.validate()
    theirs = dataset.to_table()
    out = path.with_suffix(".check.arrow")
    out.unlink(missing_ok=True)
    assert_tables_equal(lance_to_table(path, out), theirs)
    if expected is not None:
        assert_tables_equal(theirs, expected, table_metadata=False)
    return theirs


@pytest.mark.parametrize("stable", [False, True])
def test_random_deletes(stable, scratch):
    """On two copies of a table, one changed by Lancer and one by pylance."""
    ours, theirs = scratch / "ours.lance", scratch / "theirs.lance"
    lance.write_dataset(every_type(300, SEED), str(theirs), max_rows_per_file=70, enable_stable_row_ids=stable)
    shutil.copytree(theirs, ours)
    predicates = Predicates(SEED)
    done = 0
    while done < 25:
        condition = f"({predicates.condition(1)}) AND id % 5 = {done % 5}"
        try:
            result = lance.dataset(str(theirs)).delete(condition)
        except (OSError, ValueError):
            continue
        done += 1
        counted = change("delete", ours, "--where", condition, "--dry-run")
        assert counted["deleted"] == 0
        got = change("delete", ours, "--where", condition)
        assert got["deleted"] == counted["matched"] == result["num_deleted_rows"], f"seed {SEED}: {condition}"
        check(ours, lance.dataset(str(theirs)).to_table())
        if got["deleted"]:
            operation = lance.dataset(str(ours)).read_transaction(got["version"]).operation
            assert operation.predicate == condition


# New values and what they are for; ids are from a table of every type.
NEW_VALUES = [
    {"i32": "i32 + 1"}, {"i8": "i16"}, {"u8": "u8 + 100"}, {"f32": "f64 * 2"}, {"s": "upper(s)"}, {"s": "NULL"}, {"s": "5"},
    {"ls": "concat(s, '!')"}, {"b": "i8 > 0"}, {"d32": "'2020-02-03'"}, {"d32": "18000"}, {"tus": "'2020-02-03T04:05:06'"},
    {"utc": "tus"}, {"dec": "1.015"}, {"dec": "i8"}, {"l": "[1, 2]"}, {"bin": "'abc'"}, {"i64": "2.9"}, {"i64": "'7'"}, {"i64": "true"},
    {"st": "named_struct('k', 1, 'Y', 'x')"}, {"st": "NULL"}, {"dic": "'new'"}, {"dic": "s"},
    {"My Col": "id % 3"}, {"i64": "st.k"}, {"f64": "id / 3"}, {"u64": "id"}, {"fsl": "[1, 2]"}, {"s": "ls"}, {"tns": "TIMESTAMP '2020-01-01'"},
    {"i8": "300"}, {"u8": "-1"}, {"i32": "s"}, {"dec": "123456789.5"}, {"f64": "coalesce(f64, 0)"}, {"s": "CAST(d32 AS string)"},
]  # fmt: skip


@pytest.mark.parametrize("stable", [False, True])
def test_random_updates(stable, scratch):
    ours, theirs = scratch / "ours.lance", scratch / "theirs.lance"
    lance.write_dataset(every_type(300, SEED), str(theirs), max_rows_per_file=70, enable_stable_row_ids=stable)
    shutil.copytree(theirs, ours)
    predicates = Predicates(SEED + 1)
    rng = random.Random(SEED)
    compared = 0
    for values in NEW_VALUES * 2:
        condition = rng.choice([f"id % 7 = {rng.randint(0, 6)}", f"({predicates.condition(0)}) AND id % 3 = 1", "id < 4"])
        arguments = [part for column, value in values.items() for part in ("--set", f"{column}={value}")]
        dataset = lance.dataset(str(theirs))
        try:
            result = dataset.update(values, where=condition)["num_rows_updated"]
        except (OSError, ValueError):
            # Lancer may answer; then the copies would differ.
            continue
        counted = change("update", ours, *arguments, "--where", condition, "--dry-run")
        got = change("update", ours, *arguments, "--where", condition)
        assert got["updated"] == counted["matched"] == result, f"seed {SEED}: {values} where {condition}"
        expected = lance.dataset(str(theirs)).to_table(with_row_id=stable)
        assert_tables_equal(lance.dataset(str(ours)).to_table(with_row_id=stable), expected)
        check(ours)
        compared += 1
        if result == 0:
            continue
        mine = lance.dataset(str(ours)).read_transaction(got["version"]).operation
        other = lance.dataset(str(theirs)).read_transaction(lance.dataset(str(theirs)).version).operation
        for name in ("removed_fragment_ids", "fields_modified", "fields_for_preserving_frag_bitmap", "update_mode"):
            assert getattr(mine, name) == getattr(other, name), name
        assert [f.physical_rows for f in mine.new_fragments] == [f.physical_rows for f in other.new_fragments]
        touched = [sorted((f.id, f.num_deletions) for f in operation.updated_fragments) for operation in (mine, other)]
        assert touched[0] == touched[1]
        if stable:
            for column in ("_row_created_at_version", "_row_last_updated_at_version"):
                versions = [
                    lance.dataset(str(p)).to_table(columns=["id", column])[column].to_pylist() for p in (ours, theirs)
                ]
                offset = lance.dataset(str(theirs)).version - lance.dataset(str(ours)).version
                assert len(versions[0]) == len(versions[1]) and (offset or versions[0] == versions[1])
    assert compared > 40, compared


@pytest.mark.parametrize(
    "values, status, message",
    [
        (["nope=1"], USAGE, "nope"), (["st.k=1"], UNSUPPORTED, "st.k"), (["i8=300"], USAGE, "300"), (["i8=1", "i8=2"], USAGE, "twice"),
        (["i8=1 garbage"], USAGE, "character 3"), (["i8"], USAGE, "i8"), (["id=NULL"], None, "null"), (["I8=1"], USAGE, "I8"),
        (["i8=id / (id - 5)"], USAGE, "zero"), (["l=1"], USAGE, "character 1"), (["fsl=[1]"], USAGE, "fsl"),
    ],
)
def test_updates_that_make_no_sense(values, status, message, scratch):
    path = scratch / "t.lance"
    table = every_type(50, SEED)
    schema = table.schema.set(0, pa.field("id", pa.int64(), nullable=False))
    lance.write_dataset(table.cast(schema), str(path), max_rows_per_file=20)
    before = sorted(os.listdir(path / "data"))
    done = lancer("update", path, *[part for value in values for part in ("--set", value)], status=status)
    error = done.stderr.decode()
    assert done.returncode != 0 and message in error and len(error.strip().splitlines()) == 1, error
    assert lance.dataset(str(path)).version == 1
    assert sorted(os.listdir(path / "data")) == before


@pytest.mark.parametrize("compactor", ["lancer", "pylance"])
def test_update_after_compaction(compactor, scratch):
    """Rows that moved are found where they are now, and nothing comes back."""
    path = scratch / "t.lance"
    table = pa.table({"id": pa.array(range(200)), "v": pa.array([0] * 200)})
    lance.write_dataset(table, str(path), max_rows_per_file=20)
    change("delete", path, "--where", "id % 4 = 1")
    change("update", path, "--set", "v=v + 1", "--where", "id < 50")
    if compactor == "lancer":
        lancer("compact", path)
    else:
        lance.dataset(str(path)).optimize.compact_files()
    assert change("update", path, "--set", "v=v + 10", "--where", "id % 10 = 0")["updated"] == 20
    lance.dataset(str(path)).update({"v": "v + 100"}, where="id % 20 = 0")
    assert change("delete", path, "--where", "v >= 100 AND id < 100")["deleted"] == 5
    expected = {
        i: (i < 50) + 10 * (i % 10 == 0) + 100 * (i % 20 == 0) for i in range(200) if i % 4 != 1 and not (i % 20 == 0 and i < 100)
    }
    got = check(path)
    assert dict(zip(got["id"].to_pylist(), got["v"].to_pylist())) == expected and got.num_rows == len(expected)


def test_right_sides_see_the_row_as_it_was(scratch):
    """The reference sets one column after the other, in any order, so that a swap there copies."""
    path = scratch / "t.lance"
    lance.write_dataset(pa.table({"a": [1, 2], "b": [10, 20]}), str(path))
    change("update", path, "--set", "a=b", "--set", "b=a", "--where", "a = 1")
    assert check(path).to_pylist() == [{"a": 2, "b": 20}, {"a": 10, "b": 1}]


def test_nothing_chosen_makes_no_version(scratch):
    path = scratch / "t.lance"
    lance.write_dataset(every_type(30, SEED), str(path))
    for condition in ("id < 0", "false", "NULL", "i8 = NULL"):
        assert change("delete", path, "--where", condition) == {"version": 1, "deleted": 0, "matched": 0}
        assert change("update", path, "--set", "i8=1", "--where", condition) == {"version": 1, "updated": 0, "matched": 0}
    assert change("update", path, "--set", "i8=1")["updated"] == 30
    assert set(check(path)["i8"].to_pylist()) == {1}
    assert lance.dataset(str(path)).get_fragments()[0].fragment_id == 1


def test_increments_by_several_processes(scratch):
    path = scratch / "t.lance"
    table = pa.table({"id": pa.array(range(10)), "n": pa.array([0] * 10)})
    lance.write_dataset(table, str(path))
    script = 'for i in $(seq 6); do "$1" update "$2" --set "n=n + 1" --where "id = 3" --json || exit 1; done'
    processes = [
        subprocess.Popen(["sh", "-c", script, "sh", str(BINARY), str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment())
        for _ in range(4)
    ]
    for process in processes:
        _, error = process.communicate(timeout=120)
        assert process.returncode == 0, error.decode()
    got = check(path)
    assert got.num_rows == 10
    assert dict(zip(got["id"].to_pylist(), got["n"].to_pylist()))[3] == 24
