"""What the `lancer` command promises: formats, exit statuses, one-line errors, files that appear only when complete."""

from __future__ import annotations

import csv
import datetime
import io
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from lancer_cli import BINARY, CORRUPT, UNSUPPORTED, USAGE, lancer, read_arrow, text, write_arrow

ROWS = 25


@pytest.fixture
def table() -> pa.Table:
    return pa.table({
        "id": pa.array(range(ROWS), pa.int64()),
        "name": pa.array([None if i % 7 == 3 else f"row {i}" for i in range(ROWS)]),
        "price": pa.array([i / 4 for i in range(ROWS)], pa.float64()),
        "tags": pa.array([[f"t{j}" for j in range(i % 3)] for i in range(ROWS)], pa.list_(pa.string())),
    })


@pytest.fixture
def source(scratch, table) -> Path:
    return write_arrow(table, scratch / "source.arrow")


@pytest.fixture
def dataset(scratch, source) -> Path:
    path = scratch / "table.lance"
    lancer("convert", source, path)
    return path


def flat(table: pa.Table) -> pa.Table:
    """The columns that CSV can hold."""
    return table.select(["id", "name", "price"])


def lines_of(data: bytes) -> list[dict]:
    return [json.loads(line) for line in data.splitlines()]


def complaint(*arguments, status: int, **options) -> str:
    """The only line on standard error of a run that ends with `status`."""
    done = lancer(*arguments, status=status, **options)
    message = done.stderr.decode()
    assert message.startswith("lancer: ") and message.endswith("\n") and message.count("\n") == 1, message
    assert done.stdout == b""
    return message


# Arguments


def test_version_names_the_file_versions():
    assert "reads Lance file versions 2.1, 2.2" in text("--version")
    described = json.loads(text("--version", "--json"))
    assert described["filesWritten"] == ["2.1", "2.2"]


@pytest.mark.parametrize("arguments", [["--help"], ["help"], ["help", "convert"], ["scan", "--help"], []])
def test_help_ends_with_0(arguments):
    done = lancer(*arguments)
    assert b"USAGE" in done.stdout and done.stderr == b""


def test_help_lists_the_exit_statuses():
    shown = text("--help")
    assert all(f"\n  {status}  " in shown for status in (0, 2, 3, 4, 5))


@pytest.mark.parametrize("arguments", [
    ["frobnicate"], ["scan"], ["scan", "x", "--nope"], ["convert", "one"], ["scan", "x.csv", "--limit", "-3"],
    ["scan", "x.csv", "--limit", "many"], ["count", "a", "b"], ["scan", "x.csv", "--mode", "create"],
    ["convert", "x.csv", "y.lance", "--file-version", "3.0"], ["convert", "x.csv", "y.lance", "--max-rows-per-file", "0"],
    ["convert", "x.csv", "y.lance", "--vectors", "novalue"], ["convert", "x.csv", "y.lance", "--overwrite", "--mode", "append"],
])
def test_bad_arguments_end_with_2_and_one_line(arguments):
    complaint(*arguments, status=USAGE)


@pytest.mark.parametrize("rows", ["", "x", "1-", "-1", "5-2", "1,,2", "0x3", "99999999999999999999", "0-999999999999"])
def test_bad_row_numbers_end_with_2(dataset, rows):
    complaint("take", dataset, f"--rows={rows}", status=USAGE)


@pytest.mark.parametrize("command", ["scan", "head", "count", "inspect", "versions"])
@pytest.mark.parametrize("path", ["nothing.lance", "nothing.csv", "no/such/directory/x.arrow"])
def test_a_missing_path_ends_with_2(scratch, command, path):
    assert path in complaint(command, scratch / path, status=USAGE)


def test_an_unknown_column_is_named_with_those_that_are_there(dataset, source):
    for path in (dataset, source):
        message = complaint("scan", path, "-c", "id,nope", status=USAGE)
        assert "nope" in message


def test_an_unknown_version_ends_with_2(dataset):
    assert "7" in complaint("scan", dataset, "--version", "7", status=USAGE)


def test_a_version_of_a_file_makes_no_sense(source):
    complaint("scan", source, "--version", "1", status=USAGE)


def test_unknown_extensions_say_what_is_known(scratch):
    (scratch / "x.foo").write_text("1")
    assert ".csv" in complaint("head", scratch / "x.foo", status=USAGE)


def test_standard_input_needs_a_format(scratch):
    assert "--from" in complaint("convert", "-", scratch / "x.lance", status=USAGE, input=b"a\n1\n")
    assert "--to" in complaint("convert", "-", "-", "--from", "csv", status=USAGE, input=b"a\n1\n")


# Corrupt sources


def test_garbage_ends_with_3(scratch):
    (scratch / "x.arrow").write_bytes(b"ARROW1\0\0" + b"garbage " * 50)
    complaint("head", scratch / "x.arrow", status=CORRUPT)


