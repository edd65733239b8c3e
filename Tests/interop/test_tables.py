"""Whole tables: versions, fragments, deletions, manifest names, and what must be refused."""

from __future__ import annotations

import json
import struct
from datetime import datetime, timezone
from pathlib import Path

import lance
import numpy as np
import pyarrow as pa
import pytest

from cases import Case
from compare import assert_tables_equal
from lancer_cli import CORRUPT, UNSUPPORTED, lance_to_table, lancer, read_arrow, table_to_lance, text, write_arrow


def sample(rows: int, seed: int = 1) -> pa.Table:
    """A small table of mixed columns."""
    rng = np.random.default_rng(seed)
    return pa.table(
        {
            "id": pa.array(np.arange(rows, dtype=np.int64)),
            "price": pa.array(rng.standard_normal(rows), mask=rng.random(rows) < 0.1),
            "name": pa.array([f"row {i} of {rows}" if i % 7 else None for i in range(rows)]),
            "tags": pa.array([[f"t{j}" for j in range(i % 4)] if i % 5 else None for i in range(rows)]),
            "at": pa.array(rng.integers(0, 1 << 50, rows), pa.timestamp("us", "UTC")),
            "v": pa.FixedSizeListArray.from_arrays(pa.array(rng.standard_normal(rows * 8).astype(np.float32)), 8),
            "s": pa.array([{"x": i, "y": {"z": str(i)}} if i % 9 else None for i in range(rows)]),
        }
    )


def check_reading(dataset: lance.LanceDataset, path: Path, scratch: Path, seed: int = 3) -> None:
    """Lancer and pylance see the same rows, in a scan, in counts, in slices and by number."""
    expected = dataset.to_table()
    out = scratch / "read.arrow"
    out.unlink(missing_ok=True)
    assert_tables_equal(lance_to_table(path, out), expected)
    assert text("count", path).strip().replace(",", "") == str(expected.num_rows)
    if expected.num_rows:
        rows = np.random.default_rng(seed).integers(0, expected.num_rows, 40).tolist() + [0, expected.num_rows - 1]
        out.unlink()
        lancer("take", path, "--rows", ",".join(map(str, rows)), "-o", out)
        assert_tables_equal(read_arrow(out), expected.take(rows), table_metadata=False)
        assert_tables_equal(dataset.take(rows), expected.take(rows), table_metadata=False)
        start = expected.num_rows // 3
        out.unlink()
        lancer("scan", path, "--offset", start, "--limit", 50, "-o", out)
        assert_tables_equal(read_arrow(out), expected.slice(start, 50))


@pytest.mark.parametrize("version", ["2.1", "2.2"])
def test_deletions_of_both_kinds(version, scratch):
    path = scratch / "t.lance"
    dataset = lance.write_dataset(sample(60_000), str(path), max_rows_per_file=20_000, data_storage_version=version)
    dataset.delete("id % 1000 = 17")
    check_reading(dataset, path, scratch)
    assert list((path / "_deletions").glob("*.arrow"))
    dataset.delete("id >= 20000 AND id < 40000 AND id % 3 > 0")
    check_reading(dataset, path, scratch)
    assert list((path / "_deletions").glob("*.bin"))
    dataset.delete("id >= 40000")  # a whole fragment goes
    check_reading(dataset, path, scratch)
    dataset.delete("id < 5")  # the first rows
    check_reading(dataset, path, scratch)
    dataset.delete("true")
    check_reading(dataset, path, scratch)


def test_deletions_survive_on_a_table_lancer_wrote(scratch):
    path = table_to_lance(sample(30_000), scratch / "t.lance")
    dataset = lance.dataset(str(path))
    dataset.delete("id % 2 = 1")
    check_reading(lance.dataset(str(path)), path, scratch)


def test_every_version_stays_readable(scratch):
    path = scratch / "t.lance"
    tables = [sample(1000, 1), sample(500, 2), sample(20, 3)]
    lance.write_dataset(tables[0], str(path))
    for table in tables[1:]:
        lance.write_dataset(table, str(path), mode="append")
    lance.dataset(str(path)).delete("id = 3")
    lance.write_dataset(tables[2], str(path), mode="overwrite")
    expected = [lance.dataset(str(path), version=v).to_table() for v in range(1, 6)]
    for number, table in enumerate(expected, start=1):
        out = scratch / f"{number}.arrow"
        lancer("scan", path, "--version", number, "-o", out)
        assert_tables_equal(read_arrow(out), table)
    listed = [json.loads(line) for line in text("versions", path, "--json").splitlines()]
    theirs = lance.dataset(str(path)).versions()
    assert [v["version"] for v in listed] == [v["version"] for v in theirs] == [1, 2, 3, 4, 5]
    assert [v["rows"] for v in listed] == [len(table) for table in expected]
    shown = text("versions", path)
    assert str(datetime.now(timezone.utc).year) in shown


