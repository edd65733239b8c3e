"""Structs stored row by row (field metadata `packed`), with every kind of field that pylance packs."""

from __future__ import annotations

from decimal import Decimal

import lance
import pyarrow as pa
import pytest

from compare import assert_tables_equal
from lancer_cli import UNSUPPORTED, lance_to_table, lancer, table_to_lance, write_arrow

ROWS = 3_000

# Type of the second field (the first is an int32, or text), and its value in row i.
FIELDS = {
    "double": (pa.float64(), lambda i: i * 0.5),
    "half": (pa.float16(), lambda i: float(i % 100)),
    "fixed bytes": (pa.binary(3), lambda i: i.to_bytes(3, "big")),
    "decimal": (pa.decimal128(20, 2), lambda i: Decimal(i) / 4),
    "text": (pa.string(), lambda i: "x" * (i % 7) + str(i)),
    "bytes": (pa.large_binary(), lambda i: b"\x00" * (i % 5)),
    "vector": (pa.list_(pa.float32(), 3), lambda i: [i, 1.5, -i]),
    "vector of vectors": (pa.list_(pa.list_(pa.int8(), 2), 3), lambda i: [[i % 100, 1], [2, 3], [4, -5]]),
    "vector of booleans": (pa.list_(pa.bool_(), 16), lambda i: [bool(i >> k & 1) for k in range(16)]),
    "vector with null items": (pa.list_(pa.int16(), 5), lambda i: [None if (i + k) % 3 == 0 else i + k for k in range(5)]),
}
ONLY_IN_2_2 = {"text", "bytes", "vector", "vector of vectors", "vector of booleans", "vector with null items"}


def packed_table(type_: pa.DataType, value, first: pa.DataType, nulls: bool) -> pa.Table:
    struct = pa.struct([pa.field("a", first), pa.field("b", type_)])
    name = (lambda i: f"row {i}") if pa.types.is_string(first) else (lambda i: i)
    rows = [None if nulls and i % 7 == 3 else {"a": name(i), "b": value(i)} for i in range(ROWS)]
    field = pa.field("s", struct, metadata={"packed": "true"})
    return pa.table([pa.array(rows, struct), pa.array(range(ROWS))], schema=pa.schema([field, pa.field("row", pa.int64())]))


@pytest.mark.parametrize("nulls", [False, True], ids=["full", "nulls"])
@pytest.mark.parametrize("first", ["number", "text"])
@pytest.mark.parametrize("version", ["2.1", "2.2"])
@pytest.mark.parametrize("name", FIELDS)
def test_packed(name, version, first, nulls, scratch):
    type_, value = FIELDS[name]
    table = packed_table(type_, value, pa.int32() if first == "number" else pa.string(), nulls)
    if version == "2.1" and (name in ONLY_IN_2_2 or first == "text"):
        write_arrow(table, scratch / "t.arrow")
        done = lancer("convert", scratch / "t.arrow", scratch / "t.lance", "--file-version", "2.1", status=UNSUPPORTED)
        assert b"packed struct" in done.stderr
        return
    theirs = lance.write_dataset(table, str(scratch / "theirs.lance"), data_storage_version=version)
    assert_tables_equal(theirs.to_table(), table)
    assert_tables_equal(lance_to_table(scratch / "theirs.lance", scratch / "back.arrow"), table)
    table_to_lance(table, scratch / "ours.lance", "--file-version", version)
    ours = lance.dataset(str(scratch / "ours.lance"))
    assert_tables_equal(ours.to_table(), table)
    assert_tables_equal(ours.take([2999, 3, 4, 1024]), table.take([2999, 3, 4, 1024]))
