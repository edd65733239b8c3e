"""Conditions: the same rows as pylance, whatever the types, nulls and fragments."""

from __future__ import annotations

import json
import os
import random
from datetime import datetime, timedelta, timezone

import lance
import pyarrow as pa
import pytest

from compare import assert_tables_equal
from conftest import FULL
from lancer_cli import USAGE, lancer, read_arrow, text, write_arrow
from predicates import Predicates, every_type

SEED = int(os.environ.get("LANCER_SEED", "20260721"))


def every_type_table(path, writer: str):
    """Several fragments, some with deleted rows, one of rows that were moved by an update."""
    table = every_type(400, SEED)
    if writer == "pylance":
        lance.write_dataset(table, str(path), max_rows_per_file=90)
    else:
        lancer("convert", write_arrow(table, path.with_suffix(".arrow")), path, "--max-rows-per-file", 90)
    dataset = lance.dataset(str(path))
    dataset.delete("id % 7 = 3 OR id BETWEEN 91 AND 170")
    dataset.update({"i32": "i32 + 1"}, where="id BETWEEN 200 AND 215 AND i32 < 100")
    return lance.dataset(str(path))


def chosen(path, condition: str, out) -> list[int] | None:
    """The ids that Lancer gives, None when it refuses the condition."""
    out.unlink(missing_ok=True)
    done = lancer("scan", path, "--where", condition, "-c", "id", "-o", out, status=None)
    if done.returncode != 0:
        assert done.returncode in (USAGE, 5), f"status {done.returncode} for {condition}: {done.stderr.decode()}"
        return None
    return read_arrow(out)["id"].to_pylist()


def compare_random(path, dataset, conditions: list[str], scratch) -> dict[str, int]:
    figures = {"same": 0, "rows": 0, "both refuse": 0, "only Lancer answers": 0}
    differences = []
    out = scratch / "out.arrow"
    for condition in conditions:
        try:
            expected = dataset.to_table(columns=["id"], filter=condition)["id"].to_pylist()
        except BaseException as error:  # A panic of the library is no Exception.
            if isinstance(error, (KeyboardInterrupt, SystemExit)):
                raise
            expected = None
        ours = chosen(path, condition, out)
        if expected is None:
            figures["both refuse" if ours is None else "only Lancer answers"] += 1
            continue
        if ours != expected:
            differences.append(f"{condition}\n  Lancer {ours}\n  pylance {expected}")
            continue
        figures["same"] += 1
        figures["rows"] += len(expected)
    assert not differences, f"seed {SEED}: {len(differences)} of {len(conditions)} conditions:\n" + "\n".join(differences[:20])
    return figures


@pytest.mark.parametrize("writer", ["pylance", "lancer"])
def test_random_conditions(writer, scratch):
    path = scratch / "t.lance"
    dataset = every_type_table(path, writer)
    count = 2000 if FULL else 170
    predicates = Predicates(SEED + (writer == "lancer"))
    figures = compare_random(path, dataset, [predicates.condition() for _ in range(count)], scratch)
    print(f"seed {SEED}: {count} conditions: {figures}")
    assert figures["same"] > count * 0.7


@pytest.mark.parametrize("stable", [False, True])
def test_system_columns(stable, scratch):
    """Of a table whose rows were deleted, moved by updates, added to and compacted."""
    path = scratch / "t.lance"
    table = pa.table({"id": pa.array(range(120), pa.int64()), "v": pa.array([i % 9 for i in range(120)])})
    dataset = lance.write_dataset(table, str(path), max_rows_per_file=25, enable_stable_row_ids=stable)
    dataset.delete("id % 6 = 1")
    dataset.update({"v": "v + 1"}, where="id % 8 = 2")
    lancer("update", path, "--set", "v=v + 100", "--where", "id % 10 = 4")
    conditions = ["_rowid < 40", "_rowid IN (4, 14, 20)", "_rowid % 4 = 2 AND v > 2", "_rowaddr > 4294967296", "_ROWID > 100"]
    conditions += [f"_row_created_at_version {op} {n}" for op in ("=", ">") for n in (1, 2, 3, 4)]
    conditions += [f"_row_last_updated_at_version {op} {n}" for op in ("=", "<") for n in (1, 2, 3, 4, 5)]
    for step in range(3):
        dataset = lance.dataset(str(path))
        if not stable and step > 0:
            # The reference and Lancer both number rows by address then.
            conditions = conditions[:5]
        figures = compare_random(path, dataset, conditions, scratch)
        assert figures["same"] >= len(conditions) - (0 if stable else 18), figures
        if step == 0:
            dataset.insert(pa.table({"id": pa.array(range(200, 230), pa.int64()), "v": [1] * 30}))
        elif step == 1:
            lancer("compact", path)


