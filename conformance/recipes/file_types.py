"""Every Arrow type of the format × file version. Each case is one small file whose columns are patterns of nulls."""

from __future__ import annotations

import random
import struct

from common import VERSIONS, Suite, field, item, seeded, spec, values

RECIPE = "file_types.py"
TYPES_PLACE = ("08-types.md#Logical types", "08-types.md#Bytes of values")
ROWS = 24


def children_field(type_: str, *children: dict, **options) -> dict:
    return field("v", type_, *children, **options)


POINT = [field("x", "float64"), field("label", "utf8")]
SIMPLE = [
    "null", "bool", *(f"{s}int{b}" for s in ("", "u") for b in (8, 16, 32, 64)), "float16", "float32", "float64",
    "decimal128(38,10)", "decimal128(7,2)", "decimal256(76,20)", "date32", "date64", "time32(s)", "time32(ms)", "time64(us)",
    "time64(ns)", *(f"timestamp({u})" for u in ("s", "ms", "us", "ns")), *(f"timestamp({u},UTC)" for u in ("s", "ms", "us", "ns")),
    "timestamp(us,America/New_York)", "timestamp(ms,+02:00)", *(f"duration({u})" for u in ("s", "ms", "us", "ns")),
    "utf8", "large_utf8", "binary", "large_binary", "fixed_size_binary(1)", "fixed_size_binary(4)", "fixed_size_binary(16)",
    "fixed_size_binary(300)",
]
NESTED: dict[str, dict] = {
    **{f"fixed-size-list-{t}-{n}": field("v", f"fixed_size_list({n})", item(t)) for t, n in (
        ("float32", 4), ("float32", 64), ("float16", 8), ("float64", 3), ("int8", 5), ("uint8", 300), ("bool", 8), ("int64", 5),
    )},
    "fixed-size-list-decimal128-2": field("v", "fixed_size_list(2)", item("decimal128(38,10)")),
    "fixed-size-list-bool-11": field("v", "fixed_size_list(11)", item("bool")),
    "fixed-size-list-of-fixed-size-list": field("v", "fixed_size_list(2)", item("fixed_size_list(3)", item("float32"))),
    "list-int32": field("v", "list", item("int32")),
    "list-bool": field("v", "list", item("bool")),
    "list-utf8": field("v", "list", item("utf8")),
    "list-float64": field("v", "list", item("float64")),
    "list-decimal128": field("v", "list", item("decimal128(38,10)")),
    "list-required-items": field("v", "list", item("int64", nullable=False)),
    "list-named-items": field("v", "list", field("element", "float32")),
    "list-fixed-size-binary-300": field("v", "list", item("fixed_size_binary(300)")),
    "large-list-int64": field("v", "large_list", item("int64")),
    "large-list-binary": field("v", "large_list", item("large_binary")),
    "list-list-int16": field("v", "list", item("list", item("int16"))),
    "list-list-list-utf8": field("v", "list", item("list", item("list", item("utf8")))),
    "list-large-list-float32": field("v", "list", item("large_list", item("float32"))),
    "list-struct": field("v", "list", item("struct", *POINT)),
    "list-struct-list": field("v", "list", item("struct", field("n", "int8"), field("tags", "list", item("utf8")))),
    "list-fixed-size-list": field("v", "list", item("fixed_size_list(3)", item("float32"))),
    "list-fixed-size-list-wide": field("v", "list", item("fixed_size_list(80)", item("float32"))),
    "struct": field("v", "struct", *POINT),
    "struct-nested": field("v", "struct", field("id", "int32"), field("inner", "struct", field("flag", "bool"), field("at", "struct", *POINT))),
    "struct-required-children": field("v", "struct", field("a", "int32", nullable=False), field("b", "utf8", nullable=False)),
    "struct-list": field("v", "struct", field("n", "int64"), field("tags", "list", item("utf8")), field("raw", "large_binary")),
    "struct-vector": field("v", "struct", field("v", "fixed_size_list(80)", item("float32")), field("small", "fixed_size_list(4)", item("int8"))),
    "struct-temporal": field("v", "struct", field("day", "date32"), field("at", "timestamp(us,UTC)"), field("price", "decimal128(12,4)")),
    "struct-of-nulls": field("v", "struct", field("n", "null"), field("x", "int8")),
    "deep": field("v", "list", item("struct", field("a", "list", item("struct", field("b", "list", item("int16")), field("c", "utf8"))))),
    **{f"dictionary-{i}-utf8": field("v", f"dictionary({i})", field("values", "utf8")) for i in ("int8", "int16", "int32", "int64", "uint8", "uint32")},
    "dictionary-int32-large-utf8": field("v", "dictionary(int32)", field("values", "large_utf8")),
    "dictionary-int16-int64": field("v", "dictionary(int16)", field("values", "int64")),
    "dictionary-int32-binary": field("v", "dictionary(int32)", field("values", "binary")),
    "list-dictionary": field("v", "list", item("dictionary(int8)", field("values", "utf8"))),
}
ONLY_22: dict[str, dict] = {
    "map-utf8-int32": field("v", "map", field("key", "utf8", nullable=False), field("value", "int32")),
    "map-int64-list": field("v", "map", field("key", "int64", nullable=False), field("value", "list", item("utf8"))),
    "list-map": field("v", "list", item("map", field("key", "utf8", nullable=False), field("value", "float64"))),
    "struct-map": field("v", "struct", field("m", "map", field("key", "utf8", nullable=False), field("value", "int8"))),
    "fixed-size-list-of-struct": field("v", "fixed_size_list(2)", item("struct", field("x", "int32"), field("y", "utf8"))),
}
# pylance cannot read a vector of structs beside other columns.
ALONE = {"fixed-size-list-of-struct"}
EXTENSIONS = {
    "fixed_size_binary(16)": {"ARROW:extension:metadata": '{"bits":128}', "ARROW:extension:name": "example.id"},
    "struct": {"ARROW:extension:metadata": "", "ARROW:extension:name": "example.point"},
    "int32": {"unit": "m"},
}
INTEGER_BITS = {"date32": (32, True), "date64": (64, True)}
WORDS = ["lance", "column", "", "naïve", "Straße", "日本語", "🚀", "row", "e\u0301", "заметка", "x", "tab\there", 'quote"', "back\\slash", "nul\u0000"]
SPECIAL_FLOATS = {
    "float16": ["0000", "8000", "7c00", "fc00", "7e00", "7e2a", "0001", "7bff"],
    "float32": ["00000000", "80000000", "7f800000", "ff800000", "7fc00000", "7fc12345", "ffc00001", "00000001", "7f7fffff"],
    "float64": ["0000000000000000", "8000000000000000", "7ff0000000000000", "fff0000000000000", "7ff8000000000000",
                "7ff8000000001234", "fff8000000000001", "0000000000000001", "7fefffffffffffff"],
}


