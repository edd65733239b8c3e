"""Parquet files by other tools, read by `lancer`, and by `lancer`, read by other tools."""

from __future__ import annotations

import base64
import json

import duckdb
import polars
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe
import pytest

from cases import TYPES, Case, all_cases, build_table
from compare import assert_tables_equal
from conftest import FULL
from lancer_cli import (
    CORRUPT, UNSUPPORTED, USAGE, lance_to_table, lancer, peak_memory, read_arrow, text, write_arrow,
)

LAYOUTS = [
    {"data_page_version": page, "compression": codec, "use_dictionary": dictionary, "row_group_size": rows}
    for page in ("1.0", "2.0")
    for codec in ("none", "snappy", "gzip", "zstd", "lz4")
    for dictionary in (True, False)
    for rows in (1 << 20, 97)
]
# How Lancer can be asked to write.
FORMS = [
    ["--compression", codec, "--page-version", page, "--row-group-bytes", size, *dictionary]
    for page in ("1", "2")
    for codec in ("none", "snappy", "gzip", "zstd", "lz4")
    for dictionary in ([], ["--no-dictionary"])
    for size in ("128MiB", "20KiB")
]
CASES = [case for case in all_cases() if case.version == "2.2"]


def slice_of(all_: list, case: Case, number: int) -> list:
    """What of `all_` a case is tried with: all of it in a full run, else one that changes from case to case."""
    return all_ if FULL and case.shape != "pages" else [all_[(case.seed + number) % len(all_)]]


def converted(paths, scratch, *options) -> pa.Table:
    """What `lancer convert` makes of a file, or of several as one."""
    out = scratch / "out.arrow"
    lancer("convert", *(paths if isinstance(paths, list) else [paths]), out, "--mode", "overwrite", *options)
    return read_arrow(out)


def write(table: pa.Table, path, **options) -> bool:
    """Whether pyarrow could put the table in a Parquet file."""
    try:
        pq.write_table(table, path, write_page_checksum=True, **options)
        return True
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        return False


@pytest.mark.parametrize("name", [*TYPES, "wide"])
def test_the_type_matrix_by_pyarrow(name, scratch):
    written = 0
    for number, case in enumerate(case for case in CASES if case.type_name == name):
        table, layouts = case.table(), slice_of(LAYOUTS, case, number)
        paths = [scratch / f"{index}.parquet" for index in range(len(layouts))]
        # Seconds become milliseconds in Parquet: the largest are refused.
        if all([write(table, path, **layout) for path, layout in zip(paths, layouts)]):
            written += 1
            check_one_by_one(converted(paths, scratch), table, [f"{case.name} {layout}" for layout in layouts])
    assert written > 0


def check_one_by_one(got: pa.Table, expected: pa.Table, names: list[str]) -> None:
    """Checks that `got` is `expected` once for every name."""
    assert got.num_rows == expected.num_rows * len(names)
    for index, name in enumerate(names):
        try:
            assert_tables_equal(got.slice(index * expected.num_rows, expected.num_rows), expected)
        except Exception as error:
            raise AssertionError(f"{name}: {error}") from None


def outcome(read, path):
    """What a reader makes of a file: a table, or the start of what it complains of."""
    try:
        return read(path), None
    except Exception as error:
        return None, f"{type(error).__name__}: {error}"[:60]


def by_duckdb(path) -> pa.Table:
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        return connection.execute(f"from '{path}'").to_arrow_table()


READERS = {"pyarrow": pq.read_table, "DuckDB": by_duckdb, "Polars": polars.read_parquet}