def test_lancer_and_pylance_append_to_each_other(scratch):
    path = table_to_lance(sample(900, 1), scratch / "t.lance")
    lance.write_dataset(sample(700, 2), str(path), mode="append")
    write_arrow(sample(400, 3), scratch / "more.arrow")
    lancer("convert", scratch / "more.arrow", path, "--mode", "append")
    expected = pa.concat_tables([sample(900, 1), sample(700, 2), sample(400, 3)]).combine_chunks()
    dataset = lance.dataset(str(path))
    assert dataset.version == 3
    assert_tables_equal(dataset.to_table(), expected)
    dataset.validate()
    check_reading(dataset, path, scratch)
    lancer("convert", scratch / "more.arrow", path, "--mode", "overwrite")
    assert_tables_equal(lance.dataset(str(path)).to_table(), sample(400, 3))
    assert_tables_equal(lance.dataset(str(path), version=3).to_table(), expected)


@pytest.mark.parametrize("version", ["2.1", "2.2"])
def test_an_append_keeps_the_tables_file_version(version, scratch):
    path = scratch / "t.lance"
    lance.write_dataset(sample(50, 1), str(path), data_storage_version=version)
    write_arrow(sample(60, 2), scratch / "more.arrow")
    lancer("convert", scratch / "more.arrow", path, "--mode", "append")
    dataset = lance.dataset(str(path))
    assert dataset.data_storage_version == version
    assert_tables_equal(dataset.to_table(), pa.concat_tables([sample(50, 1), sample(60, 2)]))


def test_old_manifest_names(scratch):
    path = scratch / "t.lance"
    lance.write_dataset(sample(100, 1), str(path), enable_v2_manifest_paths=False)
    for seed in range(2, 12):
        lance.write_dataset(sample(10, seed), str(path), mode="append")
    assert (path / "_versions" / "11.manifest").exists()
    check_reading(lance.dataset(str(path)), path, scratch)
    write_arrow(sample(10, 99), scratch / "more.arrow")
    lancer("convert", scratch / "more.arrow", path, "--mode", "append")
    assert (path / "_versions" / "12.manifest").exists()
    assert lance.dataset(str(path)).count_rows() == 210
    check_reading(lance.dataset(str(path)), path, scratch)


def test_schema_evolution_by_pylance_is_read(scratch):
    path = scratch / "t.lance"
    dataset = lance.write_dataset(sample(3000), str(path), max_rows_per_file=1000)
    dataset.add_columns({"twice": "id * 2"})
    check_reading(dataset, path, scratch)
    dataset.drop_columns(["name", "s"])
    check_reading(dataset, path, scratch)
    dataset.alter_columns({"path": "price", "name": "cost"})
    check_reading(dataset, path, scratch)
    dataset.add_columns(pa.field("later", pa.utf8()))
    check_reading(dataset, path, scratch)
    dataset.update({"twice": "-1"}, where="id % 10 = 0")
    check_reading(dataset, path, scratch)
    dataset.merge(pa.table({"id": range(3000), "joined": [f"j{i}" for i in range(3000)]}), "id")
    check_reading(dataset, path, scratch)
    dataset.optimize.compact_files()
    check_reading(dataset, path, scratch)


def test_stable_row_ids_config_and_tags(scratch):
    path = scratch / "t.lance"
    dataset = lance.write_dataset(sample(3000), str(path), max_rows_per_file=1000, enable_stable_row_ids=True)
    dataset.delete("id % 5 = 0")
    dataset.update_config({"lance.auto_cleanup.interval": "50"})
    dataset.tags.create("first", 1)
    check_reading(lance.dataset(str(path)), path, scratch)


def test_several_files_of_ours(scratch):
    table = sample(25_000)
    path = table_to_lance(table, scratch / "t.lance", batch_rows=1024)
    dataset = lance.dataset(str(path))
    assert_tables_equal(dataset.to_table(), table)
    assert dataset.count_rows("id >= 20000 and s.x is not null") == sum(1 for i in range(20_000, 25_000) if i % 9)
    assert dataset.scanner(columns=["id"], filter="name = 'row 24999 of 25000'").to_table()["id"].to_pylist() == [24_999]


