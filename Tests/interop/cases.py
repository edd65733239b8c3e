"""The type matrix: every Arrow type the format holds × null pattern × shape of the values × file version.

A case is one table of one type and shape; its columns are the null patterns that apply. Everything comes from a seed made
from the case's name, so a case is the same on every machine and can be run alone.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

VERSIONS = ("2.1", "2.2")
EPSILON_DAYS_MS = 86_400_000

# ---------------------------------------------------------------- types


def field(type_: pa.DataType, nullable: bool = True) -> pa.Field:
    return pa.field("item", type_, nullable=nullable)


POINT = pa.struct([("x", pa.float64()), ("label", pa.utf8())])
NESTED = pa.struct([("id", pa.int32()), ("inner", pa.struct([("flag", pa.bool_()), ("at", POINT)]))])
DEEP = pa.list_(pa.struct([("a", pa.list_(pa.struct([("b", pa.list_(pa.struct([("c", pa.list_(pa.int16())), ("d", pa.utf8())])))])))]))

PRIMITIVES: dict[str, pa.DataType] = {
    "null": pa.null(),
    "bool": pa.bool_(),
    **{f"{s}int{b}": getattr(pa, f"{s}int{b}")() for s in ("", "u") for b in (8, 16, 32, 64)},
    **{f"float{b}": getattr(pa, f"float{b}")() for b in (16, 32, 64)},
    "decimal128": pa.decimal128(38, 10),
    "decimal128-short": pa.decimal128(7, 2),
    "decimal256": pa.decimal256(76, 20),
    "date32": pa.date32(),
    "date64": pa.date64(),
    "time32-s": pa.time32("s"),
    "time32-ms": pa.time32("ms"),
    "time64-us": pa.time64("us"),
    "time64-ns": pa.time64("ns"),
    **{f"timestamp-{u}": pa.timestamp(u) for u in ("s", "ms", "us", "ns")},
    **{f"timestamp-{u}-utc": pa.timestamp(u, "UTC") for u in ("s", "ms", "us", "ns")},
    **{f"timestamp-{u}-newyork": pa.timestamp(u, "America/New_York") for u in ("us", "ns")},
    **{f"timestamp-{u}-offset": pa.timestamp(u, "+02:00") for u in ("s", "ms")},
    **{f"duration-{u}": pa.duration(u) for u in ("s", "ms", "us", "ns")},
    "utf8": pa.utf8(),
    "large-utf8": pa.large_utf8(),
    "binary": pa.binary(),
    "large-binary": pa.large_binary(),
    "fsb-4": pa.binary(4),
    "fsb-16": pa.binary(16),
    "fsb-300": pa.binary(300),
}

VECTORS: dict[str, pa.DataType] = {
    **{
        f"fsl-{name}x{dim}": pa.list_(field(PRIMITIVES[name]), dim)
        for name in ("float16", "float32", "float64", "int8", "uint8", "bool")
        for dim in (3, 64, 384)
        if not (name == "bool" and dim == 3)
    },
    "fsl-boolx8": pa.list_(field(pa.bool_()), 8),
    "fsl-int64x5": pa.list_(field(pa.int64()), 5),
    "fsl-required-float32x16": pa.list_(field(pa.float32(), nullable=False), 16),
    "fsl-fsl": pa.list_(field(pa.list_(field(pa.float32()), 4)), 2),
}

NESTING: dict[str, pa.DataType] = {
    "list-int32": pa.list_(pa.int32()),
    "list-bool": pa.list_(pa.bool_()),
    "list-utf8": pa.list_(pa.utf8()),
    "list-decimal128": pa.list_(pa.decimal128(38, 10)),
    "list-required-int64": pa.list_(field(pa.int64(), nullable=False)),
    "list-named-item": pa.list_(pa.field("element", pa.float32())),
    "large-list-int64": pa.large_list(pa.int64()),
    "large-list-binary": pa.large_list(pa.binary()),
    "list-list-int16": pa.list_(pa.list_(pa.int16())),
    "list-list-list-utf8": pa.list_(pa.list_(pa.list_(pa.utf8()))),
    "list-large-list-float32": pa.list_(pa.large_list(pa.float32())),
    "list-struct": pa.list_(POINT),
    "list-fsl-float32x8": pa.list_(pa.list_(field(pa.float32()), 8)),
    "list-fsl-float32x96": pa.list_(pa.list_(field(pa.float32()), 96)),
    "list-fsb-300": pa.list_(pa.binary(300)),
    "struct": POINT,
    "struct-nested": NESTED,
    "struct-list": pa.struct([("n", pa.int64()), ("tags", pa.list_(pa.utf8())), ("raw", pa.large_binary())]),
    "struct-vector": pa.struct([("v", pa.list_(field(pa.float32()), 96)), ("small", pa.list_(field(pa.int8()), 4))]),
    "struct-temporal": pa.struct([("day", pa.date32()), ("at", pa.timestamp("us", "UTC")), ("price", pa.decimal128(12, 4))]),
    "deep": DEEP,
    "map-utf8-int32": pa.map_(pa.utf8(), pa.int32()),
    "map-int64-list": pa.map_(pa.int64(), pa.list_(pa.utf8())),
    "list-map": pa.list_(pa.map_(pa.utf8(), pa.float64())),
    "fsl-struct": pa.list_(field(pa.struct([("x", pa.int32()), ("y", pa.utf8())])), 2),
    "struct-map": pa.struct([("m", pa.map_(pa.utf8(), pa.int8()))]),
}

DICTIONARIES: dict[str, pa.DataType] = {
    **{f"dictionary-{i}-utf8": pa.dictionary(getattr(pa, i)(), pa.utf8()) for i in ("int8", "int16", "int32", "int64", "uint8", "uint32")},
    "dictionary-int32-large-utf8": pa.dictionary(pa.int32(), pa.large_utf8()),
    "dictionary-int16-int64": pa.dictionary(pa.int16(), pa.int64()),
    "dictionary-int32-binary": pa.dictionary(pa.int32(), pa.binary()),
}

TYPES = {**PRIMITIVES, **VECTORS, **NESTING, **DICTIONARIES}

# Field metadata a type travels with: an extension type nobody registered stays metadata on its storage.
EXTENSIONS = {
    "fsb-16": {"ARROW:extension:name": "lancer.test.id", "ARROW:extension:metadata": '{"bits":128}'},
    "struct": {"ARROW:extension:name": "lancer.test.point", "ARROW:extension:metadata": ""},
    "int32": {"unit": "m"},
}

# ---------------------------------------------------------------- shapes

SHAPES = {"empty": 0, "one": 1, "constant": 700, "runs": 1800, "small": 1500, "full": 1500, "low": 2100}
TEXT_SHAPES = {"long": 400, "huge": 24}
# Rows enough for more than one page of 8 MiB.
MULTI_PAGE = {
    "int32": 2_300_000, "float64": 1_200_000, "utf8": 700_000, "list-int32": 900_000, "struct": 450_000,
    "fsl-float32x384": 6_000, "bool": 400_000, "binary": 300_000, "list-list-int16": 250_000, "dictionary-int16-utf8": 900_000,
}
NO_SHAPE_BUT_COUNT = {"null"}


def shapes_of(name: str) -> dict[str, int]:
    if name in NO_SHAPE_BUT_COUNT:
        return {"empty": 0, "one": 1, "constant": 700}
    shapes = dict(SHAPES)
    if name in VECTORS or name == "struct-vector" or "fsl" in name:
        shapes.pop("small")
        shapes.update({"constant": 200, "runs": 300, "full": 300, "low": 400})
    if name in DICTIONARIES:
        shapes = {"empty": 0, "one": 1, "constant": 700, "runs": 1800, "low": 2100}
    if name in ("bool", "fsl-boolx8", "list-bool"):
        shapes.pop("small", None)
        shapes.pop("low", None)
    if any(word in name for word in ("utf8", "binary", "struct-list", "list-struct")) and name not in DICTIONARIES:
        shapes.update(TEXT_SHAPES)
    return shapes


# Combinations pylance 14.0.2 refuses to write: type, version, what it says. They are left out of the matrix, and a test
# asserts that each is still refused, so that a newer pylance makes the list shrink.
REFUSED: dict[tuple[str, str], str] = {
    ("map-utf8-int32", "2.1"): "Map data type is not enabled",
    ("map-int64-list", "2.1"): "Map data type is not enabled",
    ("list-map", "2.1"): "Map data type is not enabled",
    ("struct-map", "2.1"): "Map data type is not enabled",
    ("fsl-struct", "2.1"): "FixedSizeList",
}

# Combinations pylance 14.0.2 writes and then cannot read: type, null pattern, what it says.
UNREADABLE: dict[tuple[str, str], str] = {("deep", "most"): "Incorrect number of nulls for StructArray"}

# pylance counts the rows of these columns as rows × dimension and refuses to read them beside other columns.
ALONE = {"fsl-struct"}


@dataclass(frozen=True)
class Case:
    """One table of the matrix."""

    type_name: str
    shape: str
    rows: int
    version: str

    @property
    def name(self) -> str:
        return f"{self.type_name}/{self.shape}/{self.version}"

    @property
    def seed(self) -> int:
        return zlib.crc32(f"{self.type_name}/{self.shape}".encode())

    def table(self) -> pa.Table:
        return build_table(self)


def stored(table: pa.Table) -> pa.Table:
    """The table as the format can hold it: a vector's items have no nullability of their own in a Lance schema."""
    schema = pa.schema([stored_field(f) for f in table.schema], metadata=table.schema.metadata)
    return table if schema == table.schema else table.cast(schema)


