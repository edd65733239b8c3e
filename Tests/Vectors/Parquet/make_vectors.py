"""Makes the Parquet files of this folder, each with what it holds beside it as an Arrow stream.

Some come from pyarrow as they are; the odd ones get another footer over the same pages.
"""

from __future__ import annotations

import datetime
import decimal
import io
import itertools
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from thrift_edit import BINARY, FALSE, I32, I64, LIST, STRUCT, TRUE, edit_footer, edit_pages

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


# ---------------------------------------------------------------- required, optional and repeated groups, all mixes of four

KINDS = {"r": "required", "o": "optional", "m": "repeated"}


def mixes() -> tuple[bytes, pa.Table]:
    """A column `a { b { c { d } } }` for every way to make each of the four required, optional or repeated.

    pyarrow writes repeated fields as required lists of required items, which have the same levels; then the two groups around
    the item are taken out of the schema.
    """
    columns, fields, wanted = [], [], []
    for kinds in itertools.product("rom", repeat=4):
        name = "".join(kinds)
        columns.append([mixed_value(kinds, row, 0) for row in range(12)])
        fields.append(mixed_field(kinds, 0, name))
        wanted.append(mixed_field(kinds, 0, name))
    stored = pa.schema([list_names(field, "element") for field in fields])
    data = parquet(pa.Table.from_arrays([pa.array(c, f.type) for c, f in zip(columns, stored)], schema=stored))
    return edit_footer(data, unwrap_lists), pa.Table.from_arrays([pa.array(c, f.type) for c, f in zip(columns, fields)], schema=pa.schema(wanted))


def mixed_field(kinds, depth: int, name: str) -> pa.Field:
    inner = pa.int32() if depth == 3 else pa.struct([mixed_field(kinds, depth + 1, "bcd"[depth])])
    if kinds[depth] == "m":
        return pa.field(name, pa.list_(pa.field(name, inner, nullable=False)), nullable=False)
    return pa.field(name, inner, nullable=kinds[depth] == "o")


def mixed_value(kinds, row: int, depth: int, salt: int = 0):
    if kinds[depth] == "m":
        return [mixed_item(kinds, row, depth, salt * 3 + item) for item in range((row + depth + salt) % 3)]
    if kinds[depth] == "o" and (row + salt) % (depth + 2) == 0:
        return None
    return mixed_item(kinds, row, depth, salt)


def mixed_item(kinds, row: int, depth: int, salt: int):
    return row * 1000 + salt if depth == 3 else {"bcd"[depth]: mixed_value(kinds, row, depth + 1, salt)}


def list_names(field: pa.Field, name: str) -> pa.Field:
    if pa.types.is_list(field.type):
        item = list_names(field.type.value_field, name).with_name(name)
        return field.with_type(pa.list_(item))
    if pa.types.is_struct(field.type):
        return field.with_type(pa.struct([list_names(child, name) for child in field.type]))
    return field


def unwrap_lists(footer: dict) -> None:
    """`required group x (LIST) { repeated group list { required T element } }` becomes `repeated T x`."""
    old, new, at = schema_of(footer), [], 0
    while at < len(old):
        element = old[at]
        at += 1
        if 6 in element and element[6][1] == 3:
            item = old[at + 1]
            at += 2
            item[3], item[4] = (I32, 2), element[4]
            element = item
        new.append(element)
    old[:] = new


# ---------------------------------------------------------------- decimals in all carriers


def decimals() -> tuple[bytes, pa.Table]:
    values = [decimal.Decimal(text) for text in ("0.00", "-0.01", "1.27", "-1.28", "1.28", "-9999999.99", "9999999.99")] + [None]
    types = {"int32": pa.decimal128(9, 2), "int64": pa.decimal128(18, 2), "fixed": pa.decimal128(25, 2), "bytes": pa.decimal128(20, 2), "wide": pa.decimal256(50, 2)}
    expected = pa.table({name: pa.array(values, type_) for name, type_ in types.items()})
    stored = expected.set_column(3, "bytes", pa.array([shortest(value) for value in values], pa.binary()))

    def annotate(footer: dict) -> None:
        element = schema_of(footer)[4]
        element[6], element[7], element[8] = (I32, 5), (I32, 2), (I32, 20)

    return edit_footer(parquet(stored, store_decimal_as_integer=True), annotate), expected