@pytest.mark.parametrize("version, shown", [("legacy", "legacy"), ("2.0", "2.0"), ("2.3", "2.3")])
def test_other_file_versions_are_refused_by_name(version, shown, scratch):
    path = scratch / "t.lance"
    table = pa.table({"id": range(100), "name": [f"row {i}" for i in range(100)]})
    lance.write_dataset(table, str(path), data_storage_version=version)
    done = lancer("convert", path, scratch / "x.arrow", status=UNSUPPORTED)
    message = done.stderr.decode().strip()
    assert shown in message and len(message.splitlines()) == 1, message
    assert not (scratch / "x.arrow").exists()
    # The table says one thing, a data file another.
    data = next((path / "data").iterdir())
    done = lancer("inspect", data, status=None)
    assert done.returncode == UNSUPPORTED and shown in done.stderr.decode(), done


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def patched_manifest(path: Path, addition: bytes) -> None:
    """Adds protobuf fields to the newest manifest; of a repeated scalar field the last one counts."""
    manifest = min((path / "_versions").glob("*.manifest"))
    raw = manifest.read_bytes()
    (position,) = struct.unpack_from("<Q", raw, len(raw) - 16)
    (length,) = struct.unpack_from("<I", raw, position)
    body = raw[position + 4 : position + 4 + length] + addition
    manifest.write_bytes(raw[:position] + struct.pack("<I", len(body)) + body + raw[-16:])


@pytest.mark.parametrize("flag", [64, 512, 4096, 1 << 40])
def test_unknown_reader_flags_are_refused(flag, scratch):
    path = scratch / "t.lance"
    lance.write_dataset(sample(100), str(path))
    patched_manifest(path, b"\x48" + varint(flag))
    with pytest.raises((OSError, ValueError)):
        lance.dataset(str(path))
    message = lancer("scan", path, status=UNSUPPORTED).stderr.decode().strip()
    assert str(flag) in message and len(message.splitlines()) == 1, message


@pytest.mark.parametrize("flag", [64, 512, 4096, 1 << 40])
def test_unknown_writer_flags_allow_reading_but_no_append(flag, scratch):
    path = scratch / "t.lance"
    lance.write_dataset(sample(100), str(path))
    patched_manifest(path, b"\x50" + varint(flag))
    lance_to_table(path, scratch / "x.arrow")
    message = lancer("convert", scratch / "x.arrow", path, "--mode", "append", status=UNSUPPORTED).stderr.decode().strip()
    assert str(flag) in message and len(message.splitlines()) == 1, message


def test_unknown_manifest_fields_are_no_obstacle(scratch):
    path = scratch / "t.lance"
    dataset = lance.write_dataset(sample(100), str(path))
    patched_manifest(path, b"\xfa\x3e\x05hello" + b"\xc0\x3e\x07")
    check_reading(dataset, path, scratch)


def test_the_version_hint_is_never_trusted(scratch):
    path = scratch / "t.lance"
    lance.write_dataset(sample(100), str(path))
    lance.write_dataset(sample(50), str(path), mode="append")
    hint = path / "_versions" / "latest_version_hint.json"
    for content in (None, b"", b"{", b'{"version":1}', b'{"version":99}', b'{"version":-1}', b"\xff" * 100):
        hint.unlink(missing_ok=True)
        if content is not None:
            hint.write_bytes(content)
        assert text("count", path).strip() == "150"


def test_staging_names_among_the_manifests_are_skipped(scratch):
    path = scratch / "t.lance"
    lance.write_dataset(sample(100), str(path))
    newest = next((path / "_versions").glob("*.manifest"))
    for name in ("18446744073709551613.manifest#1", ".tmpAbCdEf", ".tmp_7.manifest_0f", "notes.txt"):
        (path / "_versions" / name).write_bytes(newest.read_bytes()[:-3])
    assert text("count", path).strip() == "100"


def test_a_missing_data_file_is_corruption_and_named(scratch):
    path = scratch / "t.lance"
    lance.write_dataset(sample(100), str(path))
    data = next((path / "data").iterdir())
    data.unlink()
    message = lancer("convert", path, scratch / "x.arrow", status=CORRUPT).stderr.decode()
    assert data.name in message


def test_the_same_input_makes_the_same_bytes(scratch):
    for name in ("utf8/low", "list-struct/full", "int64/low", "fsl-float32x384/full", "struct-list/long", "dictionary-int16-utf8/low"):
        type_name, shape = name.split("/")
        table = Case(type_name, shape, 3000, "2.2").table()
        for version in ("2.1", "2.2"):
            contents = set()
            for attempt in range(3):
                path = table_to_lance(table, scratch / f"{type_name}-{shape}-{version}-{attempt}.lance", "--file-version", version)
                contents.add(b"".join(p.read_bytes() for p in sorted((path / "data").iterdir())))
            assert len(contents) == 1, f"{name} in {version}: {len(contents)} different files"


def test_how_the_input_is_cut_into_batches_does_not_matter_to_readers(scratch):
    table = sample(5000)
    for batch_rows in (1, 7, 1000, 1024, 4999, None):
        if batch_rows == 1:
            part = table.slice(0, 300)
            path = table_to_lance(part, scratch / "b1.lance", batch_rows=1)
            assert_tables_equal(lance.dataset(str(path)).to_table(), part)
            continue
        path = table_to_lance(table, scratch / f"b{batch_rows}.lance", batch_rows=batch_rows)
        assert_tables_equal(lance.dataset(str(path)).to_table(), table)