def test_columns_in_files_of_their_own(scratch):
    """Added, renamed, cast, dropped and all-null columns; some fragments lack their file."""
    path = scratch / "t.lance"
    schema = pa.schema([("id", pa.int64()), ("v", pa.int32()), ("st", pa.struct([("a", pa.int32()), ("b", pa.string())]))])
    rows = lambda start: pa.table({"id": range(start, start + 40), "v": [i % 7 for i in range(40)], "st": [{"a": i, "b": str(i)} for i in range(40)]}, schema)
    dataset = lance.write_dataset(rows(0), str(path), max_rows_per_file=15)
    dataset.add_columns({"w": "v * 2", "t": "concat('x', CAST(id AS string))"})
    dataset.add_columns(pa.schema([("n", pa.float64()), ("l", pa.list_(pa.int8()))]))
    dataset.alter_columns({"path": "v", "name": "vv", "data_type": pa.int64()})
    dataset.drop_columns(["st.a"])
    added = pa.table({"id": [100, 101], "vv": [1, None], "st": [{"b": "z"}, None], "w": [1, 2], "t": ["x", None], "n": [0.5, None], "l": [[1], None]})
    dataset.insert(added.cast(dataset.schema))
    dataset.delete("id % 5 = 0")
    dataset = lance.dataset(str(path))
    conditions = ["w = 4", "vv * 2 = w", "n IS NULL", "n > 0 OR l IS NOT NULL", "st.b > '2' AND t LIKE 'x3%'", "st IS NULL", "array_has(l, 1)"]
    figures = compare_random(path, dataset, conditions, scratch)
    assert figures["same"] == len(conditions), figures
    for condition in conditions:
        out = scratch / "all.arrow"
        lancer("scan", path, "--where", condition, "-o", out, "--overwrite")
        assert_tables_equal(read_arrow(out), dataset.to_table(filter=condition))


# Number of rows, condition: the table of 60 rows that the reference's dialect is documented with.
def documented_table() -> pa.Table:
    rows = range(60)
    nan, inf = float("nan"), float("inf")
    start = datetime(2020, 1, 1)
    lists = lambda i: [None, [], [i % 4, None]][i % 6] if i % 6 < 3 else [i % 4, i % 5]
    return pa.table(
        {
            "id": pa.array(rows, pa.int64()),
            "i": pa.array([None if i % 7 == 3 else (i * 37) % 41 - 20 for i in rows], pa.int32()),
            "u": pa.array([None if i % 11 == 5 else (i * 29) % 256 for i in rows], pa.uint8()),
            "f": pa.array([[0.0, -0.0, 1.5, -1.5, nan, inf, -inf, 0.1, None][i % 9] for i in rows], pa.float64()),
            "g": pa.array([None if i % 9 == 4 else i / 10 for i in rows], pa.float32()),
            "b": pa.array([None if i % 5 == 0 else i % 2 == 0 for i in rows]),
            "s": pa.array([["", "abc", "ABC", "a_c", "a%c", "héllo", "日本", None][i % 8] for i in rows]),
            "d": pa.array([None if i % 6 == 5 else (start + timedelta(days=i)).date() for i in rows], pa.date32()),
            "t": pa.array([None if i % 6 == 2 else start + timedelta(hours=i) for i in rows], pa.timestamp("us")),
            "l": pa.array([lists(i) for i in rows], pa.list_(pa.int32())),
            "st": pa.array([None if i % 12 == 6 else {"k": i % 5, "Y": "pqr"[i % 3]} for i in rows]),
            "My Col": pa.array([i % 3 for i in rows], pa.int16()),
        }
    )


@pytest.fixture
def documented(scratch):
    path = scratch / "t.lance"
    lance.write_dataset(documented_table(), str(path), max_rows_per_file=17)
    return path


