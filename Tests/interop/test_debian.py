"""Real data: Debian's package catalogue with embeddings, both ways, whole."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import lance
import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from compare import assert_tables_equal
from lancer_cli import ROOT, lance_to_table, lancer, read_arrow, table_to_lance

EXAMPLES = ROOT / "examples"
WHOLE = Path(os.environ.get("LANCER_DEBIAN_DATA") or ROOT.parent / "shared" / "data")
PARQUET, MATRIX = WHOLE / "debian-packages.parquet", WHOLE / "debian-packages.embedding.f16.npy"
needs_whole = pytest.mark.skipif(
    not (PARQUET.exists() and MATRIX.exists()), reason="the whole catalogue is not here; set LANCER_DEBIAN_DATA to its folder"
)


def embeddings(path: Path) -> pa.Array:
    matrix = np.load(path)
    return pa.FixedSizeListArray.from_arrays(pa.array(matrix.ravel()), matrix.shape[1])


def rows_of(path: Path) -> list[dict]:
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def test_examples_are_small():
    assert sum(p.stat().st_size for p in EXAMPLES.iterdir()) <= 7_000_000


@pytest.mark.parametrize("version", ["2.1", "2.2"])
def test_json_lines_and_embeddings(version, scratch):
    path = scratch / "catalog.lance"
    vectors = EXAMPLES / "debian-5k.embedding.f16.npy"
    lancer("convert", EXAMPLES / "debian-5k.jsonl", path, "--vectors", f"embedding={vectors}", "--file-version", version)
    table = lance.dataset(str(path)).to_table()
    assert table.drop_columns(["embedding"]).to_pylist() == rows_of(EXAMPLES / "debian-5k.jsonl")
    assert table.schema.field("embedding").type == pa.list_(pa.float16(), 384)
    assert table.schema.field("size_bytes").type == pa.int64()
    assert table.schema.field("depends").type == pa.list_(pa.utf8())
    left = np.concatenate([c.values.to_numpy(zero_copy_only=False).view(np.uint16) for c in table["embedding"].chunks])
    assert np.array_equal(left, np.load(vectors).ravel().view(np.uint16))
    # Back to text.
    lancer("convert", path, scratch / "back.jsonl", "--columns", ",".join(table.column_names[:-1]))
    assert rows_of(scratch / "back.jsonl") == rows_of(EXAMPLES / "debian-5k.jsonl")
    lancer("convert", path, scratch / "back.npy", "--columns", "embedding")
    back = np.load(scratch / "back.npy")
    assert back.dtype == np.float16 and np.array_equal(back.view(np.uint16), np.load(vectors).view(np.uint16))


def test_csv(scratch):
    path = scratch / "catalog.lance"
    lancer("convert", EXAMPLES / "debian-5k.csv", path)
    table = lance.dataset(str(path)).to_table()
    expected = [{k: v for k, v in row.items() if k in table.column_names} for row in rows_of(EXAMPLES / "debian-5k.jsonl")]
    assert table.to_pylist() == expected
    lancer("convert", path, scratch / "back.csv")
    with open(EXAMPLES / "debian-5k.csv", newline="", encoding="utf-8") as a, open(scratch / "back.csv", newline="", encoding="utf-8") as b:
        assert list(csv.reader(a)) == list(csv.reader(b))


def whole_catalogue() -> pa.Table:
    return pyarrow.parquet.read_table(PARQUET).append_column("embedding", embeddings(MATRIX)).replace_schema_metadata(None)


@needs_whole
@pytest.mark.parametrize("version", ["2.1", "2.2"])
def test_the_whole_catalogue_through_arrow(version, scratch):
    table = whole_catalogue()
    assert table.num_rows == 63_664
    ours = table_to_lance(table, scratch / "ours.lance", "--file-version", version)
    dataset = lance.dataset(str(ours))
    assert_tables_equal(dataset.to_table(), table)
    theirs = scratch / "theirs.lance"
    lance.write_dataset(table, str(theirs), data_storage_version=version)
    assert_tables_equal(lance_to_table(theirs, scratch / "theirs.arrow"), table)
    (scratch / "theirs.arrow").unlink()
    rows = np.random.default_rng(1).integers(0, table.num_rows, 500).tolist()
    for path in (ours, theirs):
        (scratch / "take.arrow").unlink(missing_ok=True)
        lancer("take", path, "--rows", ",".join(map(str, rows)), "-o", scratch / "take.arrow")
        assert_tables_equal(read_arrow(scratch / "take.arrow"), table.take(rows), table_metadata=False)
    assert_tables_equal(dataset.take(rows), table.take(rows), table_metadata=False)


@needs_whole
def test_the_whole_catalogue_from_json_lines(scratch):
    table = pyarrow.parquet.read_table(PARQUET).replace_schema_metadata(None)
    with open(scratch / "all.jsonl", "w", encoding="utf-8") as out:
        for row in table.to_pylist():
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
    lancer("convert", scratch / "all.jsonl", scratch / "all.lance", "--vectors", f"embedding={MATRIX}")
    got = lance.dataset(str(scratch / "all.lance")).to_table()
    assert got.drop_columns(["embedding"]).to_pylist() == table.to_pylist()
    assert_tables_equal(got.select(["embedding"]), pa.table({"embedding": embeddings(MATRIX)}))


@needs_whole
@pytest.mark.parametrize("options", [[], ["--compression", "snappy", "--page-version", "2", "--row-group-bytes", "8MiB"]], ids=["plain", "options"])
def test_the_whole_catalogue_from_parquet_and_back(options, scratch):
    lancer("convert", PARQUET, scratch / "all.lance", "--vectors", f"embedding={MATRIX}")
    lancer("convert", scratch / "all.lance", scratch / "all.parquet", *options)
    got = pyarrow.parquet.read_table(scratch / "all.parquet", page_checksum_verification=True)
    assert got.schema.field("embedding").type == pa.list_(pa.float16(), 384)
    table = whole_catalogue()
    assert_tables_equal(got.replace_schema_metadata(None).cast(table.schema), table)
    # Through Lancer's own reader, too, and once more through Lance.
    lancer("convert", scratch / "all.parquet", scratch / "again.lance")
    assert_tables_equal(lance.dataset(str(scratch / "again.lance")).to_table(), lance.dataset(str(scratch / "all.lance")).to_table())