def stored_field(field_: pa.Field) -> pa.Field:
    type_ = field_.type
    if pa.types.is_fixed_size_list(type_):
        type_ = pa.list_(stored_field(type_.value_field).with_nullable(True), type_.list_size)
    return field_.with_type(type_)


def all_cases() -> list[Case]:
    cases = []
    for version in VERSIONS:
        for name in TYPES:
            if (name, version) in REFUSED:
                continue
            cases += [Case(name, shape, rows, version) for shape, rows in shapes_of(name).items()]
        cases += [Case(name, "pages", rows, version) for name, rows in MULTI_PAGE.items()]
        cases += [Case("wide", shape, rows, version) for shape, rows in {"empty": 0, "one": 1, "full": 60}.items()]
    return cases


# ---------------------------------------------------------------- tables

# Null patterns, each a column: how likely a null is at the top level and at each level below.
PATTERNS = {
    "none": (0.0, 0.0),
    "some": (0.2, 0.2),
    "outer": (0.3, 0.0),
    "inner": (0.0, 0.3),
    "most": (0.97, 0.9),
    "all": (1.0, 0.0),
}


def patterns_of(name: str, shape: str) -> list[str]:
    type_ = TYPES[name]
    if pa.types.is_null(type_):
        return ["all"]
    if shape == "pages":
        return ["some"]
    if shape == "one":
        return ["none", "all"] + (["inner"] if type_.num_fields else [])
    patterns = ["none", "some", "all"] + (["outer", "inner", "most"] if type_.num_fields else ["most"])
    return [pattern for pattern in patterns if (name, pattern) not in UNREADABLE]