def scalar(type_: str, rng: random.Random, index: int):
    """The index-th value: the first ones are the edges of the type."""
    name, _, arguments = type_.partition("(")
    arguments = arguments.rstrip(")")
    if name == "bool":
        return rng.random() < 0.5
    if name in ("utf8", "large_utf8"):
        return WORDS[index] if index < len(WORDS) else rng.choice(WORDS) + str(rng.randrange(1000))
    if name in ("binary", "large_binary"):
        return ["", "00", "ff00ff"][index] if index < 3 else rng.randbytes(rng.randrange(12)).hex()
    if name == "fixed_size_binary":
        return rng.randbytes(int(arguments)).hex()
    if name in SPECIAL_FLOATS:
        special = SPECIAL_FLOATS[name]
        if index < len(special):
            return special[index]
        form = {"float16": ">e", "float32": ">f", "float64": ">d"}[name]
        return struct.pack(form, rng.uniform(-1000, 1000)).hex()
    if name.startswith("decimal"):
        limit = 10 ** int(arguments.split(",")[0]) - 1
        return str([0, limit, -limit, -1][index] if index < 4 else rng.randrange(-limit, limit + 1))
    if name == "date64":
        days = [0, 1, -1, 2_932_896, -719_162][index] if index < 5 else rng.randrange(-100_000, 100_000)
        return str(days * 86_400_000)
    if name.startswith("time3") or name.startswith("time6"):
        most = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}[arguments] - 1
        return str([0, most][index] if index < 2 else rng.randrange(most))
    bits, signed = 64, True
    if "int" in name:
        bits, signed = int(name.split("int")[1]), name[0] != "u"
    elif name == "date32":
        bits = 32
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    return str([low, high, 0, 1][index] if index < 4 else rng.randrange(low, high + 1))


