"""Makes the Parquet files of this folder, each with what it holds beside it as an Arrow stream.

Some come from pyarrow as they are; the odd ones get another footer over the same pages.
"""

from __future__ import annotations

import datetime
import decimal
import io
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from thrift_edit import I32, edit_footer

HERE = Path(__file__).parent


def parquet(table: pa.Table, **options) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **{"store_schema": False, "write_statistics": False, **options})
    return sink.getvalue()


def save(name: str, data: bytes, expected: pa.Table) -> None:
    (HERE / f"{name}.parquet").write_bytes(data)
    with pa.ipc.new_stream(str(HERE / f"{name}.arrows"), expected.schema) as writer:
        writer.write_table(expected.combine_chunks())


def lists(required: bool) -> pa.Table:
    item = pa.field("element", pa.int32(), nullable=not required)
    return pa.table({"l": pa.array([[1, 2], [], None, [3], [4, 5, 6]], pa.list_(item)), "after": pa.array(range(5), pa.int32())})


def schema_of(footer: dict) -> list:
    return footer[2][1][1]


def two_levels(footer: dict) -> None:
    """`list { element }` becomes one repeated field."""
    schema = schema_of(footer)
    del schema[2]
    schema[2][3] = (I32, 2)
    schema[2][4] = (schema[2][4][0], b"array")


def unannotated(footer: dict) -> None:
    """A repeated group `list { element }` in an ordinary group: a struct of a list of structs."""
    schema = schema_of(footer)
    schema[1].pop(6)
    schema[1].pop(10)


def legacy_group(footer: dict) -> None:
    """The repeated group is called `array`, which makes it the item."""
    schema_of(footer)[2][4] = (schema_of(footer)[2][4][0], b"array")


def mixed() -> pa.Table:
    struct = pa.struct([("x", pa.int16()), ("y", pa.list_(pa.field("element", pa.utf8())))])
    deep = pa.list_(pa.field("element", pa.list_(pa.field("element", struct))))
    return pa.table(
        {
            "deep": pa.array([[[{"x": 1, "y": ["a", None]}, None], None], None, [], [[]], [[{"x": None, "y": []}, {"x": 2, "y": None}]]], deep),
            "map": pa.array([[("k", 1), ("l", None)], None, [], [("m", 3)], [("k", 4)]], pa.map_(pa.utf8(), pa.int64())),
            "text": pa.array(["one", None, "", "zwölf", "one"]),
            "flag": pa.array([True, None, False, True, True]),
            "dec": pa.array([None, decimal.Decimal("-1.25"), decimal.Decimal("99999.99"), None, decimal.Decimal("0.01")], pa.decimal128(7, 2)),
            "wide": pa.array([decimal.Decimal(10) ** 40, None, -(decimal.Decimal(10) ** 40), None, decimal.Decimal(1)], pa.decimal256(50, 0)),
            "at": pa.array([datetime.datetime(2020, 1, 2, 3, 4, 5, 6), None, datetime.datetime(1901, 1, 1), None, None], pa.timestamp("us", "UTC")),
            "half": pa.array([1.5, None, -2, 0, 3], pa.float16()),
        }
    )


def numbers(rows: int = 150) -> pa.Table:
    return pa.table(
        {
            "delta": pa.array([(i * 7919) % 1000 - 500 for i in range(rows)], pa.int32()),
            "delta64": pa.array([None if i % 7 == 0 else i * i * 10**9 for i in range(rows)], pa.int64()),
            "lengths": pa.array([None if i % 11 == 0 else "v" * (i % 5) for i in range(rows)]),
            "prefixes": pa.array([f"common/{i // 10:03}/{i}" for i in range(rows)]),
            "fixed": pa.array([b"ab%02d" % (i // 3) for i in range(rows)], pa.binary(4)),
            "split": pa.array([i / 7 for i in range(rows)], pa.float64()),
            "runs": pa.array([i % 50 < 30 for i in range(rows)]),
        }
    )


def main() -> None:
    for codec in ("snappy", "gzip", "lz4", "zstd"):
        save(f"mixed-{codec}", parquet(mixed(), compression=codec, data_page_version="2.0" if codec == "zstd" else "1.0"), mixed())
    save("groups", parquet(mixed(), compression="none", row_group_size=2, write_page_checksum=True), mixed())
    encodings = {
        "delta": "DELTA_BINARY_PACKED", "delta64": "DELTA_BINARY_PACKED", "lengths": "DELTA_LENGTH_BYTE_ARRAY",
        "prefixes": "DELTA_BYTE_ARRAY", "fixed": "DELTA_BYTE_ARRAY", "split": "BYTE_STREAM_SPLIT", "runs": "RLE",
    }
    options = {"compression": "none", "use_dictionary": False, "column_encoding": encodings}
    save("encodings", parquet(numbers(), **options), numbers())
    fallback = pa.table({"s": [f"text {i}" for i in range(400)]})
    save("fallback", parquet(fallback, dictionary_pagesize_limit=500, data_page_size=300, write_batch_size=20), fallback)
    moments = pa.table({"t": pa.array([0, -1, None, 1_700_000_000_000_000_000], pa.timestamp("ns"))})
    save("int96", parquet(moments, use_deprecated_int96_timestamps=True), moments)
    save("no-columns", parquet(pa.table({})), pa.table({}))

    required, optional = lists(True), lists(False)
    item = pa.field("array", pa.int32(), nullable=False)
    expected = pa.table({"l": required["l"].cast(pa.list_(item)), "after": required["after"]})
    save("two-levels", edit_footer(parquet(required), two_levels), expected)
    rows = [None if row is None else [{"element": value} for value in row] for row in optional["l"].to_pylist()]
    group = pa.struct([pa.field("element", pa.int32())])
    expected = pa.table({"l": pa.array(rows, pa.list_(pa.field("array", group, nullable=False))), "after": optional["after"]})
    save("legacy-group", edit_footer(parquet(optional), legacy_group), expected)
    inner = pa.field("list", pa.list_(pa.field("list", group, nullable=False)), nullable=False)
    structs = [None if row is None else {"list": row} for row in rows]
    expected = pa.table({"l": pa.array(structs, pa.struct([inner])), "after": optional["after"]})
    save("unannotated", edit_footer(parquet(optional), unannotated), expected)


if __name__ == "__main__":
    main()