def build_table(case: Case) -> pa.Table:
    rng = np.random.default_rng(case.seed)
    if case.type_name == "wide":
        return wide_table(rng, case.rows)
    type_ = TYPES[case.type_name]
    metadata = EXTENSIONS.get(case.type_name)
    columns, fields = [], []
    if case.type_name not in ALONE:
        columns.append(pa.array(np.arange(case.rows, dtype=np.int64) * 3))
        fields.append(pa.field("row", pa.int64(), nullable=False))
    for pattern in patterns_of(case.type_name, case.shape):
        outer, inner = PATTERNS[pattern]
        columns.append(generate(type_, case.rows, case.shape, rng, outer, inner))
        fields.append(pa.field(f"v_{pattern}", type_, nullable=pattern != "none", metadata=metadata))
    schema = pa.schema(fields, metadata={"made by": "the type matrix", "seed": str(case.seed)})
    return pa.Table.from_arrays(columns, schema=schema)


def wide_table(rng: np.random.Generator, rows: int) -> pa.Table:
    kinds = ["int32", "utf8", "float64", "bool", "list-int32", "timestamp-us-utc"]
    columns = {}
    for index in range(600):
        kind = TYPES[kinds[index % len(kinds)]]
        columns[f"column_{index:03}"] = generate(kind, rows, ("full", "small", "constant")[index % 3], rng, 0.1 * (index % 4), 0.1)
    return pa.table(columns)


