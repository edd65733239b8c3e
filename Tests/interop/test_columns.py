"""Columns added, retyped and left out by Lancer, read by both; against what pylance does with the same table."""

from __future__ import annotations

import random
from pathlib import Path

import lance
import numpy as np
import pyarrow as pa
import pytest

from lancer_cli import USAGE, lancer, table_to_lance, text, write_arrow
from test_changes import change, check, field_ids, make, rows


def data_files(path: Path) -> set[str]:
    return {f.name for f in (path / "data").iterdir()}


@pytest.mark.parametrize("writer", ["lancer", "pylance"])
@pytest.mark.parametrize("stable", [False, True])
def test_expressions(writer, stable, scratch):
    path = make(scratch / "t.lance", writer, enable_stable_row_ids=stable)
    change("delete", path, "--rows", "0,5-9,38-41,99")
    other = scratch / "other.lance"
    lance.write_dataset(rows(100), str(other), max_rows_per_file=40, enable_stable_row_ids=stable)
    ids = lance.dataset(str(path)).to_table()["id"].to_pylist()
    lance.dataset(str(other)).delete(f"id not in ({', '.join(map(str, ids))})")
    before = data_files(path)
    expressions = {"twice": "id * 2", "text": "concat(name, '!')", "x": "s.x", "half": "cast(id as double) / 2.0", "one": "1", "odd": "id % 2 = 1"}
    result = change("columns", "add", path, *[f"{name}={value}" for name, value in expressions.items()])
    assert result["added"] == list(expressions)
    lance.dataset(str(other)).add_columns(expressions)
    theirs = lance.dataset(str(other)).to_table()
    ours = check(path)
    assert ours.to_pylist() == theirs.to_pylist()
    # pylance calls literals not null, Lancer lets every new column be null.
    assert [f.type for f in ours.schema] == [f.type for f in theirs.schema]
    assert before < data_files(path) and len(data_files(path) - before) == len(lance.dataset(str(path)).get_fragments())
    if stable:
        columns = ["id", "_rowid", "_row_created_at_version", "_row_last_updated_at_version"]
        ours = lance.dataset(str(path)).to_table(columns=columns)
        theirs = lance.dataset(str(other)).to_table(columns=columns)
        assert ours.to_pylist() == theirs.to_pylist()
    # Both go on with it.
    change("delete", path, "--rows", "3")
    dataset = lance.dataset(str(path))
    dataset.update({"twice": "7"}, where="id = 20")
    dataset.add_columns({"thrice": "id * 3"})
    change("columns", "add", path, "more=thrice + twice")
    change("compact", path)
    after = check(path)
    assert after["more"].to_pylist() == [a + b for a, b in zip(after["twice"].to_pylist(), after["thrice"].to_pylist())]
    lance.dataset(str(path)).optimize.compact_files()
    check(path)


def test_wrong_expressions(scratch):
    path = make(scratch / "t.lance", "lancer")
    version = lance.dataset(str(path)).version
    before = data_files(path)
    assert "id" in lancer("columns", "add", path, "id=1", status=USAGE).stderr.decode()
    assert "nothing" in lancer("columns", "add", path, "x=nothing + 1", status=USAGE).stderr.decode()
    lancer("columns", "add", path, "x=id +", status=USAGE)
    lancer("columns", "add", path, "x=id / (id - 50)", status=USAGE)
    lancer("columns", "add", path, "a.b=id", status=USAGE)
    lancer("columns", "add", path, "x=1", "x=2", status=USAGE)
    lancer("columns", "add", path, "x", status=USAGE)
    lancer("columns", "add", path, status=USAGE)
    lancer("columns", "add", path, "x=1", "--from", "f.csv", status=USAGE)
    assert lance.dataset(str(path)).version == version
    assert data_files(path) == before
    assert change("columns", "add", path, "n=NULL", "c=cast(null as int)")["added"] == ["n", "c"]
    assert check(path)["c"].null_count == 100