@pytest.mark.parametrize(
    "condition",
    [
        "i = 1 OR i = 2 AND id < 10", "NOT (i BETWEEN NULL AND 0)", "i IN (1, NULL)", "i NOT IN (1, NULL)", "f > 1", "g = 0.1",
        "(g = 0.1) IS TRUE", "s LIKE 'a\\_c'", "s ILIKE 'ABC'", "regexp_match(s, '[A-Z]')", "st.k = 1", "`My Col` = 1",
        "NOT array_has(l, 1)", "l[2] IS NULL", "t > DATE '2020-01-02'", "id = 17 AND 10 / i = 2", "ID < 5", "id < 10 -- comment",
        "-i = 5", "_rowid IN (1, 3) AND b IS NOT NULL", "_row_created_at_version = 1",
    ],
)
def test_counts_scans_and_windows(documented, condition, scratch):
    dataset = lance.dataset(str(documented))
    dataset.delete("id % 10 = 8")
    dataset = lance.dataset(str(documented))
    expected = dataset.to_table(filter=condition)
    out = scratch / "all.arrow"
    lancer("scan", documented, "--where", condition, "-o", out)
    assert_tables_equal(read_arrow(out), expected)
    assert text("count", documented, "--where", condition).strip() == str(expected.num_rows)
    for offset, limit in [(0, 3), (2, 4), (expected.num_rows, 1)]:
        out = scratch / f"{offset}.arrow"
        window = ("--offset", offset, "--limit", limit, "-c", "s,id", "-o", out, "--overwrite")
        lancer("scan", documented, "--where", condition, *window)
        theirs = dataset.to_table(columns=["s", "id"], filter=condition, offset=offset, limit=limit)
        assert read_arrow(out).to_pylist() == theirs.to_pylist()


@pytest.mark.parametrize(
    "condition, message",
    [
        ("i = 1 garbage", "character 7"), ("i = ", "character 5"), ("nope = 1", "nope"), ("i", "true or false"), ("s = 1", "s"),
        ("i = 1)", "character 6"), ("i = 1, 2", "character 6"), ("", "empty"), ("id / 0 = 1", "zero"), ("lower(i, 2) = 'x'", "lower"),
    ],
)
def test_conditions_that_make_no_sense(documented, condition, message):
    for command in (["scan"], ["count"], ["head"], ["delete"], ["delete", "--dry-run"], ["update", "--set", "i=1"]):
        done = lancer(*command, documented, "--where", condition, status=None)
        error = done.stderr.decode()
        assert done.returncode in (USAGE, 3) and message in error and len(error.strip().splitlines()) == 1, error
    assert lance.dataset(str(documented)).version == 1


def test_row_numbers(documented, scratch):
    lancer("delete", documented, "--where", "id % 3 = 0")
    left = [i for i in range(60) if i % 3]
    assert chosen(documented, "_rowoffset IN (0, 7, 39) OR _ROWOFFSET = 20", scratch / "o.arrow") == [left[n] for n in (0, 7, 20, 39)]


def test_files_of_other_formats(scratch):
    table = documented_table().select(["id", "i", "s", "f"])
    path = write_arrow(table, scratch / "t.arrow")
    csv = scratch / "t.csv"
    lancer("convert", path, csv)
    out = scratch / "out.arrow"
    for source in (path, csv):
        lancer("scan", source, "--where", "i > 3 AND s LIKE 'a%'", "-c", "id,s", "--limit", 4, "-o", out, "--overwrite")
        mask = [i is not None and i > 3 and s is not None and s.startswith("a") for i, s in zip(*map(pa.ChunkedArray.to_pylist, (table["i"], table["s"])))]
        assert read_arrow(out)["id"].to_pylist() == table["id"].filter(pa.array(mask)).to_pylist()[:4]
        assert text("count", source, "--where", "i > 3 AND s LIKE 'a%'").strip() == str(sum(mask))
        assert text("head", source, "--where", "id = 59", "-c", "id", "--json") == '{"id":59}\n'
    lancer("convert", path, scratch / "some.lance", "--where", "id >= 50")
    assert lance.dataset(str(scratch / "some.lance")).count_rows() == 10


def test_zones_are_compared_with_literals(scratch):
    """A literal is wall clock of the column's zone; columns are compared by instant."""
    instants = [datetime(2020, 3, 8, h, 30, tzinfo=timezone.utc) for h in range(24)] + [None]
    instants += [datetime(2020, 11, 1, h, 30, tzinfo=timezone.utc) for h in range(24)]
    zones = ["UTC", "America/New_York", "+05:30", "Europe/Berlin"]
    table = pa.table({"id": pa.array(range(len(instants)))} | {f"z{n}": pa.array(instants, pa.timestamp("ms", tz=z)) for n, z in enumerate(zones)})
    path = scratch / "t.lance"
    dataset = lance.write_dataset(table, str(path))
    literals = ["'2020-03-08 03:30:00'", "'2020-11-01 01:30:00'", "'2020-11-01T05:30:00Z'", "'2020-03-08 02:30:00'", "'2020-03-08T03:30:00+02:00'"]
    conditions = [f"z{n} {op} TIMESTAMP {literal}" for n in range(4) for op in ("=", "<", ">=") for literal in literals]
    conditions += [f"z{n} = z{m}" for n in range(4) for m in range(n)]
    conditions += [f"date_part('hour', z{n}) = 3" for n in range(4)] + [f"date_part('day', z{n}) = 1" for n in range(4)]
    figures = compare_random(path, dataset, conditions, scratch)
    assert figures["same"] > 50, figures