# ---------------------------------------------------------------- values


def generate(type_: pa.DataType, n: int, shape: str, rng: np.random.Generator, nulls: float, inner: float) -> pa.Array:
    """`n` values of the type; `nulls` of them null, and `inner` of every level below."""
    valid = rng.random(n) >= nulls
    if pa.types.is_null(type_):
        return pa.nulls(n)
    if pa.types.is_dictionary(type_):
        return generate_dictionary(type_, n, shape, rng, valid)
    if pa.types.is_struct(type_):
        children = [generate(f.type, n, shape, rng, inner if f.nullable else 0.0, inner) for f in type_]
        return pa.StructArray.from_arrays(children, fields=list(type_), mask=pa.array(~valid))
    if pa.types.is_fixed_size_list(type_):
        dim = type_.list_size
        item_nulls = inner if type_.value_field.nullable else 0.0
        items = repeated_rows(type_.value_type, n, dim, shape, rng, item_nulls, inner)
        return from_buffers(type_, n, valid, [], [items])
    if pa.types.is_list(type_) or pa.types.is_large_list(type_) or pa.types.is_map(type_):
        return generate_list(type_, n, shape, rng, valid, inner)
    if is_text(type_):
        return generate_text(type_, n, shape, rng, valid)
    return generate_fixed(type_, n, shape, rng, valid)


def repeated_rows(type_: pa.DataType, n: int, dim: int, shape: str, rng: np.random.Generator, nulls: float, inner: float) -> pa.Array:
    """Items of `n` vectors; the shape speaks of whole vectors, so distinct ones are made and then picked."""
    order = pick(n, shape, rng)
    if order is None:
        return generate(type_, n * dim, "full", rng, nulls, inner)
    distinct = int(order.max(initial=-1)) + 1
    pool = generate(type_, distinct * dim, "full", rng, nulls, inner)
    return pool.take(pa.array((order[:, None] * dim + np.arange(dim)).ravel()))


def pick(n: int, shape: str, rng: np.random.Generator) -> np.ndarray | None:
    """For the shapes that repeat values, which value each row has."""
    if shape == "constant":
        return np.zeros(n, dtype=np.int64)
    if shape == "low":
        return rng.integers(0, 11, n)
    if shape == "runs":
        return np.repeat(rng.integers(0, 40, n), rng.integers(1, 60, n))[:n] if n else np.zeros(0, dtype=np.int64)
    return None


def from_buffers(type_: pa.DataType, n: int, valid: np.ndarray, buffers: list, children: list | None = None) -> pa.Array:
    nulls = int(n - valid.sum())
    mask = pa.py_buffer(np.packbits(valid, bitorder="little")) if nulls else None
    return pa.Array.from_buffers(type_, n, [mask, *buffers], nulls, children=children)


