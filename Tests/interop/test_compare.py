"""The comparator must see what it promises to see; a blind one would make every other test here pass."""

import numpy as np
import pyarrow as pa
import pytest

from compare import Difference, assert_tables_equal


def table(array, **field):
    return pa.table([array], schema=pa.schema([pa.field("v", array.type, **field)]))


def float_bits(*bits):
    return pa.Array.from_buffers(pa.float64(), len(bits), [None, pa.py_buffer(np.array(bits, dtype=np.uint64))])


UNEQUAL = {
    "negative zero": (float_bits(0), float_bits(1 << 63)),
    "NaN payload": (float_bits(0x7FF8000000000001), float_bits(0x7FF8000000000002)),
    "null and zero": (pa.array([0]), pa.array([None], pa.int64())),
    "null and empty list": (pa.array([[]], pa.list_(pa.int8())), pa.array([None], pa.list_(pa.int8()))),
    "null and empty text": (pa.array([""]), pa.array([None], pa.utf8())),
    "null struct and struct of null": (
        pa.array([None], pa.struct([("x", pa.int8())])),
        pa.array([{"x": None}], pa.struct([("x", pa.int8())])),
    ),
    "item moved to the next list": (pa.array([[1], [2, 3]]), pa.array([[1, 2], [3]])),
    "int32 and int64": (pa.array([1], pa.int32()), pa.array([1], pa.int64())),
    "time zone": (pa.array([0], pa.timestamp("us", "UTC")), pa.array([0], pa.timestamp("us", "+00:00"))),
    "text": (pa.array(["ab", "c"]), pa.array(["a", "bc"])),
    "bytes": (pa.array(["ab"]), pa.array(["ac"])),
    "inner nullable": (
        pa.array([[1]], pa.list_(pa.field("item", pa.int8(), nullable=False))),
        pa.array([[1]], pa.list_(pa.int8())),
    ),
    "item name": (pa.array([[1]], pa.list_(pa.field("element", pa.int8()))), pa.array([[1]], pa.list_(pa.int8()))),
    "dictionary value": (pa.array(["a"]).dictionary_encode(), pa.array(["b"]).dictionary_encode()),
    "dictionary type": (pa.array(["a"]).dictionary_encode(), pa.array(["a"])),
    "vector item": (
        pa.array([[1.0, 2.0]], pa.list_(pa.float32(), 2)),
        pa.array([[1.0, None]], pa.list_(pa.float32(), 2)),
    ),
    "decimal": (pa.array([1], pa.decimal128(5, 0)), pa.array([2], pa.decimal128(5, 0))),
    "bool": (pa.array([True, False]), pa.array([True, True])),
    "map value": (
        pa.array([[("a", 1)]], pa.map_(pa.utf8(), pa.int8())),
        pa.array([[("a", 2)]], pa.map_(pa.utf8(), pa.int8())),
    ),
}


@pytest.mark.parametrize("name", UNEQUAL)
def test_sees_a_difference(name):
    left, right = UNEQUAL[name]
    assert_tables_equal(table(left), table(left))
    assert_tables_equal(table(right), table(right))
    with pytest.raises(Difference):
        assert_tables_equal(table(left), table(right))
    with pytest.raises(Difference):
        assert_tables_equal(table(right), table(left))


def test_sees_metadata_and_nullability():
    array = pa.array([1])
    for field in ({"nullable": False}, {"metadata": {"unit": "m"}}):
        with pytest.raises(Difference):
            assert_tables_equal(table(array), table(array, **field))
    with pytest.raises(Difference):
        assert_tables_equal(table(array), table(array).replace_schema_metadata({"a": "b"}))


def test_ignores_what_hides_under_a_null():
    mask = pa.py_buffer(b"\x05")
    one = pa.Array.from_buffers(pa.int32(), 3, [mask, pa.py_buffer(np.array([1, 7, 3], dtype=np.int32))])
    other = pa.Array.from_buffers(pa.int32(), 3, [mask, pa.py_buffer(np.array([1, 8, 3], dtype=np.int32))])
    assert_tables_equal(table(one), table(other))
    text = pa.Array.from_buffers(pa.utf8(), 2, [pa.py_buffer(b"\x02"), pa.py_buffer(np.array([0, 2, 3], np.int32)), pa.py_buffer(b"xyz")])
    assert_tables_equal(table(text), table(pa.array([None, "z"])))


def test_chunks_and_slices_do_not_matter():
    kinds = [
        pa.array(range(100)), pa.array([str(i) for i in range(100)]), pa.array([[i] * (i % 3) for i in range(100)]),
        pa.array([[i, i] for i in range(100)], pa.list_(pa.int8(), 2)), pa.array([{"x": i} for i in range(100)]),
        pa.array([i % 3 == 0 for i in range(100)]), pa.array([f"{i % 4}" for i in range(100)]).dictionary_encode(),
        pa.array([[(f"{i}", i)] for i in range(100)], pa.map_(pa.utf8(), pa.int8())),
    ]
    for array in kinds:
        whole = table(array).slice(3, 80)
        pieces = pa.concat_tables([whole.slice(0, 11), whole.slice(11, 0), whole.slice(11)])
        assert_tables_equal(pieces, whole)
        assert_tables_equal(whole, pieces)