def test_a_truncated_source_leaves_no_output(scratch, source):
    short = scratch / "short.arrows"
    table = read_arrow(source)
    write_arrow(table, short, stream=True)
    short.write_bytes(short.read_bytes()[:-40])
    for name in ("out.csv", "out.jsonl", "out.arrow"):
        complaint("convert", short, scratch / name, "-c", "id", status=CORRUPT)
    complaint("convert", short, scratch / "out.lance", status=CORRUPT)
    assert sorted(p.name for p in scratch.iterdir() if p.name.startswith("out") and p.suffix != ".lance") == []
    complaint("count", scratch / "out.lance", status=USAGE)


# Formats


@pytest.mark.parametrize("extension", ["arrow", "ipc", "feather", "arrows", "jsonl", "ndjson", "lance"])
def test_nested_formats_round_trip(scratch, source, table, extension):
    middle, back = scratch / f"middle.{extension}", scratch / "back.arrow"
    lancer("convert", source, middle)
    lancer("convert", middle, back)
    assert read_arrow(back).to_pylist() == table.to_pylist()


@pytest.mark.parametrize("extension", ["csv", "tsv"])
def test_flat_formats_round_trip(scratch, source, table, extension):
    middle, back = scratch / f"middle.{extension}", scratch / "back.arrow"
    lancer("convert", source, middle, "-c", "id,name,price")
    with open(middle, newline="") as stream:
        rows = list(csv.reader(stream, delimiter="," if extension == "csv" else "\t"))
    assert rows[0] == ["id", "name", "price"] and len(rows) == ROWS + 1
    lancer("convert", middle, back)
    assert read_arrow(back).to_pylist() == flat(table).to_pylist()


def test_an_arrow_stream_called_arrow_is_read(scratch, table):
    path = write_arrow(table, scratch / "stream.arrow", stream=True)
    assert text("count", path).strip() == str(ROWS)


def test_types_and_schema_metadata_survive_a_copy_of_a_table(scratch, dataset, source):
    copy = scratch / "copy.lance"
    lancer("convert", dataset, copy)
    lancer("convert", copy, scratch / "copy.arrow")
    assert read_arrow(scratch / "copy.arrow").schema == read_arrow(source).schema


@pytest.mark.parametrize("kind", ["csv", "jsonl", "arrows"])
def test_pipes(scratch, source, table, kind):
    columns = [] if kind != "csv" else ["-c", "id,name,price"]
    through = lancer("convert", source, "-", "--to", kind, *columns).stdout
    lancer("convert", "-", scratch / "piped.lance", "--from", kind, input=through)
    rows = lines_of(lancer("scan", scratch / "piped.lance", "--json").stdout)
    expected = table if kind != "csv" else flat(table)
    assert [{k: v for k, v in row.items()} for row in rows] == expected.to_pylist()


def test_an_arrow_file_from_a_pipe(scratch, source):
    lancer("convert", "-", scratch / "piped.lance", "--from", "arrow", input=source.read_bytes())
    assert text("count", scratch / "piped.lance").strip() == str(ROWS)


def test_every_page_has_its_ratio(scratch):
    rows = 1000
    table = pa.table({
        "n": range(rows), "t": [f"text {i}" for i in range(rows)], "l": [[i] * (i % 3) for i in range(rows)],
        "s": [{"x": i, "y": None if i % 2 else str(i)} for i in range(rows)],
        "d": pa.array(["a", "b"] * (rows // 2)).dictionary_encode(),
    })
    write_arrow(table, scratch / "x.arrow")
    lancer("convert", scratch / "x.arrow", scratch / "x.lance", "--max-rows-per-file", 600)
    pages = lines_of(lancer("inspect", scratch / "x.lance", "--pages", "--json").stdout)
    assert {page["column"] for page in pages} == {"n", "t", "l.item", "s.x", "s.y", "d"}
    assert all(page["arrowBytes"] > 0 for page in pages)
    chosen = lines_of(lancer("inspect", scratch / "x.lance", "--pages", "--json", "-c", "n,t,l,s,d").stdout)
    assert chosen == pages
    data = next((scratch / "x.lance" / "data").iterdir())
    assert all(page["arrowBytes"] > 0 for page in lines_of(lancer("inspect", data, "--pages", "--json").stdout))


def test_a_given_schema_is_used(scratch):
    (scratch / "x.csv").write_text("a,b\n1,2\n3,\n")
    lancer("convert", scratch / "x.csv", scratch / "x.arrow", "--schema", "a: int16, b: string")
    schema = read_arrow(scratch / "x.arrow").schema
    assert schema.field("a").type == pa.int16() and schema.field("b").type == pa.string()
    complaint("convert", scratch / "x.csv", scratch / "y.arrow", "--schema", "a: inty", status=USAGE)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.uint8])