def generate_list(type_: pa.DataType, n: int, shape: str, rng: np.random.Generator, valid: np.ndarray, inner: float) -> pa.Array:
    if shape == "constant":
        lengths = np.full(n, 2)
    elif shape == "huge":
        lengths = rng.integers(0, 4, n)
    else:
        lengths = np.where(rng.random(n) < 0.25, 0, rng.integers(0, 7, n))
        if n > 50 and shape in ("full", "low"):
            lengths[rng.integers(0, n, 3)] = 150
            lengths[n // 2 : n // 2 + 20] = 0
    lengths = np.where(valid, lengths, 0)
    wide = pa.types.is_large_list(type_)
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64 if wide else np.int32)
    total = int(starts[-1])
    if pa.types.is_map(type_):
        keys = generate(type_.key_type, total, "full" if shape == "huge" else shape, rng, 0.0, 0.0)
        values = generate(type_.item_type, total, shape, rng, inner, inner)
        items = pa.StructArray.from_arrays([keys, values], fields=[type_.key_field, type_.item_field])
    else:
        items = generate(type_.value_type, total, shape, rng, inner if type_.value_field.nullable else 0.0, inner)
    return from_buffers(type_, n, valid, [pa.py_buffer(starts)], [items])


def is_text(type_: pa.DataType) -> bool:
    return any(t(type_) for t in (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary))


WORDS = ["lance", "column", "page", "naïve", "Straße", "日本語", "🚀", "row", "", "vector", "index", "заметка", "mini-block", "x"]


def generate_text(type_: pa.DataType, n: int, shape: str, rng: np.random.Generator, valid: np.ndarray) -> pa.Array:
    binary = pa.types.is_binary(type_) or pa.types.is_large_binary(type_)
    order = pick(n, shape, rng)
    count = n if order is None else int(order.max(initial=-1)) + 1
    if shape == "pages":
        values = [b"%d-%d" % (a, b) for a, b in zip(rng.integers(0, 1 << 40, count), range(count))]
    else:
        values = [one_text(shape, binary, rng) for _ in range(count)]
    if order is not None:
        values = [values[i] for i in order]
    values = [v if keep else b"" for v, keep in zip(values, valid)]
    wide = pa.types.is_large_string(type_) or pa.types.is_large_binary(type_)
    starts = np.concatenate([[0], np.cumsum([len(v) for v in values])]).astype(np.int64 if wide else np.int32)
    return from_buffers(type_, n, valid, [pa.py_buffer(starts), pa.py_buffer(b"".join(values))])


