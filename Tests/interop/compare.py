"""Bit-exact comparison of Arrow tables.

Arrow's own `equals` is too kind (metadata) and too strict (NaN is never equal to itself) for a storage format. Here two
tables are equal when their schemas are the same to the last metadata key and every live value has the same bits. A value
is live when it and everything around it is valid: what hides under a null may differ.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa


class Difference(AssertionError):
    """Two tables differ; the message says where and how."""


def assert_tables_equal(got: pa.Table, expected: pa.Table, table_metadata: bool = True) -> None:
    """Raises `Difference` unless both tables have the same schema, length and live bits."""
    compare_schemas(got.schema, expected.schema, table_metadata)
    if got.num_rows != expected.num_rows:
        raise Difference(f"rows: got {got.num_rows}, expected {expected.num_rows}")
    for index, field in enumerate(expected.schema):
        left, right = one_array(got.column(index)), one_array(expected.column(index))
        live = np.ones(expected.num_rows, dtype=bool)
        compare_arrays(left, right, live, live, field.name)


def compare_schemas(got: pa.Schema, expected: pa.Schema, table_metadata: bool = True) -> None:
    if got.names != expected.names:
        raise Difference(f"columns: got {got.names[:12]}, expected {expected.names[:12]}")
    for left, right in zip(got, expected):
        compare_fields(left, right, right.name)
    if table_metadata and (got.metadata or {}) != (expected.metadata or {}):
        raise Difference(f"schema metadata: got {got.metadata}, expected {expected.metadata}")


def compare_fields(got: pa.Field, expected: pa.Field, path: str) -> None:
    if got.name != expected.name:
        raise Difference(f"{path}: field name: got {got.name!r}, expected {expected.name!r}")
    if got.nullable != expected.nullable:
        raise Difference(f"{path}: nullable: got {got.nullable}, expected {expected.nullable}")
    if (got.metadata or {}) != (expected.metadata or {}):
        raise Difference(f"{path}: field metadata: got {got.metadata}, expected {expected.metadata}")
    if got.type.id != expected.type.id:
        raise Difference(f"{path}: type: got {got.type}, expected {expected.type}")
    left, right = child_fields(got.type), child_fields(expected.type)
    if len(left) != len(right):
        raise Difference(f"{path}: type: got {got.type}, expected {expected.type}")
    for a, b in zip(left, right):
        compare_fields(a, b, f"{path}.{b.name}")
    if not left and got.type != expected.type:
        raise Difference(f"{path}: type: got {got.type}, expected {expected.type}")
    if pa.types.is_fixed_size_list(got.type) and got.type.list_size != expected.type.list_size:
        raise Difference(f"{path}: type: got {got.type}, expected {expected.type}")


def child_fields(type_: pa.DataType) -> list[pa.Field]:
    if isinstance(type_, pa.ExtensionType):
        return child_fields(type_.storage_type)
    if pa.types.is_map(type_):
        return [type_.key_field, type_.item_field]
    if pa.types.is_dictionary(type_):
        return []
    return [type_.field(i) for i in range(type_.num_fields)]


def one_array(column: pa.ChunkedArray) -> pa.Array:
    if column.num_chunks == 1:
        array = column.chunk(0)
    elif column.num_chunks == 0:
        array = pa.array([], type=column.type)
    elif pa.types.is_dictionary(column.type):
        array = pa.concat_arrays([plain(chunk) for chunk in column.chunks])
    else:
        array = pa.concat_arrays(column.chunks)
    array.validate(full=True)
    return array


def plain(array: pa.Array) -> pa.Array:
    """The array without its dictionary."""
    return array.dictionary.take(array.indices) if pa.types.is_dictionary(array.type) else array


def compare_arrays(got: pa.Array, expected: pa.Array, live_got: np.ndarray, live_expected: np.ndarray, path: str) -> None:
    """`live_…` mark the elements that count; both have the same number of marks."""
    if isinstance(expected.type, pa.ExtensionType):
        got, expected = got.storage, expected.storage
    got, expected = plain(got), plain(expected)
    type_ = expected.type
    if pa.types.is_null(type_):
        return
    valid_got, valid_expected = validity(got), validity(expected)
    marks_got, marks_expected = valid_got[live_got], valid_expected[live_expected]
    if not np.array_equal(marks_got, marks_expected):
        at = first_difference(marks_got, marks_expected)
        raise Difference(
            f"{path}[{at}]: got {'a value' if marks_got[at] else 'null'}, "
            f"expected {'a value' if marks_expected[at] else 'null'} "
            f"({int(np.sum(marks_got != marks_expected))} of {len(marks_got)} differ)"
        )
    live_got, live_expected = live_got & valid_got, live_expected & valid_expected

    if pa.types.is_struct(type_):
        for index in range(type_.num_fields):
            name = type_.field(index).name
            compare_arrays(got.field(index), expected.field(index), live_got, live_expected, f"{path}.{name}")
    elif pa.types.is_fixed_size_list(type_):
        compare_arrays(
            fixed_items(got), fixed_items(expected), np.repeat(live_got, type_.list_size),
            np.repeat(live_expected, type_.list_size), f"{path}[]",
        )
    elif pa.types.is_list(type_) or pa.types.is_large_list(type_) or pa.types.is_map(type_):
        offsets_got, offsets_expected = offsets(got), offsets(expected)
        same_lengths(np.diff(offsets_got)[live_got], np.diff(offsets_expected)[live_expected], path)
        for name, items in item_arrays(type_).items():
            compare_arrays(
                items(got), items(expected), spread(live_got, offsets_got, len(items(got))),
                spread(live_expected, offsets_expected, len(items(expected))), f"{path}[]{name}",
            )
    elif is_variable(type_):
        offsets_got, offsets_expected = offsets(got), offsets(expected)
        same_lengths(np.diff(offsets_got)[live_got], np.diff(offsets_expected)[live_expected], path)
        left, right = live_bytes(got, offsets_got, live_got), live_bytes(expected, offsets_expected, live_expected)
        if not np.array_equal(left, right):
            for index, (a, b) in enumerate(zip(chosen(got, live_got), chosen(expected, live_expected))):
                if a.as_py() != b.as_py():
                    raise Difference(f"{path}[{index}]: got {brief(a.as_py())}, expected {brief(b.as_py())}")
            raise Difference(f"{path}: bytes differ")
    else:
        left, right = fixed_bits(got)[live_got], fixed_bits(expected)[live_expected]
        if not np.array_equal(left, right):
            differs = (left != right).reshape(len(left), -1).any(axis=1)
            at = int(np.argmax(differs))
            raise Difference(
                f"{path}[{at}]: got {brief(chosen(got, live_got)[at])} ({hex_of(left[at])}), "
                f"expected {brief(chosen(expected, live_expected)[at])} ({hex_of(right[at])}), "
                f"{int(differs.sum())} of {len(left)} differ"
            )


def item_arrays(type_: pa.DataType) -> dict:
    if pa.types.is_map(type_):
        return {".key": lambda a: a.keys, ".value": lambda a: a.items}
    return {"": lambda a: a.values}


def is_variable(type_: pa.DataType) -> bool:
    return any(
        test(type_)
        for test in (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    )


def validity(array: pa.Array) -> np.ndarray:
    if pa.types.is_null(array.type):
        return np.zeros(len(array), dtype=bool)
    buffer = array.buffers()[0]
    return np.ones(len(array), dtype=bool) if buffer is None else bits(buffer, array.offset, len(array))


def bits(buffer: pa.Buffer, offset: int, length: int) -> np.ndarray:
    if length == 0:
        return np.zeros(0, dtype=bool)
    start = offset // 8
    raw = np.frombuffer(buffer, dtype=np.uint8)[start : (offset + length + 7) // 8]
    return np.unpackbits(raw, bitorder="little")[offset - start * 8 :][:length].astype(bool)


def offsets(array: pa.Array) -> np.ndarray:
    wide = pa.types.is_large_list(array.type) or pa.types.is_large_string(array.type) or pa.types.is_large_binary(array.type)
    dtype = np.dtype(np.int64 if wide else np.int32)
    if len(array) == 0:
        return np.zeros(1, dtype=dtype)
    return np.frombuffer(array.buffers()[1], dtype=dtype, count=len(array) + 1, offset=array.offset * dtype.itemsize)


def fixed_items(array: pa.Array) -> pa.Array:
    size = array.type.list_size
    return array.values.slice(array.offset * size, len(array) * size)


def fixed_bits(array: pa.Array) -> np.ndarray:
    """One row of bytes (or one unsigned integer, or one bit) a value."""
    type_ = array.type
    if pa.types.is_boolean(type_):
        return bits(array.buffers()[1], array.offset, len(array)) if len(array) else np.zeros(0, dtype=bool)
    width = type_.byte_width if pa.types.is_fixed_size_binary(type_) else type_.bit_width // 8
    if len(array) == 0:
        return np.zeros(0, dtype=np.uint8)
    if width in (1, 2, 4, 8):
        dtype = np.dtype(f"u{width}")
        return np.frombuffer(array.buffers()[1], dtype=dtype, count=len(array), offset=array.offset * width)
    raw = np.frombuffer(array.buffers()[1], dtype=np.uint8, count=len(array) * width, offset=array.offset * width)
    return raw.reshape(len(array), width)


def spread(live: np.ndarray, offsets_: np.ndarray, count: int) -> np.ndarray:
    """Marks of the items that belong to marked lists."""
    marks = np.zeros(count, dtype=bool)
    marks[offsets_[0] : offsets_[-1]] = np.repeat(live, np.diff(offsets_))
    return marks


def live_bytes(array: pa.Array, offsets_: np.ndarray, live: np.ndarray) -> np.ndarray:
    data = array.buffers()[2]
    if data is None or len(array) == 0:
        return np.zeros(0, dtype=np.uint8)
    raw = np.frombuffer(data, dtype=np.uint8)[offsets_[0] : offsets_[-1]]
    return raw if live.all() else raw[np.repeat(live, np.diff(offsets_))]


def same_lengths(got: np.ndarray, expected: np.ndarray, path: str) -> None:
    if not np.array_equal(got, expected):
        at = first_difference(got, expected)
        raise Difference(f"{path}[{at}]: got length {got[at]}, expected {expected[at]}")


def first_difference(got: np.ndarray, expected: np.ndarray) -> int:
    return int(np.argmax(got != expected)) if len(got) == len(expected) else min(len(got), len(expected))


def chosen(array: pa.Array, live: np.ndarray) -> pa.Array:
    return array.filter(pa.array(live))


def brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:60]}… ({len(text)} characters)"


def hex_of(value: object) -> str:
    return value.tobytes().hex() if hasattr(value, "tobytes") else str(value)