def test_vectors_are_added_and_exported(scratch, source, dtype):
    matrix = (np.arange(ROWS * 8).reshape(ROWS, 8) % 200).astype(dtype)
    np.save(scratch / "m.npy", matrix)
    lancer("convert", source, scratch / "v.lance", "--vectors", f"vector={scratch / 'm.npy'}")
    lancer("convert", scratch / "v.lance", scratch / "back.npy", "-c", "vector")
    back = np.load(scratch / "back.npy")
    assert back.dtype == matrix.dtype and np.array_equal(back, matrix)


@pytest.mark.parametrize("rows", [ROWS - 1, ROWS + 1])
def test_vectors_of_another_length_are_refused(scratch, source, rows):
    np.save(scratch / "m.npy", np.zeros((rows, 4), np.float32))
    message = complaint("convert", source, scratch / "v.arrow", "--vectors", f"v={scratch / 'm.npy'}", status=USAGE)
    assert "m.npy" in message and not (scratch / "v.arrow").exists()


def test_several_columns_do_not_fit_in_npy(scratch, source):
    complaint("convert", source, scratch / "x.npy", status=USAGE)
    assert not (scratch / "x.npy").exists()


# Outputs


@pytest.mark.parametrize("name", ["out.csv", "out.arrow", "out.jsonl"])
def test_an_existing_output_is_kept_unless_overwritten(scratch, source, name):
    path = scratch / name
    path.write_text("precious")
    message = complaint("convert", source, path, "-c", "id", status=USAGE)
    assert "overwrite" in message and path.read_text() == "precious"
    complaint("convert", source, path, "-c", "id", "--mode", "append", status=USAGE)
    lancer("convert", source, path, "-c", "id", "--mode", "overwrite")
    assert path.read_bytes() != b"precious"
    lancer("scan", source, "-c", "id", "-o", path, "--overwrite")
    assert sorted(p.name for p in scratch.iterdir()) == sorted(["source.arrow", name])


def test_modes_of_a_table(scratch, source, dataset):
    complaint("convert", source, dataset, status=USAGE)
    lancer("convert", source, dataset, "--mode", "append")
    assert text("count", dataset).strip() == str(2 * ROWS)
    lancer("convert", source, dataset, "--mode", "overwrite", "--limit", "3")
    assert text("count", dataset).strip() == "3"
    assert text("count", dataset, "--version", "1").strip() == str(ROWS)


def test_a_missing_output_directory_is_named(scratch, source):
    assert "directory" in complaint("convert", source, scratch / "no" / "x.csv", "-c", "id", status=USAGE)


@pytest.mark.parametrize("version", ["2.1", "2.2"])
def test_the_file_version_is_chosen(scratch, source, version):
    said = json.loads(text("convert", source, scratch / "x.lance", "--file-version", version, "--json"))
    assert said["fileVersion"] == version and said["rows"] == ROWS and said["version"] == 1
    assert json.loads(text("inspect", scratch / "x.lance", "--json"))["fileVersion"] == version


def test_rows_per_file_are_limited(scratch, source):
    lancer("convert", source, scratch / "x.lance", "--max-rows-per-file", "10")
    described = json.loads(text("inspect", scratch / "x.lance", "--json"))
    assert described["fragments"] == 3 and described["rows"] == ROWS


# Rows


def test_scan_head_take_count(dataset, table):
    rows = table.to_pylist()
    assert lines_of(lancer("scan", dataset, "--json").stdout) == rows
    assert lines_of(lancer("head", dataset, "--json").stdout) == rows[:10]
    assert lines_of(lancer("head", dataset, "-n", "3", "--json").stdout) == rows[:3]
    assert lines_of(lancer("scan", dataset, "--offset", "20", "--limit", "3", "--json").stdout) == rows[20:23]
    chosen = lines_of(lancer("take", dataset, "--rows", "24,0,10-12,0", "--json").stdout)
    assert chosen == [rows[i] for i in (24, 0, 10, 11, 12, 0)]
    assert json.loads(text("count", dataset, "--json")) == {"rows": ROWS}
    only = lines_of(lancer("scan", dataset, "-c", "price,id", "--limit", "1", "--json").stdout)
    assert list(only[0]) == ["price", "id"]


def test_a_row_beyond_the_end_ends_with_2(dataset):
    complaint("take", dataset, "--rows", "25", status=USAGE)


@pytest.mark.parametrize("extension", ["arrow", "arrows", "jsonl"])
def test_other_formats_are_shown_too(scratch, source, table, extension):
    path = scratch / f"again.{extension}"
    lancer("convert", source, path)
    assert text("count", path).strip() == str(ROWS)
    assert lines_of(lancer("scan", path, "--json", "--offset", "5", "--limit", "4").stdout) == table.to_pylist()[5:9]