def one_text(shape: str, binary: bool, rng: np.random.Generator) -> bytes:
    if shape == "huge":
        size = int(rng.choice([0, 10, 33_000, 70_000, 200_000]))
        return rng.bytes(size) if binary else (f"{rng.integers(1 << 60)} énorme " * (size // 16 + 1)).encode()[:size].decode(errors="ignore").encode()
    if binary:
        return rng.bytes(int(rng.integers(0, 900 if shape == "long" else 24)))
    if shape == "small":
        return str(rng.integers(0, 100)).encode()
    words = int(rng.integers(0, 200 if shape == "long" else 6))
    return " ".join(WORDS[i] for i in rng.integers(0, len(WORDS), words)).encode()


def generate_dictionary(type_: pa.DataType, n: int, shape: str, rng: np.random.Generator, valid: np.ndarray) -> pa.Array:
    size = {"constant": 1, "low": 11, "pages": 100}.get(shape, 40)
    if pa.types.is_int64(type_.value_type):
        values = pa.array(np.unique(rng.integers(-(1 << 62), 1 << 62, size)))
    else:
        values = pa.array([f"value {i} {rng.integers(1000)}" for i in range(size)]).cast(type_.value_type)
    order = pick(n, shape, rng)
    indices = rng.integers(0, len(values), n) if order is None else order % len(values)
    width = np.dtype(type_.index_type.to_pandas_dtype())
    return pa.DictionaryArray.from_arrays(pa.array(indices.astype(width), mask=~valid, type=type_.index_type), values)


def generate_fixed(type_: pa.DataType, n: int, shape: str, rng: np.random.Generator, valid: np.ndarray) -> pa.Array:
    if pa.types.is_boolean(type_):
        order = pick(n, shape, rng)
        marks = rng.random(n) < 0.5 if order is None else order % 2 == 1
        return from_buffers(type_, n, valid, [pa.py_buffer(np.packbits(marks, bitorder="little"))])
    width = type_.byte_width if pa.types.is_fixed_size_binary(type_) else type_.bit_width // 8
    order = pick(n, shape, rng)
    count = n if order is None else int(order.max(initial=-1)) + 1
    raw = fixed_bytes(type_, width, count, shape, rng)
    if order is not None:
        raw = raw[order]
    return from_buffers(type_, n, valid, [pa.py_buffer(np.ascontiguousarray(raw))])


def fixed_bytes(type_: pa.DataType, width: int, n: int, shape: str, rng: np.random.Generator) -> np.ndarray:
    """`n` rows of `width` little-endian bytes that are legal values of the type."""
    if pa.types.is_floating(type_):
        return float_bytes(width, n, shape, rng)
    if pa.types.is_decimal(type_):
        digits = min(type_.precision, 18)
        top = 100 if shape == "small" else 10**digits - 1
        low = rng.integers(-top, top, n, endpoint=True)
        raw = np.zeros((n, width), dtype=np.uint8)
        raw[:, 8:] = np.where(low < 0, 255, 0)[:, None]
        raw[:, :8] = low.astype(np.int64).view(np.uint8).reshape(n, 8)
        if shape == "full" and n > 2 and type_.precision > 18:
            for row, value in ((0, 10**type_.precision - 1), (1, 1 - 10**type_.precision)):
                raw[row] = np.frombuffer(value.to_bytes(width, "little", signed=True), dtype=np.uint8)
        return raw
    if pa.types.is_fixed_size_binary(type_):
        if shape == "small":
            return (rng.integers(0, 3, (n, width))).astype(np.uint8)
        return rng.integers(0, 256, (n, width), dtype=np.uint8)
    low, high, step = integer_range(type_, width)
    if shape == "small":
        low, high = (1000 if high > 1000 else 3), (1012 if high > 1012 else 15)
        low, high = (low, high) if step == 1 else (0, 12)
    values = rng.integers(low, high, n, endpoint=True, dtype=np.uint64 if low == 0 and high > (1 << 63) else np.int64)
    if shape == "full" and n > 2:
        values[0], values[1] = low, high
    values = values * np.asarray(step, dtype=values.dtype)
    return values.astype(values.dtype.str).view(np.uint8).reshape(n, 8)[:, :width]


def integer_range(type_: pa.DataType, width: int) -> tuple[int, int, int]:
    if pa.types.is_time(type_):
        per_day = 86_400 * {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[type_.unit]
        return 0, per_day - 1, 1
    if pa.types.is_date64(type_):
        return -100_000, 100_000, EPSILON_DAYS_MS
    if pa.types.is_unsigned_integer(type_):
        return 0, (1 << (8 * width)) - 1, 1
    return -(1 << (8 * width - 1)), (1 << (8 * width - 1)) - 1, 1


def float_bytes(width: int, n: int, shape: str, rng: np.random.Generator) -> np.ndarray:
    dtype = np.dtype(f"f{width}")
    if shape == "small":
        values = (rng.integers(0, 1000, n) / 4).astype(dtype)
    elif shape == "full" and n > 20:
        bits = rng.integers(0, 1 << (8 * width - 1), n, dtype=np.uint64).astype(f"u{width}")
        mantissa = {2: 10, 4: 23, 8: 52}[width]
        infinity = ((1 << (8 * width - 1)) - 1) >> mantissa << mantissa
        sign = 1 << (8 * width - 1)
        special = [0, sign, infinity, infinity | sign, infinity | 1, infinity | sign | 5, infinity | (1 << (mantissa - 1)) | 77, 1, sign | 1]
        bits[: len(special)] = np.array(special, dtype=f"u{width}")
        values = bits.view(dtype)
    else:
        values = rng.standard_normal(n).astype(dtype)
        if n > 3:
            values[:2] = [-0.0, np.nan]
    return values.view(np.uint8).reshape(n, width)
