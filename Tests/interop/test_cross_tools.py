"""Other tools at work on tables Lancer wrote."""

from __future__ import annotations

import json
from pathlib import Path

import lance
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from cases import Case
from compare import assert_tables_equal
from lancer_cli import lance_to_table, lancer, read_arrow, table_to_lance, write_arrow
from test_tables import check_reading, sample


@pytest.fixture
def vectors(scratch):
    """A table by Lancer with something to index."""
    rng = np.random.default_rng(11)
    rows = 3000
    table = pa.table(
        {
            "id": pa.array(np.arange(rows, dtype=np.int64)),
            "group": pa.array([f"g{i % 13}" for i in range(rows)]),
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(rng.standard_normal(rows * 32).astype(np.float32)), 32),
        }
    )
    return table, table_to_lance(table, scratch / "v.lance", batch_rows=1000)


@pytest.mark.parametrize("version", ["2.1", "2.2"])
def test_pylance_works_on_a_table_lancer_made(version, scratch):
    table = sample(6000)
    path = table_to_lance(table, scratch / "t.lance", "--file-version", version, batch_rows=2000)
    dataset = lance.dataset(str(path))
    dataset.validate()
    assert dataset.count_rows() == 6000
    lance.write_dataset(sample(1000, 5), str(path), mode="append")
    dataset = lance.dataset(str(path))
    check_reading(dataset, path, scratch)
    dataset.delete("id % 4 = 0")
    check_reading(dataset, path, scratch)
    dataset.update({"name": "'changed'"}, where="id = 5")
    check_reading(dataset, path, scratch)
    dataset.optimize.compact_files(target_rows_per_fragment=100_000)
    assert len(dataset.get_fragments()) == 1
    check_reading(dataset, path, scratch)
    dataset.restore() if dataset.version == 1 else lance.dataset(str(path), version=1).restore()
    check_reading(lance.dataset(str(path)), path, scratch)
    assert_tables_equal(lance.dataset(str(path)).to_table(), table)


def test_merge_insert_by_pylance(scratch):
    path = table_to_lance(sample(2000), scratch / "t.lance")
    dataset = lance.dataset(str(path))
    dataset.merge_insert("id").when_matched_update_all().when_not_matched_insert_all().execute(sample(2500, 7).take(list(range(1500, 2500))))
    dataset = lance.dataset(str(path))
    assert dataset.count_rows() == 2500
    check_reading(dataset, path, scratch)


def test_pylance_indexes_a_table_lancer_made(vectors, scratch):
    table, path = vectors
    dataset = lance.dataset(str(path))
    dataset.create_index("vector", "IVF_PQ", num_partitions=4, num_sub_vectors=8)
    dataset.create_scalar_index("id", "BTREE")
    dataset.create_scalar_index("group", "BITMAP")
    check_reading(dataset, path, scratch)
    query = table["vector"][77].values.to_numpy()
    found = dataset.to_table(nearest={"column": "vector", "q": query, "k": 1, "nprobes": 4, "refine_factor": 5}, columns=["id"])
    assert found["id"].to_pylist() == [77]
    assert dataset.to_table(filter="id = 2999")["group"].to_pylist() == [f"g{2999 % 13}"]
    # Lancer appends to the indexed table; the indices stay and pylance finds old and new rows.
    more = table.slice(0, 10).set_column(0, "id", pa.array(range(10_000, 10_010), pa.int64()))
    write_arrow(more, scratch / "more.arrow")
    lancer("convert", scratch / "more.arrow", path, "--mode", "append")
    dataset = lance.dataset(str(path))
    assert len(dataset.list_indices()) == 3
    assert dataset.to_table(filter="id = 10003 or id = 3").num_rows == 2
    check_reading(dataset, path, scratch)
    dataset.optimize.optimize_indices()
    check_reading(lance.dataset(str(path)), path, scratch)