@pytest.mark.parametrize("writer", ["lancer", "pylance"])
def test_columns_from_a_file(writer, scratch):
    path = make(scratch / "t.lance", writer)
    change("delete", path, "--rows", "0,5-9,38-41,99")
    count = lance.dataset(str(path)).count_rows()
    rng = random.Random(3)
    new = pa.table(
        {
            "v": pa.array([[rng.random()] * 3 for _ in range(count)], pa.list_(pa.float32(), 3)),
            "t": [None if rng.random() < 0.2 else f"t{i}" for i in range(count)],
            "n": pa.array(range(count), pa.int32()),
            "l": [list(range(rng.randrange(4))) for _ in range(count)],
            "s2": [{"a": i, "b": {"c": str(i)}} for i in range(count)],
        }
    )
    schema = new.schema.set(2, pa.field("n", pa.int32(), nullable=False))
    new = new.cast(schema)
    expected = check(path)
    for field, column in zip(new.schema, new.columns):
        expected = expected.append_column(field, column)
    write_arrow(new, scratch / "new.arrow")
    assert change("columns", "add", path, "--from", scratch / "new.arrow")["added"] == new.column_names
    after = check(path, expected)
    assert not after.schema.field("n").nullable
    # Only some columns, from text, and from standard input.
    (scratch / "more.csv").write_text("p,q\n" + "".join(f"{i},{i}x\n" for i in range(count)))
    change("columns", "add", path, "--from", scratch / "more.csv", "-c", "q")
    assert check(path)["q"].to_pylist() == [f"{i}x" for i in range(count)]
    body = "".join(f'{{"j": {i}}}\n' for i in range(count)).encode()
    lancer("columns", "add", path, "--from", "-", "--format", "jsonl", "--schema", "j: int16", input=body)
    assert check(path)["j"].type == pa.int16()
    # pylance adds its own.
    lance.dataset(str(path)).add_columns(pa.table({"theirs": list(range(count))}).to_reader())
    check(path)
    before = data_files(path)
    for rows_given in (0, count - 1, count + 1):
        write_arrow(pa.table({"k": pa.array(range(rows_given), pa.int64())}), scratch / f"{rows_given}.arrow")
        message = lancer("columns", "add", path, "--from", scratch / f"{rows_given}.arrow", status=USAGE).stderr.decode()
        assert ("more rows" if rows_given > count else f"{rows_given} rows") in message
    lancer("columns", "add", path, "--from", scratch / "new.arrow", status=USAGE)
    assert data_files(path) == before
    change("compact", path)
    check(path)


def test_a_race_with_an_append_is_run_again(scratch):
    # Computed columns are computed for the rows of others, too.
    path = make(scratch / "t.lance", "pylance")
    stale = lance.dataset(str(path))
    change("columns", "add", path, "twice=id * 2")
    stale.insert(rows(3, 100))
    after = check(path)
    assert after["twice"].to_pylist()[-4:] == [198, None, None, None]


CASTS = [
    (pa.int64(), pa.int32(), "int32", [1, None, -5]),
    (pa.int64(), pa.int8(), "int8", [1, None, 127]),
    (pa.int32(), pa.int64(), "int64", [1, None, 2]),
    (pa.float32(), pa.float64(), "float64", [1.5, None, 1e30]),
    (pa.float64(), pa.float32(), "float32", [1.5, None, 3.25]),
    (pa.string(), pa.large_string(), "large_string", ["a", None, "ccc"]),
    (pa.list_(pa.int32()), pa.list_(pa.int64()), "list<int64>", [[1, 2], None, []]),
    (pa.list_(pa.float32(), 2), pa.list_(pa.float16(), 2), "fixed_size_list<float16>[2]", [[1.5, 2], None, [0, 1]]),
    (pa.date32(), pa.timestamp("us"), "timestamp[us]", [1, None, -3]),
    (pa.timestamp("us"), pa.timestamp("ns"), "timestamp[ns]", [1, None, 3]),
]


@pytest.mark.parametrize("case", CASTS, ids=lambda case: f"{case[0]} to {case[1]}")
def test_retype_as_pylance_does(case, scratch):
    before, after, name, values = case
    table = pa.table({"id": [0, 1, 2], "a": pa.array(values, before), "z": ["x", "y", "z"]})
    ours, theirs = scratch / "ours.lance", scratch / "theirs.lance"
    for path in (ours, theirs):
        lance.write_dataset(table, str(path), max_rows_per_file=2)
    change("columns", "retype", ours, "a", name)
    lance.dataset(str(theirs)).alter_columns({"path": "a", "data_type": after})
    expected = lance.dataset(str(theirs)).to_table()
    check(ours, expected)
    assert field_ids(ours) == field_ids(theirs)
    files = lambda path: [[f.fields for f in fragment.metadata.files] for fragment in lance.dataset(str(path)).get_fragments()]
    assert files(ours) == files(theirs)
    write_arrow(expected, scratch / "more.arrow")
    lancer("append", ours, scratch / "more.arrow")
    change("compact", ours)
    check(ours, pa.concat_tables([expected, expected]))


