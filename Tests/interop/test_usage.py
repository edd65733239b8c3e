"""Mistakes in use: one line that says what, and the documented exit status."""

from __future__ import annotations

import time

import lance
import numpy as np
import pyarrow as pa
import pytest

from lancer_cli import CONFLICT, CORRUPT, UNSUPPORTED, USAGE, lancer, read_arrow, text, write_arrow
from test_tables import sample


@pytest.fixture
def table(scratch):
    lance.write_dataset(sample(100), str(scratch / "t.lance"))
    write_arrow(sample(100), scratch / "t.arrow")
    return scratch / "t.lance"


def one_line(done) -> str:
    message = done.stderr.decode().strip()
    assert len(message.splitlines()) == 1, message
    assert done.stdout == b""
    return message


@pytest.mark.parametrize("command", ["inspect", "scan", "head", "count", "versions"])
def test_a_path_that_is_not_there(command, scratch):
    message = one_line(lancer(command, scratch / "nowhere.lance", status=USAGE))
    assert "nowhere.lance" in message


def test_a_source_that_is_not_there(scratch):
    assert "nowhere.csv" in one_line(lancer("convert", scratch / "nowhere.csv", scratch / "x.lance", status=USAGE))
    assert not (scratch / "x.lance").exists()


@pytest.mark.parametrize("name", ["x.arrow", "x.csv", "x.jsonl", "x.npy"])
def test_an_empty_file(name, scratch):
    (scratch / name).write_bytes(b"")
    assert name in one_line(lancer("convert", scratch / name, scratch / "y.lance", status=CORRUPT))
    assert not (scratch / "y.lance" / "_versions").exists()


@pytest.mark.parametrize(
    "name, content, status",
    [
        # Text that cannot be read as what it is said to be …
        ("x.csv", b"\n\n", CORRUPT), ("x.csv", b"a,b\n1,2,3\n", CORRUPT), ("x.csv", b"a,b\n1\n", CORRUPT),
        ("x.csv", b'a,b\n1,"x\n', CORRUPT), ("x.csv", b'a,b\n1,"x"y\n', CORRUPT), ("x.csv", b"a\n\xff\xfe\n", CORRUPT),
        ("x.csv", b"\xff\n1\n", CORRUPT), ("x.tsv", b"a\tb\n1\n", CORRUPT),
        ("x.jsonl", b"\n \n", CORRUPT), ("x.jsonl", b'{"a":1\n', CORRUPT), ("x.jsonl", b"[1]\n", CORRUPT),
        ("x.jsonl", b'{"a":1}{"a":2}\n', CORRUPT), ("x.jsonl", b'{"a":NaN}\n', CORRUPT), ("x.npy", b"hello world", CORRUPT),
        # … and text that can, with columns that do not fit.
        ("x.csv", b"a,a\n1,2\n", USAGE), ("x.csv", b"a.b\n1\n", USAGE), ("x.jsonl", b'{"a":1}\n{"a":"x"}\n', USAGE),
        ("x.jsonl", b'{"a":1,"a":2}\n', USAGE), ("x.jsonl", b"{}\n", USAGE),
    ],
)
def test_text_that_cannot_be_a_table(name, content, status, scratch):
    (scratch / name).write_bytes(content)
    one_line(lancer("convert", scratch / name, scratch / "y.lance", status=status))
    assert not (scratch / "y.lance" / "_versions").exists()


def test_a_folder_that_is_no_dataset(scratch):
    (scratch / "t.lance").mkdir()
    assert "t.lance" in one_line(lancer("scan", scratch / "t.lance", status=USAGE))


def test_an_unknown_column(table, scratch):
    for arguments in (["scan", table], ["head", table], ["take", table, "--rows", "1"]):
        assert "prize" in one_line(lancer(*arguments, "--columns", "id,prize", status=USAGE))
    assert "s.q" in one_line(lancer("scan", table, "--columns", "s.q", status=USAGE))


def test_rows_out_of_range(table):
    for rows in ("100", "5,1000000", "18446744073709551615"):
        one_line(lancer("take", table, "--rows", rows, status=USAGE))
    assert lancer("take", table, "--rows", "a", status=USAGE).stderr


def test_an_output_that_exists(table, scratch):
    (scratch / "z.arrow").write_bytes(b"precious")
    assert "z.arrow" in one_line(lancer("convert", table, scratch / "z.arrow", status=USAGE))
    assert (scratch / "z.arrow").read_bytes() == b"precious"
    assert "t.lance" in one_line(lancer("convert", scratch / "t.arrow", table, status=USAGE))
    assert lance.dataset(str(table)).version == 1
    lancer("convert", table, scratch / "z.arrow", "--mode", "overwrite")
    assert read_arrow(scratch / "z.arrow").num_rows == 100