def test_lancedb_reads_searches_and_adds(vectors, scratch):
    import lancedb

    table, path = vectors
    database = lancedb.connect(str(path.parent))
    opened = database.open_table("v")
    assert_tables_equal(opened.to_arrow(), table)
    assert opened.count_rows("id > 2000") == 999
    query = table["vector"][5].values.to_numpy()
    assert opened.search(query).limit(1).to_list()[0]["id"] == 5
    opened.add(table.slice(0, 3))
    dataset = lance.dataset(str(path))
    assert dataset.count_rows() == 3003
    check_reading(dataset, path, scratch)
    # And the other way: a table LanceDB made.
    database.create_table("made", table)
    assert_tables_equal(lance_to_table(path.parent / "made.lance", scratch / "made.arrow"), table)


@pytest.fixture(scope="session")
def duck():
    import duckdb
    import duckdb_extension_lance

    extension = next(Path(duckdb_extension_lance.__file__).parent.glob("extensions/*/lance.duckdb_extension"))
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    connection.execute(f"load '{extension}'")
    yield connection
    connection.close()


@pytest.mark.parametrize("version", ["2.1", "2.2"])
def test_duckdb_reads(version, duck, scratch):
    table = sample(5000)
    path = table_to_lance(table, scratch / "t.lance", "--file-version", version)
    assert duck.execute(f"select count(*), sum(id), max(name) from '{path}'").fetchone() == (5000, 4999 * 2500, "row 999 of 5000")
    columns = ["id", "price", "name", "tags", "s"]
    got = duck.execute(f"select {', '.join(columns)} from '{path}' order by id").fetch_arrow_table()
    assert got.to_pylist() == table.select(columns).to_pylist()
    assert duck.execute(f"select id from '{path}' where s.x = 1234").fetchall() == [(1234,)]
    assert duck.execute(f"select v[3] from '{path}' where id = 7").fetchone()[0] == table["v"][7].as_py()[2]


@pytest.mark.parametrize("name", ["utf8/low", "int64/full", "float32/full", "decimal128/full", "struct/full", "list-int32/full", "fsl-float32x64/full", "bool/runs"])
def test_duckdb_reads_types(name, duck, scratch):
    type_name, shape = name.split("/")
    table = Case(type_name, shape, 1000, "2.2").table()
    path = table_to_lance(table, scratch / "t.lance")
    theirs = scratch / "theirs.lance"
    lance.write_dataset(table, str(theirs))
    query = "select * from '{}' order by row"
    assert str(duck.execute(query.format(path)).fetchall()) == str(duck.execute(query.format(theirs)).fetchall())


def test_polars_reads(scratch):
    import polars

    table = sample(5000).drop_columns(["v"])
    path = table_to_lance(table, scratch / "t.lance")
    frame = polars.scan_pyarrow_dataset(lance.dataset(str(path)))
    assert frame.select(polars.len()).collect().item() == 5000
    assert frame.filter(polars.col("id") == 4321).select("name").collect().item() == table["name"][4321].as_py()
    assert polars.from_arrow(lance.dataset(str(path)).to_table()).equals(polars.from_arrow(table))
    # The Arrow files Lancer exports.
    lancer("convert", path, scratch / "t.arrow")
    assert polars.read_ipc(scratch / "t.arrow").equals(polars.from_arrow(table))


def test_pyarrow_reads_what_lancer_exports(scratch):
    table = sample(3000)
    path = table_to_lance(table, scratch / "t.lance")
    lancer("convert", path, scratch / "t.arrow")
    assert_tables_equal(read_arrow(scratch / "t.arrow"), table)
    lancer("convert", path, scratch / "t.csv", "--columns", "id,price,name")
    got = pyarrow.csv.read_csv(scratch / "t.csv", convert_options=pyarrow.csv.ConvertOptions(strings_can_be_null=True))
    assert got["id"].to_pylist() == table["id"].to_pylist()
    assert got["price"].to_pylist() == table["price"].to_pylist()
    assert got["name"].to_pylist() == table["name"].to_pylist()
    lancer("convert", path, scratch / "t.jsonl", "--columns", "id,price,name,tags,s")
    lines = [json.loads(line) for line in (scratch / "t.jsonl").read_text().splitlines()]
    assert lines == table.select(["id", "price", "name", "tags", "s"]).to_pylist()


def test_pytorch_style_batches(vectors):
    table, path = vectors
    seen = 0
    for batch in lance.dataset(str(path)).to_batches(columns=["vector"], batch_size=256):
        seen += batch.num_rows
    assert seen == table.num_rows