@pytest.mark.parametrize("name", [*TYPES, "wide"])
def test_the_type_matrix_by_lancer(name, scratch):
    """Each reader sees the same in a file of Lancer's as in pyarrow's file of the same table."""
    source, theirs = scratch / "t.arrow", scratch / "theirs.parquet"
    written = 0
    for number, case in enumerate(case for case in CASES if case.type_name == name):
        table = case.table()
        if not write(table, theirs):
            write_arrow(table, source)
            refusal = lancer("convert", source, scratch / "0.parquet", "--mode", "overwrite", status=USAGE)
            assert b"milliseconds" in refusal.stderr
            continue
        written += 1
        # The other readers' turn comes more rarely outside of a full run.
        readers = READERS if FULL or number % 3 == case.seed % 3 else {"pyarrow": pq.read_table}
        wanted = {reader: outcome(read, theirs) for reader, read in readers.items()}
        write_arrow(table, source, batch_rows=max(case.rows // 3, 1))
        forms = slice_of(FORMS, case, number)
        files = [scratch / f"{index}.parquet" for index in range(len(forms))]
        for form, ours in zip(forms, files):
            try:
                lancer("convert", source, ours, "--mode", "overwrite", *form)
                for reader, read in readers.items():
                    (left, complaint), (right, expected) = outcome(read, ours), wanted[reader]
                    assert complaint == expected, reader
                    if reader == "Polars" and left is not None:
                        assert_equal_frames(left, right)
                    elif left is not None:
                        assert_tables_equal(left, right, table_metadata=False)
            except Exception as error:
                raise AssertionError(f"{case.name} {form}: {error}") from None
        check_one_by_one(converted(files, scratch), table, [f"{case.name} {form}" for form in forms])
    assert written > 0


@pytest.fixture(scope="module")
def sample() -> pa.Table:
    """A column of each shape of type, with nulls everywhere."""
    chosen = [
        "null", "bool", "int8", "uint32", "int64", "float16", "float32", "decimal128", "decimal256", "date64", "time32-s",
        "timestamp-s-utc", "timestamp-ns", "duration-ms", "utf8", "large-binary", "fsb-16", "fsl-float32x64", "list-utf8",
        "large-list-int64", "list-list-list-utf8", "map-int64-list", "deep",
    ]
    columns, fields = [], []
    for name in chosen:
        # Parquet has no seconds: the largest do not fit milliseconds.
        table = build_table(Case(name, "small" if name.endswith(("-s", "-s-utc")) else "full", 400, "2.2"))
        column = "v_some" if "v_some" in table.column_names else "v_all"
        columns.append(table[column])
        fields.append(table.schema.field(column).with_name(name))
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: "-".join(map(str, layout.values())))
def test_every_layout_by_pyarrow(layout, sample, scratch):
    pq.write_table(sample, scratch / "t.parquet", data_page_size=2000, **layout)
    assert_tables_equal(converted(scratch / "t.parquet", scratch), sample)


ODD_LAYOUTS = {
    "tiny pages": {"data_page_size": 1},
    "three values at a time": {"write_batch_size": 3, "data_page_size": 40},
    "three rows a page": {"max_rows_per_page": 3},
    "cut by content": {"use_content_defined_chunking": True},
    "small dictionaries": {"dictionary_pagesize_limit": 64},
    "bloom filters and page index": {"bloom_filter_options": {"utf8": {"ndv": 400}}, "write_page_index": True},
    "sorting columns": {"sorting_columns": [pq.SortingColumn(2)]},
    "decimals in integers": {"store_decimal_as_integer": True},
    "old moments": {"use_deprecated_int96_timestamps": True},
    "other names of items": {"use_compliant_nested_type": False},
    "no statistics": {"write_statistics": False, "write_page_checksum": True},
}


@pytest.mark.parametrize("pages", ["1.0", "2.0"])
@pytest.mark.parametrize("layout", ODD_LAYOUTS.values(), ids=ODD_LAYOUTS.keys())
def test_odd_layouts_by_pyarrow(layout, pages, sample, scratch):
    pq.write_table(sample, scratch / "t.parquet", data_page_version=pages, **layout)
    assert_tables_equal(converted(scratch / "t.parquet", scratch), sample)


def test_row_groups_of_every_size(sample, scratch):
    """None, empty ones between others, and one of many batches."""
    path = scratch / "t.parquet"
    with pq.ParquetWriter(path, sample.schema):
        pass
    assert_tables_equal(converted(path, scratch), sample.slice(0, 0))
    with pq.ParquetWriter(path, sample.schema) as writer:
        for part in (sample.slice(0, 0), sample.slice(0, 100), sample.slice(0, 0), sample.slice(100), sample.slice(0, 0)):
            writer.write_table(part)
    assert_tables_equal(converted(path, scratch), sample)
    rows = 2_200_001
    large = pa.table({"n": pa.array(range(rows)), "half": pa.array([n % 30_000 if n % 3 else None for n in range(rows)], pa.int16())})
    pq.write_table(large, path, row_group_size=rows)
    assert_tables_equal(converted(path, scratch), large)


def plain(column: pa.ChunkedArray) -> str:
    """Values as text, in which NaN is equal to itself; moments as numbers, for Python's years end too early."""
    return repr((column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column).to_pylist())


@pytest.mark.parametrize("codec", ["snappy", "zstd", "gzip", "lz4_raw", "uncompressed"])
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_files_by_duckdb(codec, version, sample, scratch):
    names = [name for name in sample.column_names if name not in ("null", "decimal256", "float16", "duration-ms", "fsl-float32x64")]
    given = sample.select(names)
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.register("given", given)
        path = scratch / "t.parquet"
        connection.execute(f"copy given to '{path}' (format parquet, codec {codec}, parquet_version {version}, row_group_size 2048)")
        back = connection.execute(f"from '{path}'").to_arrow_table()
    got = converted(path, scratch)
    for name in names:
        assert plain(got[name].cast(back[name].type)) == plain(back[name]), name


@pytest.mark.parametrize("codec", ["zstd", "snappy", "lz4", "gzip", "uncompressed"])
def test_files_by_polars(codec, sample, scratch):
    names = [name for name in sample.column_names if name not in ("map-int64-list", "decimal256", "time32-s")]
    frame = polars.from_arrow(sample.select(names))
    frame.write_parquet(scratch / "t.parquet", compression=codec, data_page_size=2000, row_group_size=150)
    assert_equal_frames(polars.from_arrow(converted(scratch / "t.parquet", scratch)), frame)


def assert_equal_frames(got: polars.DataFrame, wanted: polars.DataFrame) -> None:
    assert got.schema == wanted.schema
    for name in wanted.columns:
        # In Polars, whose own moments may be outside Python's years.
        assert got[name].equals(wanted[name], null_equal=True), name


def test_through_lance_and_by_every_command(sample, scratch):
    path = scratch / "t.parquet"
    pq.write_table(sample, path, row_group_size=150)
    lancer("convert", path, scratch / "t.lance")
    assert_tables_equal(lance_to_table(scratch / "t.lance", scratch / "l.arrow"), sample, table_metadata=False)
    assert text("count", path) == "400\n"
    rows = [json.loads(line) for line in text("head", path, "-n", "3", "-c", "utf8,int64", "--json").splitlines()]
    assert [row["utf8"] for row in rows] == sample["utf8"][:3].to_pylist()
    got = converted(path, scratch, "-c", "int64", "--offset", "149", "--limit", "5")
    assert got["int64"].to_pylist() == sample["int64"][149:154].to_pylist()
    report = json.loads(text("inspect", path, "--json"))
    assert report["rows"] == 400 and [group["rows"] for group in report["rowGroups"]] == [150, 150, 100]
    lines = [json.loads(line) for line in text("inspect", path, "--pages", "-c", "utf8", "--json").splitlines()]
    assert [line["codec"] for line in lines] == ["SNAPPY"] * 3


def test_a_folder_of_files_is_one_table(sample, scratch):
    folder = scratch / "parts"
    folder.mkdir()
    for part in range(3):
        pq.write_table(sample.slice(part * 100, 100), folder / f"part-{part}.parquet")
    (folder / "_SUCCESS").write_bytes(b"")
    assert_tables_equal(converted(folder, scratch), sample.slice(0, 300))
    assert text("count", folder) == "300\n"
    pq.write_table(sample.select(["utf8"]), folder / "part-9.parquet")
    message = lancer("convert", folder, scratch / "x.lance", status=None)
    assert message.returncode != 0 and b"part-9" in message.stderr


def test_partition_folders_give_columns(sample, scratch):
    """Folders named `column=value`, as Hive, Spark, DuckDB and Polars write them."""
    folder = scratch / "parts"
    number = pa.array([row % 3 for row in range(300)])
    word = pa.array([None if row % 5 == 0 else f"a b/%{row % 2}" for row in range(300)])
    table = sample.slice(0, 300).select(["utf8", "deep"]).append_column("number", number).append_column("word", word)
    types = pa.schema([("number", pa.int64()), ("word", pa.string())])
    pa.dataset.write_dataset(
        table, folder, format="parquet", partitioning=pa.dataset.partitioning(types, flavor="hive")
    )
    expected = pa.concat_tables(
        table.filter((pc.field("number") == one) & (pc.field("word").is_null() if two is None else pc.field("word") == two))
        for one in range(3) for two in (None, "a b/%0", "a b/%1")
    )
    assert_tables_equal(converted(folder, scratch), expected)
    assert_tables_equal(converted(folder, scratch, "--columns", "word,utf8"), expected.select(["word", "utf8"]))
    assert text("count", folder, "--where", "number = 1 and word is null") == "20\n"
    assert json.loads(text("inspect", folder, "--json"))["rows"] == 300
    duckdb.sql("from range(10) t(n) select n, n % 2 as even").write_parquet(
        str(scratch / "both"), partition_by=["even"], write_partition_columns=True
    )
    assert converted(scratch / "both", scratch).column_names == ["n", "even"]
    # What would be left out is said.
    pq.write_table(sample, folder / "more.parquet")
    assert b"partition folders" in lancer("count", folder, status=USAGE).stderr
    (folder / "more.parquet").unlink()
    (folder / "other=1").mkdir()
    pq.write_table(sample.select(["utf8", "deep"]), folder / "other=1" / "x.parquet")
    assert b"different columns" in lancer("count", folder, status=USAGE).stderr


def test_encrypted_files_are_named(sample, scratch):
    class Keys(pe.KmsClient):
        def __init__(self, _):
            super().__init__()

        def wrap_key(self, key_bytes, master_key_identifier):
            return base64.b64encode(key_bytes)

    factory = pe.CryptoFactory(lambda _: Keys(None))
    path = scratch / "t.parquet"
    for plaintext_footer in (False, True):
        configuration = pe.EncryptionConfiguration(
            footer_key="f", column_keys={"c": ["utf8"]}, plaintext_footer=plaintext_footer
        )
        properties = factory.file_encryption_properties(pe.KmsConnectionConfig(), configuration)
        with pq.ParquetWriter(path, sample.schema, encryption_properties=properties) as writer:
            writer.write_table(sample)
        for command in ("head", "inspect", "count"):
            assert b"encrypted" in lancer(command, path, status=UNSUPPORTED).stderr


def test_what_cannot_be_read_is_named(sample, scratch):
    path = scratch / "t.parquet"
    pq.write_table(sample, path, compression="brotli")
    assert b"BROTLI" in lancer("head", path, status=UNSUPPORTED).stderr
    path.write_bytes(path.read_bytes()[:-1])
    lancer("head", path, status=CORRUPT)
    path.write_bytes(b"PAR1")
    lancer("head", path, status=CORRUPT)


def test_a_bomb_is_refused_within_little_memory(scratch):
    """Runs and dictionaries stand for more values than memory has: batches stay small, one batch is read."""
    path = scratch / "t.parquet"
    long = pa.array(["x" * 1_000_000] * 2000)
    pq.write_table(pa.table({"text": long, "n": range(2000)}), path)
    assert path.stat().st_size < 1 << 20
    lancer("head", path, "-n", "1", "-o", scratch / "o.arrow", memory=2 << 30)


def test_many_columns_of_nulls_take_little_memory(scratch):
    path = scratch / "t.parquet"
    pq.write_table(pa.table({f"c{number}": pa.nulls(300_000, pa.int64()) for number in range(1000)}), path)
    assert path.stat().st_size < 2 << 20
    assert peak_memory("convert", path, scratch / "o.arrow") < 400 << 20


def test_several_inputs_are_one_table(sample, scratch):
    parts = [sample.slice(start, 100) for start in (0, 100, 200)]
    # Columns in another order, and one that is never null.
    numbers = pa.table({"n": pa.array(range(100), pa.int64())}, schema=pa.schema([pa.field("n", pa.int64(), nullable=False)]))
    pq.write_table(parts[0].append_column("n", numbers["n"]), scratch / "a.parquet")
    second = parts[1].append_column(numbers.schema.field("n"), numbers["n"])
    pq.write_table(second.select(second.column_names[::-1]), scratch / "b.parquet")
    write_arrow(parts[2].append_column("n", pa.nulls(100, pa.int64())), scratch / "c.arrow")
    expected = sample.slice(0, 300).append_column("n", pa.chunked_array([*numbers["n"].chunks * 2, pa.nulls(100, pa.int64())]))

    def check(*paths):
        (scratch / "out.arrow").unlink(missing_ok=True)
        lancer("convert", *paths, scratch / "out.arrow")
        return read_arrow(scratch / "out.arrow")

    assert_tables_equal(check(scratch / "a.parquet", scratch / "b.parquet"), expected.slice(0, 200))
    assert_tables_equal(check(scratch / "[ab].parquet"), expected.slice(0, 200))
    assert_tables_equal(check(scratch / "*.parquet", scratch / "c.arrow"), expected)
    assert text("count", scratch / "a.parquet", scratch / "c.arrow") == "200\n"
    assert len(text("scan", scratch / "a.parquet", scratch / "b.parquet", "-c", "n", "--json", "--limit", "150").splitlines()) == 150
    # Appended at once, and each for itself.
    lancer("convert", scratch / "a.parquet", scratch / "t.lance")
    lancer("append", scratch / "t.lance", scratch / "b.parquet", scratch / "c.arrow")
    lancer("append", scratch / "t.lance", scratch / "*.parquet")
    got = lance_to_table(scratch / "t.lance", scratch / "t.arrow")
    assert_tables_equal(got, pa.concat_tables([expected, expected.slice(0, 200)]), table_metadata=False)
    assert len(text("versions", scratch / "t.lance", "--json").splitlines()) == 3
    # A misfit is found before anything is written.
    pq.write_table(sample.select(["utf8"]), scratch / "d.parquet")
    done = lancer("convert", scratch / "a.parquet", scratch / "d.parquet", scratch / "x.lance", status=USAGE)
    assert b"d.parquet has no column" in done.stderr and not (scratch / "x.lance").exists()
    done = lancer("convert", scratch / "*.nothing", scratch / "x.lance", status=USAGE)
    assert b"no file fits" in done.stderr


def test_lists_of_one_length_become_vectors(scratch):
    rows = [None, [1.5, 2.5, None], None, [4.0, 5.0, 6.0]]
    lists = pa.table({"v": pa.array(rows, pa.list_(pa.float32())), "w": pa.array([[1], [2], [3], [4]], pa.large_list(pa.int8()))})
    pq.write_table(lists, scratch / "l.parquet", row_group_size=1)
    lancer("convert", scratch / "l.parquet", scratch / "v.lance", "--vector", "v", "--vector", "w=1")
    got = lance_to_table(scratch / "v.lance", scratch / "v.arrow")
    assert got.schema.field("v").type == pa.list_(pa.float32(), 3) and got.schema.field("w").type == pa.list_(pa.int8(), 1)
    assert got.to_pylist() == lists.to_pylist()
    # They come back from Parquet as vectors without being asked for.
    lancer("convert", scratch / "v.lance", scratch / "v.parquet")
    assert_tables_equal(converted(scratch / "v.parquet", scratch), got)
    assert pq.read_table(scratch / "v.parquet").schema.field("v").type.list_size == 3
    for table, options, message in [
        (pa.table({"v": [[1], [2, 3]]}), ["v"], b"a list of 2 values among lists of 1"),
        (pa.table({"v": [[1], [2]]}), ["v=3"], b"a list of 1 values among lists of 3"),
        (pa.table({"v": pa.array([None], pa.list_(pa.int8()))}), ["v"], b"give the length"),
        (pa.table({"v": [1]}), ["v"], b"cannot become vectors"),
        (pa.table({"v": [[1]]}), ["w"], b"no column \"w\""),
    ]:
        pq.write_table(table, scratch / "bad.parquet")
        done = lancer("convert", scratch / "bad.parquet", scratch / "bad.lance", "--vector", *options, status=USAGE)
        assert message in done.stderr, done.stderr


def test_what_lancer_writes_is_described_in_the_file(sample, scratch):
    """Statistics, page index, checksums, encodings and sizes are there, and right by pyarrow's account."""
    write_arrow(sample, scratch / "t.arrow", batch_rows=100)
    lancer("convert", scratch / "t.arrow", scratch / "t.parquet", "--row-group-bytes", "100KB", "--compression", "zstd:5")
    file = pq.ParquetFile(scratch / "t.parquet", page_checksum_verification=True)
    assert file.metadata.created_by.startswith("lancer version ") and file.metadata.num_row_groups > 1
    assert file.read().num_rows == 400
    start = 0
    for index in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(index)
        rows = sample.slice(start, group.num_rows)
        start += group.num_rows
        for position, name in [(sample.column_names.index(n), n) for n in ("int8", "uint32", "int64")]:
            column = group.column(next(i for i in range(group.num_columns) if group.column(i).path_in_schema == name))
            values = rows[position].drop_null()
            statistics = column.statistics
            assert statistics.null_count == rows[position].null_count
            assert (statistics.min, statistics.max) == (min(values.to_pylist()), max(values.to_pylist()))
            assert column.has_column_index and column.has_offset_index and column.compression == "ZSTD"
    report = json.loads(text("inspect", scratch / "t.parquet", "--json"))
    assert report["rows"] == 400 and len(report["rowGroups"]) == file.metadata.num_row_groups
    with duckdb.connect() as connection:
        low, high = sample["int64"].to_pylist()[7], sample["int64"].to_pylist()[11]
        wanted = sum(value is not None and min(low, high) <= value <= max(low, high) for value in sample["int64"].to_pylist())
        query = f"select count(*) from '{scratch / 't.parquet'}' where int64 between {min(low, high)} and {max(low, high)}"
        assert connection.execute(query).fetchone() == (wanted,)
    frame = polars.scan_parquet(scratch / "t.parquet").filter(polars.col("utf8") > "r").select(polars.len()).collect()
    assert frame.item() == sum(value is not None and value > "r" for value in sample["utf8"].to_pylist())


def test_a_folder_is_inspected(sample, scratch):
    folder = scratch / "parts"
    folder.mkdir()
    for part in range(2):
        pq.write_table(sample.slice(part * 100, 100), folder / f"part-{part}.parquet")
    report = json.loads(text("inspect", folder, "--json"))
    assert report["rows"] == 200 and [file["rows"] for file in report["files"]] == [100, 100]