def test_an_append_to_another_schema(table, scratch):
    write_arrow(pa.table({"id": ["text"]}), scratch / "other.arrow")
    message = one_line(lancer("convert", scratch / "other.arrow", table, "--mode", "append", status=None))
    assert message
    assert lance.dataset(str(table)).version == 1
    assert lancer("convert", scratch / "other.arrow", table, "--mode", "append", status=None).returncode in (USAGE, CONFLICT)


def test_a_version_that_is_not_there(table):
    assert "7" in one_line(lancer("scan", table, "--version", "7", status=None))
    assert lancer("scan", table, "--version", "7", status=None).returncode in (USAGE, CORRUPT)


def test_a_file_version_lancer_does_not_write(scratch):
    write_arrow(sample(5), scratch / "x.arrow")
    for version in ("2.0", "2.3", "legacy", "9"):
        done = lancer("convert", scratch / "x.arrow", scratch / "y.lance", "--file-version", version, status=None)
        assert done.returncode in (USAGE, UNSUPPORTED) and version in done.stderr.decode()
        assert not (scratch / "y.lance").exists()


def test_an_unknown_format_or_option(scratch, table):
    assert lancer("convert", table, scratch / "x.unknown", status=USAGE).stderr
    assert lancer("convert", table, status=USAGE).stderr
    assert lancer("scan", table, "--frobnicate", status=USAGE).stderr
    assert lancer("frobnicate", status=USAGE).stderr
    assert "frobnicate" in one_line(lancer("help", "frobnicate", status=USAGE))
    lancer("help"), lancer("help", "scan"), lancer("help", "help")


def test_vectors_of_another_length(scratch):
    write_arrow(sample(10), scratch / "x.arrow")
    np.save(scratch / "v.npy", np.zeros((11, 3), dtype=np.float32))
    done = lancer("convert", scratch / "x.arrow", scratch / "y.lance", "--vectors", f"v2={scratch / 'v.npy'}", status=None)
    assert done.returncode in (USAGE, CORRUPT)
    message = one_line(done)
    assert "11" in message or "10" in message
    assert not (scratch / "y.lance" / "_versions").exists()


def test_pipes(table, scratch):
    csv = lancer("convert", table, "-", "--to", "csv", "--columns", "id,price").stdout
    assert csv.splitlines()[0] == b"id,price" and len(csv.splitlines()) == 101
    lancer("convert", "-", scratch / "p.lance", "--from", "arrows", input=write_stream(scratch))
    assert lance.dataset(str(scratch / "p.lance")).count_rows() == 100
    lancer("convert", "-", scratch / "q.lance", "--from", "csv", input=csv)
    assert lance.dataset(str(scratch / "q.lance")).count_rows() == 100


def write_stream(scratch) -> bytes:
    return write_arrow(sample(100), scratch / "stream.arrows", stream=True).read_bytes()


def test_help_and_version():
    for command in ("convert", "inspect", "scan", "head", "take", "count", "versions"):
        assert command in text("--help")
        assert "USAGE" in text(command, "--help")
    assert text("--version").strip()


def test_start_up_is_quick():
    times = []
    for _ in range(9):
        start = time.perf_counter()
        lancer("--version")
        times.append(time.perf_counter() - start)
    assert sorted(times)[4] < 0.25, times


@pytest.mark.parametrize("name", ["", "a.b", "_rowid", "_rowaddr", "_rowoffset", "_row_created_at_version"])
def test_a_column_that_pylance_could_not_read(name, scratch):
    write_arrow(pa.table({"z": [1], name: [2]}), scratch / "x.arrow")
    one_line(lancer("convert", scratch / "x.arrow", scratch / "y.lance", status=USAGE))
    assert not (scratch / "y.lance" / "_versions").exists()
    write_arrow(pa.table({"z": [1], "a": [2]}), scratch / "z.arrow")
    lancer("convert", scratch / "z.arrow", scratch / "y.lance")
    one_line(lancer("columns", "rename", scratch / "y.lance", "a", name, status=USAGE))
    assert lance.dataset(str(scratch / "y.lance")).to_table().column_names == ["z", "a"]


@pytest.mark.parametrize(
    "value", [pa.timestamp("s"), pa.date32(), pa.time64("us"), pa.duration("ms"), pa.decimal128(9, 2), pa.binary(3)], ids=str
)
def test_a_dictionary_that_pylance_could_not_read(value, scratch):
    items = pa.nulls(1, value)
    column = pa.DictionaryArray.from_arrays(pa.array([0, 0], pa.int8()), items)
    for name, array in {"flat": column, "list": pa.ListArray.from_arrays([0, 1, 2], column)}.items():
        write_arrow(pa.table({"z": [1, 2], "d": array}), scratch / f"{name}.arrow")
        message = one_line(lancer("convert", scratch / f"{name}.arrow", scratch / f"{name}.lance", status=UNSUPPORTED))
        assert "dictionary" in message
        assert not (scratch / f"{name}.lance" / "_versions").exists()