def test_the_table_is_aligned_and_counts_its_rows(dataset):
    lines = text("head", dataset, "-c", "id,name,price").splitlines()
    assert lines[0].split() == ["id", "name", "price"] and lines[-1] == "10 rows"
    assert lines[1].startswith(" 0  row 0  ")
    assert len({len(line) for line in lines[:-1]}) == 1


def test_long_and_dangerous_cells_are_shown_safely(scratch):
    write_arrow(pa.table({"t": ["x" * 100, "a\x1b[31m\nb", "日本語" * 30]}), scratch / "x.arrow")
    lines = text("scan", scratch / "x.arrow").splitlines()
    assert len(lines) == 5 and lines[-1] == "3 rows" and "\x1b" not in "".join(lines)
    assert lines[1].endswith("…") and len(lines[1]) == 40


def test_an_empty_result_still_has_a_heading(dataset):
    assert text("scan", dataset, "--limit", "0", "-c", "id,name").splitlines() == ["id  name", "0 rows"]


def test_a_reader_that_goes_away_is_no_error(scratch):
    path = write_arrow(pa.table({"t": ["some text that fills the pipe"] * 200_000}), scratch / "big.arrow")
    run = subprocess.Popen([str(BINARY), "scan", str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    run.stdout.readline()
    run.stdout.close()
    assert run.stderr.read() == b"" and run.wait(timeout=60) == 0
    run.stderr.close()


# Tables


def test_append_and_versions(scratch, source, dataset):
    said = json.loads(text("append", dataset, source, "--json"))
    assert said["rows"] == ROWS and said["version"] == 2
    versions = lines_of(lancer("versions", dataset, "--json").stdout)
    assert [v["version"] for v in versions] == [1, 2]
    assert [v["rows"] for v in versions] == [ROWS, 2 * ROWS]
    assert versions[1]["operation"] == "Append"
    moment = datetime.datetime.fromisoformat(versions[1]["timestamp"][:23] + "+00:00")
    assert abs((datetime.datetime.now(datetime.timezone.utc) - moment).total_seconds()) < 600
    lines = text("versions", dataset).splitlines()
    assert lines[0].split() == ["version", "timestamp", "rows", "fragments", "operation"] and len(lines) == 3


def test_append_needs_a_table(scratch, source):
    complaint("append", scratch / "none.lance", source, status=USAGE)


def test_append_of_another_schema_ends_with_2(scratch, dataset):
    path = write_arrow(pa.table({"other": [1]}), scratch / "other.arrow")
    complaint("append", dataset, path, status=USAGE)
    assert text("count", dataset).strip() == str(ROWS)


def test_a_table_can_be_appended_to_itself(dataset):
    lancer("append", dataset, dataset)
    assert text("count", dataset).strip() == str(2 * ROWS)


# Inspect


def test_inspect_a_table(dataset):
    described = json.loads(text("inspect", dataset, "--json"))
    assert described["version"] == 1 and described["rows"] == ROWS and described["versions"] == 1
    assert [c["name"] for c in described["columns"]] == ["id", "name", "price", "tags"]
    assert described["columns"][0]["type"] == "int64"
    shown = text("inspect", dataset)
    assert "rows" in shown and "list<item: string>" in shown


def test_inspect_parts_of_a_table(dataset):
    assert "tags" in text("inspect", dataset, "--schema")
    assert text("inspect", dataset, "--fragments").splitlines()[0].split()[0] == "fragment"
    assert ".lance" in text("inspect", dataset, "--files")
    pages = text("inspect", dataset, "--pages")
    assert "mini-block" in pages
    only = lines_of(lancer("inspect", dataset, "--pages", "-c", "name", "--json").stdout)
    assert {page["column"] for page in only} == {"name"} and only[0]["rows"] == ROWS


def test_inspect_single_files(dataset):
    data = next((dataset / "data").iterdir())
    manifest = next(p for p in (dataset / "_versions").iterdir() if p.suffix == ".manifest")
    transaction = next((dataset / "_transactions").iterdir())
    described = json.loads(text("inspect", data, "--json"))
    assert described["rows"] == ROWS and described["fileVersion"] == "2.2"
    assert "mini-block" in text("inspect", data, "--pages")
    assert json.loads(text("inspect", manifest, "--json"))["version"] == 1
    assert json.loads(text("inspect", transaction, "--json"))["operation"] == "Overwrite"


@pytest.mark.parametrize("suffix", [".lance", ".manifest", ".txn"])
def test_inspect_of_damaged_files_ends_with_3(scratch, suffix):
    path = scratch / f"x{suffix}"
    path.write_bytes(os.urandom(200))
    complaint("inspect", path, status=CORRUPT)
    path.write_bytes(b"")
    if suffix != ".txn":
        complaint("inspect", path, status=CORRUPT)