def test_retype_more_than_pylance(scratch):
    path = make(scratch / "t.lance", "pylance")
    change("delete", path, "--rows", "0,7,8,99")
    change("columns", "retype", path, "s.x", "string")
    change("columns", "retype", path, "id", "float64")
    after = check(path)
    assert after["s"].to_pylist()[5] == {"x": "6", "y": "6"} and after["id"].to_pylist()[5] == 6.0
    ids = field_ids(path)
    assert len(ids) == len(set(ids))
    before = data_files(path)
    assert "name" in lancer("columns", "retype", path, "name", "int32", status=USAGE).stderr.decode()
    lancer("columns", "retype", path, "name", "list<int8>", status=5)
    lancer("columns", "retype", path, "none", "int8", status=USAGE)
    assert data_files(path) == before
    version = lance.dataset(str(path)).version
    assert change("columns", "retype", path, "id", "float64")["version"] == version
    dataset = lance.dataset(str(path))
    dataset.create_scalar_index("id", "BTREE")
    assert "index" in lancer("columns", "retype", path, "id", "int64", status=USAGE).stderr.decode()


def test_a_stale_append_after_a_retype_is_not_read_as_null(scratch):
    path = make(scratch / "t.lance", "lancer")
    change("columns", "retype", path, "id", "int32")
    write_arrow(rows(2, 100), scratch / "old.arrow")
    lancer("append", path, scratch / "old.arrow", status=USAGE)
    assert check(path).num_rows == 100


def test_appends_with_other_columns(scratch):
    table = pa.table(
        {
            "id": pa.array([1, 2], pa.int64()),
            "a": ["x", None],
            "b": [1.5, 2.5],
            "s": [{"p": 1, "q": {"u": "1", "v": 1}}, None],
            "l": [[{"m": 1, "n": "1"}], []],
        },
    )
    table = table.set_column(0, pa.field("id", pa.int64(), nullable=False), table["id"])
    path = scratch / "t.lance"
    lance.write_dataset(table, str(path))
    # Another order at every level, and columns and fields left out.
    given = [
        pa.table({"b": [3.5], "id": [3], "a": ["y"]}),
        pa.table({"id": [4], "s": [{"q": {"v": 4, "u": "4"}, "p": 4}], "l": [[{"n": "4", "m": 4}, {"n": "5", "m": 5}]]}),
        pa.table({"id": [5], "s": [{"q": {"v": 5}}], "l": [[{"n": "6"}]]}),
        pa.table({"id": [6, 7], "s": [None, {"p": 7}], "l": [None, [None]]}, schema=pa.schema([
            ("id", pa.int64()), ("s", pa.struct([("p", pa.int64())])), ("l", pa.list_(pa.struct([("m", pa.int64())])))])),
        pa.table({"id": [8]}),
    ]
    expected = table.to_pylist()
    for number, part in enumerate(given):
        file = scratch / f"{number}.arrow"
        write_arrow(part, file)
        lancer("append", path, file)
        for row in part.to_pylist():
            whole = {name: row.get(name) for name in table.column_names}
            if whole["s"] is not None:
                q = whole["s"].get("q")
                whole["s"] = {"p": whole["s"].get("p"), "q": q and {"u": q.get("u"), "v": q.get("v")}}
            if whole["l"] is not None:
                whole["l"] = [item and {"m": item.get("m"), "n": item.get("n")} for item in whole["l"]]
            expected.append(whole)
        assert check(path).to_pylist() == expected
    change("compact", path)
    check(path)
    assert lance.dataset(str(path)).to_table().to_pylist() == expected


def test_appends_that_do_not_fit(scratch):
    path = scratch / "t.lance"
    schema = pa.schema([pa.field("id", pa.int64(), nullable=False), ("a", pa.string())])
    lance.write_dataset(pa.table({"id": [1], "a": ["x"]}, schema=schema), str(path))
    bad = {
        "must not be null": pa.table({"a": ["y"]}),
        "not in the table": pa.table({"id": [2], "c": [1]}),
        "two columns": pa.Table.from_arrays([pa.array([2]), pa.array(["x"]), pa.array(["y"])], names=["id", "a", "a"]),
        "in the table": pa.table({"id": [2], "a": [1]}),
    }
    for message, table in bad.items():
        file = scratch / "bad.arrow"
        file.unlink(missing_ok=True)
        write_arrow(table, file)
        assert message in lancer("append", path, file, status=USAGE).stderr.decode()
    two = pa.Table.from_arrays([pa.array([2]), pa.array([3])], names=["x", "x"])
    write_arrow(two, scratch / "two.arrow")
    assert "two columns" in lancer("convert", scratch / "two.arrow", scratch / "u.lance", status=USAGE).stderr.decode()
    assert check(path).num_rows == 1
