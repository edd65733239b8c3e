"""Values to be written by the implementation under test; what it wrote is read by others."""

from __future__ import annotations

import copy

from common import VERSIONS, Suite, dump_values, field, item, seeded, spec, type_words, values
from file_encodings import integers, lists, sentences, with_nulls
from file_types import NESTED, ONLY_22, SIMPLE, Values, patterns, rows_of

RECIPE = "writing.py"
RULES = ("09-writer-rules.md#Files", "09-writer-rules.md#Levels and nulls")


def write_case(suite: Suite, name: str, title: str, data: dict, version: str, *places: str, words: tuple = (), **ask) -> None:
    case_id = f"file/write/{version}/{name}"
    folder = suite.folder(case_id)
    dump_values(data, folder / "values.json", digest=False)
    back = stored(data)
    expected = "values.json"
    if back != data:
        expected = "expected.json"
        dump_values(back, folder / expected, digest=False)
    suite.case(case_id, title, "write", spec(*(places or RULES)), RECIPE, input="values.json",
               requires={"file_version": version, "words": sorted({"table", *words} | type_words(data))},
               ask={"file_version": version, **ask}, expect={"values": expected})


def stored(data: dict) -> dict:
    """As the format can hold it: items of vectors have no nullability of their own."""
    data = copy.deepcopy(data)

    def visit(field_: dict) -> None:
        for child in field_.get("children", []):
            if field_["type"].startswith("fixed_size_list"):
                child["nullable"] = True
            visit(child)

    for field_ in data["schema"]["fields"]:
        visit(field_)
    return data


def columns_of(name: str, field_: dict, rng, rows: int) -> tuple[list[dict], list[list]]:
    fields, columns = [], []
    for pattern, (outer, inner) in patterns(field_).items():
        column = dict(field_, name=f"{name}_{pattern}", nullable=pattern != "none")
        fields.append(column)
        columns.append(Values(rng, outer, inner).column(column, rows))
    return fields, columns


def make(suite: Suite) -> None:
    for version in VERSIONS:
        if version == "2.2":
            for name, field_ in {**{t: field("v", t) for t in SIMPLE}, **NESTED, **ONLY_22}.items():
                if name == "fixed-size-list-of-struct" or name in {t for t in SIMPLE if "timestamp" in t or "duration" in t or "uint" in t}:
                    # Vectors of structs cannot be read by the reference beside others; the rest is in the group below.
                    continue
                label = "".join(c if c.isalnum() else "-" for c in name).strip("-")
                rng = seeded(f"write/{name}")
                fields, columns = columns_of("v", field_, rng, rows_of(name))
                write_case(suite, f"type/{label}", f"{name} with every pattern of nulls", values(fields, columns), version, "09-writer-rules.md#Files", "08-types.md#Logical types")
        rng = seeded(f"write/simple/{version}")
        fields, columns = [], []
        for number, type_ in enumerate(SIMPLE):
            more_fields, more_columns = columns_of(f"c{number}", field("v", type_), rng, 20)
            fields, columns = fields + more_fields, columns + more_columns
        write_case(suite, "group/simple-types", "every type without children, side by side", values(fields, columns, {"k": "v"}), version, "08-types.md#Logical types", "09-writer-rules.md#Files")
        fields, columns = [], []
        for number, (name, field_) in enumerate(NESTED.items()):
            if rows_of(name) < 20:
                continue
            more_fields, more_columns = columns_of(f"c{number}", field_, rng, 20)
            fields, columns = fields + more_fields, columns + more_columns
        write_case(suite, "group/nested-types", "nested types, side by side", values(fields, columns), version, "08-types.md#Children", "09-writer-rules.md#Levels and nulls")
        number = [field("n", "int64"), field("t", "utf8")]
        write_case(suite, "rows/none", "a table without rows", values(number, [[], []]), version, "09-writer-rules.md#Tables")
        write_case(suite, "rows/one", "one row", values(number, [["1"], [None]]), version, "09-writer-rules.md#Tables")
        for rows in (1024, 1025, 3000):
            rng = seeded(f"write/rows/{rows}")
            data = values([field("n", "int64"), field("small", "uint32"), field("t", "utf8"), field("l", "list", item("int16"))],
                          [integers(rng, rows, -(1 << 63), 1 << 63, 0.1), integers(rng, rows, 0, 1000), with_nulls(rng, [f"row {i}" for i in range(rows)], 0.1),
                           [rng.choice([None, [], ["1"], [str(i % 300), None]]) for i in range(rows)]])
            write_case(suite, f"rows/{rows}", f"{rows} rows of four columns", data, version, "09-writer-rules.md#Mini-block pages", "03-mini-block.md#Chunk words")
        rng = seeded(f"write/long/{version}")
        write_case(suite, "long-texts", "texts from nothing to 40 kB", values([field("t", "utf8"), field("b", "large_binary")],
                   [["", None, "x" * 255, "y" * 256, "z" * 5000, "ä" * 20_000] + sentences(rng, 20, 1, 400), ["", "00", None] + ["ab" * 300] * 23]), version, "09-writer-rules.md#Files", "04-full-zip.md#Variable width")
        write_case(suite, "constant", "columns of one value, and of nulls", values([field("a", "int32"), field("b", "utf8"), field("c", "float64"), field("d", "list", item("int8"))],
                   [["7"] * 500, ["same"] * 500, [None] * 500, [[]] * 500]), version, "09-writer-rules.md#Pages of 2.1 and of 2.2", "05-constant.md#Where it is used")
        write_case(suite, "deep-lists", "three levels of lists over several chunks", values([field("v", "list", item("list", item("list", item("int32"))))],
                   [lists(rng, lists(rng, lists(rng, integers(rng, 2500, 0, 1 << 30, 0.1))))]), version, "09-writer-rules.md#Levels and nulls", "02-levels.md#Making levels")
        write_case(suite, "empty-lists-in-runs", "hundreds of empty lists between long ones", values([field("v", "list", item("int16"))],
                   [[[]] * 700 + [["1"] * 3000] + [None] * 800 + [["2", None]] + [[]] * 5]), version, "03-mini-block.md#Levels of a chunk", "03-mini-block.md#Repetition index")
        many = values(number, [[str(i) for i in range(95)], [f"t{i}" for i in range(95)]])
        write_case(suite, "fragments", "ten files", many, version, "09-writer-rules.md#Tables", "10-table.md#Fragments", max_rows_per_file=10)
        write_case(suite, "stable-row-ids", "a table with stable row ids", many, version, "10-table.md#Stable row ids", "10-table.md#Feature flags", words=("stable-row-ids",), stable_row_ids=True, max_rows_per_file=30)
        write_case(suite, "metadata", "metadata of schema and fields", values([field("a", "int32", nullable=False, metadata={"unit": "µm"}), field("s", "struct", field("x", "int8", metadata={"k": "v"}))],
                   [["1", "2"], [["3"], None]], {"ключ": "значение"}), version, "08-types.md#Schema tree")