class Values:
    """A column; how likely a null is at the top and below."""

    def __init__(self, rng: random.Random, outer: float, inner: float):
        self.rng, self.outer, self.inner = rng, outer, inner
        self.counts: dict[str, int] = {}

    def column(self, field_: dict, rows: int) -> list:
        pool = None
        if field_["type"].startswith("dictionary"):
            pool = [scalar(field_["children"][0]["type"], self.rng, 4 + index) for index in range(7)]
        return [self.value(field_, self.outer, pool) for _ in range(rows)]

    def value(self, field_: dict, nulls: float, pool: list | None = None):
        type_ = field_["type"]
        if type_ == "null" or (field_["nullable"] and self.rng.random() < nulls):
            return None
        children = field_.get("children", [])
        if type_ in ("list", "large_list"):
            length = self.rng.choice([0, 0, 1, 2, 3, 5])
            return [self.value(children[0], self.inner) for _ in range(length)]
        if type_ == "map":
            length = self.rng.choice([0, 1, 2, 3])
            keys = [str(1000 + i) if children[0]["type"] == "int64" else f"key{i}" for i in range(length)]
            return [[key, self.value(children[1], self.inner)] for key in keys]
        if type_ == "struct":
            return [self.value(child, self.inner) for child in children]
        if type_.startswith("fixed_size_list"):
            return [self.value(children[0], self.inner) for _ in range(int(type_[16:-1]))]
        if type_.startswith("dictionary"):
            if pool is None:
                return f"word{self.rng.randrange(5)}"
            return self.rng.choice(pool)
        index = self.counts.get(type_, 0)
        self.counts[type_] = index + 1
        return scalar(type_, self.rng, index)


def patterns(field_: dict) -> dict[str, tuple[float, float]]:
    if field_["type"] == "null":
        return {"all": (1.0, 0.0)}
    result = {"none": (0.0, 0.0), "some": (0.3, 0.3), "all": (1.0, 0.0)}
    if field_.get("children") and not field_["type"].startswith("dictionary"):
        result["outer"] = (0.4, 0.0)
        result["inner"] = (0.0, 0.4)
    return result


def rows_of(name: str) -> int:
    if any(word in name for word in ("300", "wide", "vector", "-64")):
        return 6
    return ROWS


def type_case(suite: Suite, name: str, field_: dict, version: str) -> None:
    case_id = f"file/read/{version}/type/{name}"
    rng = seeded(case_id)
    rows = rows_of(name)
    fields, columns = [], []
    if name not in ALONE:
        fields.append(field("row", "int64", nullable=False))
        columns.append([str(3 * index) for index in range(rows)])
    chosen = {"some": (0.3, 0.3)} if name in ALONE else patterns(field_)
    for pattern, (outer, inner) in chosen.items():
        column = dict(field_, name=f"v_{pattern}", nullable=pattern != "none")
        metadata = EXTENSIONS.get(field_["type"] if not field_.get("children") or name == "struct" else "")
        if metadata:
            column["metadata"] = metadata
        fields.append(column)
        columns.append(Values(rng, outer, inner).column(column, rows))
    data = values(fields, columns, {"seed": "from the name of the case"})
    places = list(TYPES_PLACE)
    if any(field_.get("children", [])):
        places += ["08-types.md#Children", "02-levels.md#Rebuilding columns"]
    if "fixed_size_list" in str(field_):
        places.append("07-encodings.md#FixedSizeList")
    if name == "fixed-size-list-of-struct":
        places.append("02-levels.md#Fixed-size lists of structs")
    suite.read_case(case_id, f"{field_['type']} with every pattern of nulls ({name})", data, version, RECIPE, spec(*places))


def make(suite: Suite) -> None:
    for version in VERSIONS:
        for type_ in SIMPLE:
            name = type_.replace("(", "-").replace(")", "").replace(",", "-").replace("/", "-").replace(":", "").replace("+", "plus").replace("_", "-").lower()
            type_case(suite, name, field("v", type_), version)
        for name, field_ in NESTED.items():
            type_case(suite, name, field_, version)
    for name, field_ in ONLY_22.items():
        type_case(suite, name, field_, "2.2")
