"""Blob columns: bytes beside the column, in the first form (2.1) and in the second (pylance's in 2.2)."""

from __future__ import annotations

import lance
import pyarrow as pa
import pytest

from lancer_cli import CORRUPT, UNSUPPORTED, lance_to_table, lancer, read_arrow, table_to_lance

VALUES = [b"a" * 10, None, b"", b"b" * 100_000, b"c" * 90_000, b"d" * 5_000_000, b"\x00\xff"] * 3
BLOB = pa.field("b", pa.large_binary(), metadata={"lance-encoding:blob": "true"})


def blob_table(rows: list[bytes | None] = VALUES) -> pa.Table:
    schema = pa.schema([pa.field("row", pa.int64()), BLOB])
    return pa.table([pa.array(range(len(rows))), pa.array(rows, pa.large_binary())], schema=schema)


@pytest.mark.parametrize("version", ["2.1", "2.2"])
@pytest.mark.parametrize("rows", [VALUES, [None] * 5, [b""], [b"x" * 70_000], []], ids=["mixed", "nulls", "empty", "one", "none"])
def test_blobs_by_pylance(rows, version, scratch):
    theirs = scratch / "theirs.lance"
    lance.write_dataset(blob_table(rows), str(theirs), data_storage_version=version)
    back = lance_to_table(theirs, scratch / "back.arrow")
    assert back["b"].to_pylist() == rows and back["row"].to_pylist() == list(range(len(rows)))
    assert back.schema.field("b").type == pa.large_binary()
    if len(rows) > 6:
        lancer("take", theirs, "--rows", "6,3,1,3", "--columns", "b", "-o", scratch / "some.arrow")
        assert read_arrow(scratch / "some.arrow")["b"].to_pylist() == [rows[6], rows[3], None, rows[3]]
    # What was read goes back out as blobs that pylance reads.
    lancer("convert", theirs, scratch / "again.lance")
    again = lance.dataset(str(scratch / "again.lance"))
    assert again.to_table(blob_handling="all_binary")["b"].to_pylist() == rows


@pytest.mark.parametrize("version", ["2.1", "2.2"])
def test_blobs_by_lancer(version, scratch):
    table_to_lance(blob_table(), scratch / "ours.lance", "--file-version", version)
    ours = lance.dataset(str(scratch / "ours.lance"))
    assert ours.to_table(blob_handling="all_binary")["b"].to_pylist() == VALUES
    files = ours.take_blobs("b", ids=[0, 3, 5])
    assert [file.readall() for file in files] == [VALUES[0], VALUES[3], VALUES[5]]


def test_blobs_in_structs_and_pack_files(scratch):
    field = lance.blob_field("b", pack_file_size_threshold=150_000)
    payloads = lance.blob_array(VALUES)
    numbers = pa.array(range(len(VALUES)), pa.int32())
    struct = pa.StructArray.from_arrays([payloads, numbers], fields=[field, pa.field("n", pa.int32())])
    table = pa.table([struct, payloads], schema=pa.schema([pa.field("s", struct.type), field]))
    theirs = scratch / "theirs.lance"
    lance.write_dataset(table, str(theirs), data_storage_version="2.2", max_rows_per_file=8)
    back = lance_to_table(theirs, scratch / "back.arrow")
    assert back["b"].to_pylist() == VALUES
    assert back["s"].to_pylist() == [{"b": value, "n": row} for row, value in enumerate(VALUES)]


def test_blobs_elsewhere_are_refused(scratch):
    (scratch / "outside.bin").write_bytes(b"not part of the table")
    array = lance.blob_array([b"inside", f"file://{scratch}/outside.bin"])
    table = pa.table([pa.array([1, 2]), array], schema=pa.schema([pa.field("n", pa.int64()), lance.blob_field("b")]))
    lance.write_dataset(table, str(scratch / "t.lance"), data_storage_version="2.2", allow_external_blob_outside_bases=True)
    done = lancer("scan", scratch / "t.lance", status=UNSUPPORTED)
    assert b"outside the table" in done.stderr and b"outside.bin" in done.stderr
    assert lancer("scan", scratch / "t.lance", "--columns", "n").stdout


def test_lost_and_cut_blob_files(scratch):
    lance.write_dataset(blob_table(), str(scratch / "t.lance"), data_storage_version="2.2")
    files = sorted((scratch / "t.lance" / "data").rglob("*.blob"))
    assert files
    content = files[0].read_bytes()
    files[0].write_bytes(content[: len(content) // 2])
    assert b"blob" in lancer("scan", scratch / "t.lance", status=CORRUPT).stderr
    files[0].unlink()
    assert b"missing" in lancer("scan", scratch / "t.lance", status=CORRUPT).stderr


def test_the_second_form_is_not_written(scratch):
    lance.write_dataset(blob_table(), str(scratch / "t.lance"), data_storage_version="2.2")
    lancer("convert", scratch / "t.lance", scratch / "more.arrow")
    done = lancer("append", scratch / "t.lance", scratch / "more.arrow", status=UNSUPPORTED)
    assert b"second form" in done.stderr


def test_cleanup_takes_blob_files_with_their_data_file(scratch):
    path = scratch / "t.lance"
    lance.write_dataset(blob_table(), str(path), data_storage_version="2.2", max_rows_per_file=7)
    first = set(path.glob("data/**/*.blob"))
    lance.write_dataset(blob_table(), str(path), mode="overwrite", data_storage_version="2.2")
    second = set(path.glob("data/**/*.blob")) - first
    assert first and second
    lancer("cleanup", path, "--keep", 2, "--yes")
    assert set(path.glob("data/**/*.blob")) == first | second
    lancer("cleanup", path, "--keep", 1, "--yes")
    assert set(path.glob("data/**/*.blob")) == second
    assert len([entry for entry in (path / "data").iterdir() if entry.is_dir()]) == 1
    assert lance.dataset(str(path)).to_table(blob_handling="all_binary")["b"].to_pylist() == VALUES