def shortest(value: decimal.Decimal | None) -> bytes | None:
    """Two's complement, big-endian, of as few bytes as will do."""
    if value is None:
        return None
    number = int(value.scaleb(2))
    return number.to_bytes((number + (number < 0)).bit_length() // 8 + 1, "big", signed=True)


# ---------------------------------------------------------------- what older writers did


def hybrid(data: bytes, width: int, count: int) -> list[int]:
    """Numbers written as runs and bit-packed groups."""
    values, at = [], 0
    while len(values) < count:
        header = shift = 0
        while True:
            byte = data[at]
            at += 1
            header |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        if header & 1:
            size = (header >> 1) * width
            bits = int.from_bytes(data[at : at + size], "little")
            values += [bits >> (i * width) & (1 << width) - 1 for i in range((header >> 1) * 8)]
        else:
            size = (width + 7) // 8
            values += [int.from_bytes(data[at : at + size], "little")] * (header >> 1)
        at += size
    return values[:count]


def bit_packed(header: dict, content: bytes, meta: dict) -> tuple[dict, bytes]:
    """Levels as they were before runs: packed from the highest bit down, without their size."""
    out, at = b"", 0
    count = header[5][1][1][1]
    for field, width in ((4, 1), (3, 2)):  # repetition levels first
        size = int.from_bytes(content[at : at + 4], "little")
        levels = hybrid(content[at + 4 : at + 4 + size], width, count)
        at += 4 + size
        text = "".join(f"{level:0{width}b}" for level in levels)
        text += "0" * (-len(text) % 8)
        out += int(text, 2).to_bytes(len(text) // 8, "big")
        header[5][1][field] = (I32, 4)
    header[2] = (I32, len(out) + len(content) - at)
    return header, out + content[at:]


def hadoop_lz4(header: dict, content: bytes, meta: dict) -> tuple[dict, bytes]:
    """Two blocks, each behind its sizes, big-endian."""
    meta[4] = (I32, 5)
    half = len(content) // 2
    out = b""
    for part in (content[:half], content[half:]):
        packed = pa.Codec("lz4_raw").compress(part, asbytes=True)
        out += len(part).to_bytes(4, "big") + len(packed).to_bytes(4, "big") + packed
    return header, out


def lz4_frames(header: dict, content: bytes, meta: dict) -> tuple[dict, bytes]:
    meta[4] = (I32, 5)
    return header, pa.Codec("lz4").compress(content, asbytes=True)


def without_logical_types(footer: dict) -> None:
    """Annotations only in the old form."""
    for element in schema_of(footer):
        element.pop(10, None)


def annotated() -> tuple[bytes, pa.Table]:
    """Annotations pyarrow has no types for."""
    values = {"enum": [b"RED", None], "json": [b"{}", b"[1]"], "bson": [b"\x05\0\0\0\0", None], "uuid": [bytes(16), bytes(range(16))], "interval": [bytes(12), None]}
    types = {"uuid": pa.binary(16), "interval": pa.binary(12)}
    table = pa.table({name: pa.array(column, types.get(name, pa.binary())) for name, column in values.items()})

    def annotate(footer: dict) -> None:
        _, enum, json, bson, uuid, interval = schema_of(footer)
        enum[6], json[6], bson[6], interval[6] = (I32, 4), (I32, 19), (I32, 20), (I32, 21)
        enum[10], json[10], bson[10], uuid[10] = [(STRUCT, {number: (STRUCT, {})}) for number in (4, 12, 13, 14)]

    expected = table.cast(pa.schema([f.with_type(pa.utf8()) if f.name in ("enum", "json") else f for f in table.schema]))
    return edit_footer(parquet(table), annotate), expected


def old_map(footer: dict) -> None:
    """The annotation on the inner group, under its old name, and a key that might be null."""
    _, outer, inner, key, *_ = schema_of(footer)
    outer[6] = (I32, 2)
    outer.pop(10, None)
    inner[4], inner[6] = (BINARY, b"map"), (I32, 2)


def empty_groups() -> tuple[bytes, pa.Table]:
    sink, table = io.BytesIO(), lists(False)
    with pq.ParquetWriter(sink, table.schema, store_schema=False) as writer:
        for part in (table.slice(0, 0), table.slice(0, 2), table.slice(0, 0), table.slice(2, 3), table.slice(0, 0)):
            writer.write_table(part)
    assert pq.ParquetFile(io.BytesIO(sink.getvalue())).metadata.num_row_groups == 5
    return sink.getvalue(), table


def counted_only(footer: dict) -> None:
    """Seven rows of no columns."""
    footer[3] = (I64, 7)
    footer[4] = (LIST, (STRUCT, [{1: (LIST, (STRUCT, [])), 2: (I64, 0), 3: (I64, 7)}]))


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

    save("mixes", *mixes())
    save("decimals", *decimals())
    save("empty-groups", *empty_groups())
    save("annotations", *annotated())
    rows = lists(False)
    save("bit-packed-levels", edit_pages(parquet(rows.select(["l"]), compression="none", use_dictionary=False), bit_packed), rows.select(["l"]))
    plain = numbers(60)
    save("lz4-hadoop", edit_pages(parquet(plain, compression="none"), hadoop_lz4), plain)
    save("lz4-frame", edit_pages(parquet(plain, compression="none"), lz4_frames), plain)
    old = {"use_deprecated_int96_timestamps": False, "version": "1.0", "coerce_timestamps": "ms", "allow_truncated_timestamps": True, "write_time_adjusted_to_utc": True}
    typed = pa.table({
        "i8": pa.array([-128, None, 127], pa.int8()), "u16": pa.array([0, None, 65535], pa.uint16()), "text": ["a", None, "é"],
        "day": pa.array([0, None, -1], pa.date32()), "time": pa.array([0, None, 86_399_999], pa.time32("ms")),
        "at": pa.array([0, None, -1], pa.timestamp("ms", "UTC")), "dec": pa.array([decimal.Decimal("1.5"), None, decimal.Decimal("-1.5")], pa.decimal128(5, 1)),
    })
    save("converted-types", edit_footer(parquet(typed, **old), without_logical_types), typed)
    pairs = pa.table({"m": pa.array([[("k", 1), ("l", None)], None, []], pa.map_(pa.utf8(), pa.int64()))})
    save("old-map", edit_footer(parquet(pairs), old_map), pairs)
    data = edit_footer(parquet(pa.table({})), counted_only)
    (HERE / "rows-without-columns.parquet").write_bytes(data)


if __name__ == "__main__":
    main()
