"""Every layout and encoding, alone and combined, with the proof that it is in the bytes; chunk and page borders; rows asked for
in part."""

from __future__ import annotations

import struct

from common import VERSIONS, Suite, compact, field, item, seeded, spec, values

RECIPE = "file_encodings.py"
MINI = "03-mini-block.md#Chunks"
RLE_LIKE = {"lance-encoding:rle-threshold": "0.9"}


def integers(rng, rows: int, low: int, high: int, nulls: float = 0.0) -> list:
    return [None if rng.random() < nulls else str(rng.randrange(low, high)) for _ in range(rows)]


def runs(rng, rows: int, low: int, high: int, longest: int = 40) -> list:
    result: list = []
    while len(result) < rows:
        result += [str(rng.randrange(low, high))] * rng.randrange(1, longest)
    return result[:rows]


def floats(rng, rows: int, form: str, low: float, high: float) -> list:
    return [struct.pack(form, rng.uniform(low, high)).hex() for _ in range(rows)]


def words(rng, rows: int, pool: int, length: int = 8) -> list:
    texts = ["".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randrange(1, length))) for _ in range(pool)]
    return [rng.choice(texts) for _ in range(rows)]


def sentences(rng, rows: int, shortest: int, longest: int) -> list:
    vocabulary = ["columnar", "formats", "keep", "the", "values", "of", "one", "field", "together", "http://example.com/", "and", "naïve"]
    result = []
    for _ in range(rows):
        text, size = "", rng.randrange(shortest, longest)
        while len(text) < size:
            text += rng.choice(vocabulary) + " "
        result.append(text)
    return result


def with_nulls(rng, column: list, share: float) -> list:
    return [None if rng.random() < share else value for value in column]


def lists(rng, column: list, nulls: float = 0.15, empty: float = 0.2, longest: int = 6) -> list:
    """The values, cut into lists with null and empty ones between."""
    result, at = [], 0
    while at < len(column):
        dice = rng.random()
        if dice < nulls:
            result.append(None)
        elif dice < nulls + empty:
            result.append([])
        else:
            size = rng.randrange(1, longest)
            result.append(column[at : at + size])
            at += size
    return result


class Cases:
    def __init__(self, suite: Suite, version: str):
        self.suite, self.version = suite, version

    def one(self, name: str, title: str, field_: dict, make, must: list[str], *places: str, batches: int = 1, **options) -> None:
        """A file with one column `v`; `make` gets the seeded source."""
        case_id = f"file/read/{self.version}/encoding/{name}"
        column = make(seeded(case_id))
        data = values([dict(field_, name="v")], [column])
        self.suite.read_case(case_id, title, data, self.version, RECIPE, spec(*places), must, batches=batches, **options)


def encodings(suite: Suite, version: str) -> None:
    c, new = Cases(suite, version), version == "2.2"
    one = c.one
    for bits in (8, 16, 32, 64):
        signed = {8: "int8", 16: "int16", 32: "int32", 64: "int64"}[bits]
        unsigned = "u" + signed
        full = (-(1 << (bits - 1)), 1 << (bits - 1))
        one(f"flat-{signed}", f"{signed} that do not pack: flat values of {bits} bits", field("v", signed),
            lambda r: integers(r, 700, *full), [f"values=flat{bits}"], "07-encodings.md#Flat", MINI)
        one(f"flat-{signed}-nulls", f"{signed}, flat, with nulls as definition levels", field("v", signed),
            lambda r: integers(r, 700, *full, nulls=0.3), [f"values=flat{bits}", "layers=item?"], "07-encodings.md#Flat", "02-levels.md#Definition levels")
        if bits > 8:
            one(f"inline-bitpacking-{unsigned}", f"{unsigned} of few bits: inline bit-packing in words of {bits} bits", field("v", unsigned),
                lambda r: integers(r, 1500, 0, 1 << (bits // 4)), [f"values=inline{bits}"], "07-encodings.md#InlineBitpacking", "07-encodings.md#FastLanes order")
        else:
            one(f"inline-bitpacking-{unsigned}", f"{unsigned} of few bits: inline bit-packing in words of 8 bits", field("v", unsigned),
                lambda r: integers(r, 3000, 0, 7), ["values=inline8"], "07-encodings.md#InlineBitpacking", "07-encodings.md#FastLanes order")
        one(f"rle-{signed}", f"{signed} in runs", field("v", signed), lambda r: runs(r, 900 if bits < 64 else 95, *full, 40 if bits < 64 else 15), [f"values=rle(flat{bits})"], "07-encodings.md#RLE")
    one("rle-long-runs", "runs longer than 255 values, which are cut", field("v", "int32"),
        lambda r: ["7"] * 1000 + ["-1"] * 700 + ["7"] * 256 + ["3"] * 255, ["values=rle(flat32)"], "07-encodings.md#RLE")
    one("rle-nulls", "runs with nulls between", field("v", "int16"), lambda r: with_nulls(r, runs(r, 900, -5, 5, 90), 0.05), ["values=rle", "layers=item?"], "07-encodings.md#RLE")
    one("inline-bitpacking-widths", "chunks of different bit widths, one of width zero", field("v", "uint32"),
        lambda r: integers(r, 1024, 0, 3) + ["0"] * 1024 + integers(r, 1024, 0, 100_000) + integers(r, 300, 0, 9), ["values=inline32"],
        "07-encodings.md#InlineBitpacking", "03-mini-block.md#Chunk words")
    one("bool", "bits", field("v", "bool"), lambda r: [r.random() < 0.5 for _ in range(5000)], ["values=flat1"], "07-encodings.md#Flat")
    one("bool-nulls", "bits with nulls", field("v", "bool"), lambda r: [r.choice([True, False, None]) for _ in range(5000)], ["values=flat1", "layers=item?"], "07-encodings.md#Flat")
    for scheme in ("lz4", "zstd"):
        meta = {"lance-encoding:compression": scheme}
        one(f"{scheme}-int64", f"{scheme} around values of a chunk", field("v", "int64", metadata=meta),
            lambda r: [str(r.randrange(40) * 1_000_000_007 * (-1) ** i) for i in range(2000)], [scheme], "07-encodings.md#General compression")
        one(f"{scheme}-text", f"{scheme} around text", field("v", "utf8", metadata=meta), lambda r: sentences(r, 500, 5, 60), [scheme], "07-encodings.md#General compression")
        one(f"{scheme}-large-binary", f"{scheme} around bytes with 64-bit offsets", field("v", "large_binary", metadata=meta),
            lambda r: [text.encode().hex() for text in sentences(r, 400, 5, 50)], [scheme], "07-encodings.md#General compression")
        one(f"byte-stream-split-{scheme}-float32", f"byte stream split of float32 below {scheme}", field("v", "float32", metadata={**meta, "lance-encoding:bss": "on"}),
            lambda r: floats(r, 3000, ">f", 0.5, 0.6), [f"{scheme}(byte-stream-split(flat32))"], "07-encodings.md#ByteStreamSplit")
        one(f"byte-stream-split-{scheme}-float64", f"byte stream split of float64 below {scheme}", field("v", "float64", metadata={**meta, "lance-encoding:bss": "on"}),
            lambda r: floats(r, 2000, ">d", 100.0, 101.0), [f"{scheme}(byte-stream-split(flat64))"], "07-encodings.md#ByteStreamSplit")
        one(f"{scheme}-rle", f"{scheme} around the values of runs", field("v", "int32", metadata={**meta, "lance-encoding:bss": "off"}), lambda r: runs(r, 20_000, -40, 40, 8),
            [f"{scheme}(rle"], "07-encodings.md#General compression", "07-encodings.md#RLE")
    for type_, bits in (("utf8", 32), ("large_utf8", 64)):
        one(f"variable-{type_.replace('_', '-')}", f"text with offsets of {bits} bits, several chunks", field("v", type_), lambda r: words(r, 1500, 1400, 12),
            [f"values=variable(flat{bits})"], "07-encodings.md#Variable")
        one(f"fsst-{type_.replace('_', '-')}", "text compressed with a symbol table", field("v", type_), lambda r: sentences(r, 900, 30, 90),
            [f"values=fsst(variable(flat{bits}))"], "07-encodings.md#FSST")
        one(f"fsst-nulls-{type_.replace('_', '-')}", "a symbol table, with nulls and empty texts", field("v", type_),
            lambda r: [r.choice([None, "", text, text, text]) for text in sentences(r, 1600, 30, 90)], ["fsst(", "layers=item?"], "07-encodings.md#FSST")
        one(f"full-zip-{type_.replace('_', '-')}", "values of 256 bytes and more, one after the other", field("v", type_),
            lambda r: sentences(r, 40, 1, 500), ["full-zip", "width=variable"], "04-full-zip.md#Variable width", "04-full-zip.md#Row index")
        one(f"full-zip-nulls-{type_.replace('_', '-')}", "long values and nulls: a control word each", field("v", type_),
            lambda r: with_nulls(r, sentences(r, 40, 1, 500), 0.3), ["full-zip", "def=1", "width=variable"], "04-full-zip.md#Entries")
        one(f"full-zip-lists-{type_.replace('_', '-')}", "lists of long values", field("v", "list", item(type_)),
            lambda r: lists(r, with_nulls(r, sentences(r, 50, 1, 500), 0.2)), ["full-zip", "rep=1", "width=variable"], "04-full-zip.md#Entries", "02-levels.md#Repetition levels")
    one("fsst-off", "a symbol table asked for with too little data: values stay as they are", field("v", "utf8", metadata={"lance-encoding:compression": "fsst"}),
        lambda r: sentences(r, 30, 5, 40), ["fsst("], "07-encodings.md#FSST")
    one("full-zip-fsst", "full-zip values compressed with a symbol table", field("v", "utf8"), lambda r: sentences(r, 180, 200, 500),
        ["full-zip values=fsst"], "07-encodings.md#FSST", "04-full-zip.md#Variable width")
    one("full-zip-zstd-long", "values longer than 32 KiB are compressed one by one", field("v", "binary"),
        lambda r: [text.encode().hex() for text in sentences(r, 3, 33_000, 34_000)] + ["", "00"], ["full-zip values=zstd"], "07-encodings.md#General compression")
    one("full-zip-fixed", "fixed-size values of 300 bytes without nulls: bytes only", field("v", "fixed_size_binary(300)", nullable=False),
        lambda r: [r.randbytes(300).hex() for _ in range(20)], ["full-zip values=flat2400", "width=fixed"], "04-full-zip.md#Fixed width")
    one("full-zip-fixed-nulls", "fixed-size values of 300 bytes with nulls, which keep their bytes", field("v", "fixed_size_binary(300)"),
        lambda r: with_nulls(r, [r.randbytes(300).hex() for _ in range(30)], 0.4), ["full-zip", "def=1", "width=fixed"], "04-full-zip.md#Fixed width", "04-full-zip.md#Entries")
    one("full-zip-forced-int32", "a full-zip page of small numbers", field("v", "int32", metadata={"lance-encoding:structural-encoding": "fullzip"}),
        lambda r: integers(r, 300, -9, 1 << 30, 0.2), ["full-zip values=flat32"], "04-full-zip.md#Fixed width")
    one("full-zip-lists-of-int32", "a full-zip page of lists of numbers", field("v", "list", item("int32"), metadata={"lance-encoding:structural-encoding": "fullzip"}),
        lambda r: lists(r, integers(r, 300, 0, 1 << 30, 0.2)), ["full-zip", "rep=1"], "04-full-zip.md#Entries", "04-full-zip.md#Row index")
    one("full-zip-deep-control-words", "three levels of lists: control words of more than one byte", field("v", "list", item("list", item("list", item("list", item("utf8"))))),
        lambda r: lists(r, lists(r, lists(r, lists(r, with_nulls(r, sentences(r, 60, 1, 400), 0.2))))), ["full-zip values=variable(flat32) rep=3"], "04-full-zip.md#Entries")
    one("vectors-full-zip", "vectors of 64 float32", field("v", "fixed_size_list(64)", item("float32"), nullable=False),
        lambda r: [floats(r, 64, ">f", -1, 1) for _ in range(30)], ["full-zip values=fixed-size-list64(flat32)"], "07-encodings.md#FixedSizeList", "04-full-zip.md#Fixed width")
    one("vectors-full-zip-nulls", "vectors of 64 float32, some null", field("v", "fixed_size_list(64)", item("float32")),
        lambda r: with_nulls(r, [floats(r, 64, ">f", -1, 1) for _ in range(30)], 0.3), ["full-zip", "def=1"], "07-encodings.md#FixedSizeList", "04-full-zip.md#Entries")
    one("vectors-full-zip-null-items", "vectors of 64 float32 with null items: validity inside the values", field("v", "fixed_size_list(64)", item("float32")),
        lambda r: with_nulls(r, [with_nulls(r, floats(r, 64, ">f", -1, 1), 0.2) for _ in range(20)], 0.2), ["fixed-size-list64+validity"], "07-encodings.md#FixedSizeList")
    one("vectors-mini-block", "vectors of 4 float32", field("v", "fixed_size_list(4)", item("float32")),
        lambda r: [floats(r, 4, ">f", -1, 1) for _ in range(300)], ["mini-block values=fixed-size-list4(flat32)"], "07-encodings.md#FixedSizeList")
    one("vectors-mini-block-null-items", "small vectors with null items", field("v", "fixed_size_list(4)", item("int16")),
        lambda r: [with_nulls(r, integers(r, 4, -99, 99), 0.3) for _ in range(300)], ["fixed-size-list4+validity"], "07-encodings.md#FixedSizeList")
    one("vectors-of-vectors-null-items", "vectors of vectors with nulls at both levels", field("v", "fixed_size_list(2)", item("fixed_size_list(3)", item("int32"))),
        lambda r: [with_nulls(r, [with_nulls(r, integers(r, 3, -99, 99), 0.3) for _ in range(2)], 0.3) for _ in range(100)],
        ["fixed-size-list2+validity(fixed-size-list3+validity"], "07-encodings.md#FixedSizeList")
    one("vectors-of-bool", "vectors of bits", field("v", "fixed_size_list(8)", item("bool")),
        lambda r: [[r.random() < 0.5 for _ in range(8)] for _ in range(200)], ["fixed-size-list8(flat1)"], "07-encodings.md#FixedSizeList")
    one("dictionary-text", "few distinct texts", field("v", "utf8"), lambda r: with_nulls(r, words(r, 3000, 12, 20), 0.1), ["dictionary="], "03-mini-block.md#Dictionaries")
    one("dictionary-large-dictionary", "distinct texts enough to compress the dictionary" if new else "many distinct texts in the dictionary", field("v", "utf8"),
        lambda r: (lambda pool: [r.choice(pool) for _ in range(4000)])(sentences(r, 120, 40, 120)), ["dictionary=" + ("lz4" if new else "variable")], "03-mini-block.md#Dictionaries")
    one("dictionary-fixed-size-binary", "few distinct values of 16 bytes", field("v", "fixed_size_binary(16)"),
        lambda r: (lambda pool: [r.choice(pool) for _ in range(800)])([r.randbytes(16).hex() for _ in range(9)]), ["dictionary="], "03-mini-block.md#Dictionaries")
    one("dictionary-decimal128", "few distinct decimals", field("v", "decimal128(30,2)"),
        lambda r: (lambda pool: [r.choice(pool) for _ in range(800)])([str(r.randrange(-(10**29), 10**29)) for _ in range(9)]), ["dictionary="], "03-mini-block.md#Dictionaries")
    one("dictionary-runs", "indices of a dictionary in runs", field("v", "utf8"), lambda r: sum(([w] * r.randrange(5, 60) for w in words(r, 150, 10, 20)), []),
        ["values=rle", "dictionary="], "03-mini-block.md#Dictionaries", "07-encodings.md#RLE")
    one("dictionary-arrow-int8", "an Arrow dictionary keeps the width of its indices", field("v", "dictionary(int8)", field("values", "utf8")),
        lambda r: with_nulls(r, words(r, 2000, 60, 12), 0.1), ["dictionary=", "8"], "03-mini-block.md#Dictionaries")
    one("dictionary-arrow-int32", "an Arrow dictionary with 32-bit indices", field("v", "dictionary(int32)", field("values", "utf8")),
        lambda r: with_nulls(r, words(r, 2000, 700, 12), 0.1), ["dictionary="], "03-mini-block.md#Dictionaries")
    if new:
        one("dictionary-int64", "few distinct 64-bit numbers", field("v", "int64"), lambda r: (lambda pool: [r.choice(pool) for _ in range(1500)])(integers(r, 20, -(1 << 62), 1 << 62)),
            ["dictionary="], "03-mini-block.md#Dictionaries", "16-versions.md#2.1 and 2.2")
        one("dictionary-float64", "few distinct floats, with both zeros and a NaN", field("v", "float64"),
            lambda r: [r.choice(["0000000000000000", "8000000000000000", "7ff8000000001234", "3ff0000000000000", "c000000000000000"]) for _ in range(1500)],
            ["dictionary="], "03-mini-block.md#Dictionaries", "16-versions.md#2.1 and 2.2")
    packed = {"lance-encoding:packed": "true"}
    one("packed-struct", "a struct whose fields lie side by side", field("v", "struct", field("a", "int32"), field("b", "float64"), field("c", "int16"), metadata=packed),
        lambda r: [[str(r.randrange(-99, 99)), struct.pack(">d", r.random()).hex(), str(r.randrange(999))] for _ in range(300)], ["packed-struct[32,64,16]"], "07-encodings.md#PackedStruct")
    one("packed-struct-nulls", "packed structs of which some are null", field("v", "struct", field("a", "uint8", nullable=False), field("b", "uint64", nullable=False), metadata=packed),
        lambda r: with_nulls(r, [[str(r.randrange(256)), str(r.randrange(1 << 63))] for _ in range(300)], 0.2), ["packed-struct[8,64]", "layers=item?"], "07-encodings.md#PackedStruct")
    if new:
        one("variable-packed-struct", "a packed struct with text", field("v", "struct", field("a", "int32", nullable=False), field("b", "utf8", nullable=False), field("c", "large_binary", nullable=False), metadata=packed),
            lambda r: with_nulls(r, [[str(i), text, text.encode()[::-1].hex()] for i, text in enumerate(sentences(r, 120, 1, 40))], 0.15),
            ["variable-packed-struct"], "07-encodings.md#VariablePackedStruct")
    # Constant pages.
    one("constant-null", "nothing but nulls: no buffers", field("v", "int32"), lambda r: [None] * 2000, ["constant", " null"], "05-constant.md#Forms")
    one("constant-null-lists", "lists of which each is null or empty: levels, no values", field("v", "list", item("int32")), lambda r: [r.choice([None, []]) for _ in range(500)],
        ["constant", "null+levels"], "05-constant.md#Levels of a constant page")
    one("constant-null-items", "lists that hold only nulls", field("v", "list", item("utf8")), lambda r: [r.choice([None, [], [None], [None, None]]) for _ in range(500)],
        ["constant", "null+levels"], "05-constant.md#Levels of a constant page")
    if new:
        for type_, value in (("int8", "-3"), ("uint64", str((1 << 64) - 1)), ("float32", "80000000"), ("bool", True), ("decimal256(40,2)", "-123456789012345678901234567890"),
                             ("timestamp(us,UTC)", "-1"), ("fixed_size_binary(20)", "ab" * 20)):
            name = type_.split("(")[0].replace("_", "-")
            one(f"constant-inline-{name}", f"the same {name} in every row", field("v", type_), lambda r, value=value: [value] * 300, ["constant value=inline"], "05-constant.md#Inline values")
            one(f"constant-inline-nulls-{name}", f"the same {name} in every row that is not null", field("v", type_), lambda r, value=value: with_nulls(r, [value] * 300, 0.4),
                ["constant value=inline", "item?"], "05-constant.md#Inline values", "05-constant.md#Levels of a constant page")
        for type_, value in (("utf8", "the same"), ("large_utf8", ""), ("binary", "00ff"), ("large_binary", "ab" * 400), ("fixed_size_binary(40)", "cd" * 40)):
            name = type_.split("(")[0].replace("_", "-")
            one(f"constant-buffer-{name}", f"the same {name} in every row, in a buffer of its own", field("v", type_), lambda r, value=value: [value] * 300, ["constant", "value=buffer"], "05-constant.md#Scalar buffer")
            one(f"constant-buffer-nulls-{name}", f"the same {name} in every row that is not null", field("v", type_), lambda r, value=value: with_nulls(r, [value] * 300, 0.4),
                ["constant", "value=buffer+levels"], "05-constant.md#Scalar buffer", "05-constant.md#Levels of a constant page")
        one("constant-inline-lists", "lists of the same number", field("v", "list", item("int32")), lambda r: lists(r, with_nulls(r, ["7"] * 400, 0.2)), ["constant value=inline", "list?0"],
            "05-constant.md#Levels of a constant page")
    blob = {"lance-encoding:blob": "true"}
    one("blob", "values beside their column, null and empty ones among them", field("v", "large_binary", metadata=blob),
        lambda r: with_nulls(r, ["", "00"] + [r.randbytes(r.randrange(1, 300)).hex() for _ in range(40)], 0.25), ["blob inner=(mini-block values=packed-struct[64,64]", "layers=item?"],
        "06-blob.md#Blob layout")
    one("blob-no-nulls", "values beside their column, none of them null", field("v", "large_binary", nullable=False, metadata=blob),
        lambda r: [r.randbytes(r.randrange(300)).hex() for _ in range(25)], ["blob inner=(mini-block", "layers=item"], "06-blob.md#Blob layout")
    one("blob-in-struct", "values beside their column, in structs of which some are null", field("v", "struct", field("n", "int16"), field("b", "large_binary", metadata=blob)),
        lambda r: with_nulls(r, [[str(i), r.choice([None, "", r.randbytes(90).hex()])] for i in range(30)], 0.3), ["blob inner=(mini-block", "layers=item?,item?"],
        "06-blob.md#Blob layout", "02-levels.md#Visibility")
    one("blob-all-null", "a column for values beside it without a value", field("v", "large_binary", metadata=blob), lambda r: [None] * 30, ["layers=item?"], "06-blob.md#Blob layout", "05-constant.md#Forms")
    # Levels.
    for name, rows, null_share, run, must in (
        ("few", 9, 0.3, False, "=flat16"), ("hundreds", 400, 0.3, False, "=inline16"), ("thousands", 3000, 0.3, False, "=out-of-line16"),
    ):
        one(f"levels-definition-{name}", f"definition levels of {name}", field("v", "int16"), lambda r: integers(r, rows, -30_000, 30_000, null_share), [f"def{must}"],
            "02-levels.md#Definition levels", "03-mini-block.md#Levels of a chunk")
        one(f"levels-repetition-{name}", f"lists with levels of {name}", field("v", "list", item("int32")), lambda r: lists(r, integers(r, rows, 0, 1 << 30, 0.2)), [f"rep{must}", f"def{must}"],
            "02-levels.md#Repetition levels", "07-encodings.md#OutOfLineBitpacking" if name == "thousands" else "03-mini-block.md#Levels of a chunk")
    one("levels-definition-runs", "definition levels in long runs", field("v", "int64"),
        lambda r: integers(r, 1500, 0, 1 << 62) + [None] * 1500 + integers(r, 1100, 0, 1 << 62), ["def=rle" if new else "def="], "02-levels.md#Definition levels")
    one("levels-repetition-runs", "one long list among empty ones", field("v", "list", item("int16")),
        lambda r: [[]] * 900 + [integers(r, 1500, -9999, 9999)] + [[]] * 1200 + [["1"]], ["rep="], "02-levels.md#Repetition levels", "03-mini-block.md#Levels of a chunk")
    one("levels-struct-list-struct", "levels of a struct of a list of structs", field("v", "struct", field("a", "list", item("struct", field("b", "int32"), field("c", "utf8")))),
        lambda r: with_nulls(r, [[entry] for entry in lists(r, with_nulls(r, [[str(r.randrange(1 << 30)), "t" + str(i)] for i in range(600)], 0.2))], 0.15),
        ["list?0"], "02-levels.md#Rebuilding columns", "02-levels.md#Visibility")
    one("levels-nested-lists", "three levels of lists over several chunks", field("v", "list", item("list", item("list", item("int32")))),
        lambda r: lists(r, lists(r, lists(r, integers(r, 3000, 0, 1 << 31 - 1, 0.1)))), ["list?0,list?0,list?0"], "02-levels.md#Rebuilding columns", "03-mini-block.md#Repetition index")
    one("levels-null-lists-only", "null lists, none empty", field("v", "list", item("int32")), lambda r: lists(r, integers(r, 400, 0, 1 << 30), empty=0.0), ["layers=item,list?"], "02-levels.md#Layers")
    one("levels-empty-lists-only", "empty lists, none null", field("v", "list", item("int32")), lambda r: lists(r, integers(r, 400, 0, 1 << 30), nulls=0.0), ["layers=item,list0"], "02-levels.md#Layers")
    one("levels-full-lists-only", "no null and no empty list: repetition levels alone", field("v", "list", item("int32")), lambda r: lists(r, integers(r, 400, 0, 1 << 30), 0.0, 0.0), ["layers=item,list"], "02-levels.md#Layers")
    # Pages.
    one("pages", "several pages, whose layouts differ" if new else "several pages", field("v", "int32"),
        lambda r: ["5"] * 2000 + [None] * 2000 + integers(r, 2000, 0, 1 << 30), ["mini-block"], "01-file-container.md#Pages", batches=3, data_cache_bytes=1)
    one("pages-of-lists", "pages of lists: rows do not cross them", field("v", "list", item("utf8")),
        lambda r: lists(r, words(r, 1500, 1400, 10)), ["list"], "01-file-container.md#Pages", batches=4, data_cache_bytes=1)
    one("pages-text-to-long", "short texts, then long ones: pages of two layouts", field("v", "utf8"),
        lambda r: words(r, 200, 190, 10) + sentences(r, 50, 300, 400), ["mini-block", "full-zip"], "01-file-container.md#Pages", batches=5, data_cache_bytes=1)
    # Borders of chunks and of bit-packed blocks.
    for rows in (0, 1, 2, 1023, 1024, 1025, 2049):
        case_id = f"file/read/{version}/edge/rows-{rows}"
        r = seeded(case_id)
        fields = [field("packed", "uint32", nullable=False), field("flat", "int64"), field("text", "utf8"), field("list", "list", item("int16"))]
        columns = [integers(r, rows, 0, 1000), integers(r, rows, -(1 << 63), 1 << 63, 0.1), with_nulls(r, words(r, rows, 3000, 9), 0.1) if rows else [],
                   [r.choice([None, [], ["1"], [str(i % 300), None]]) for i in range(rows)]]
        suite.read_case(case_id, f"{rows} rows of four columns", values(fields, columns), version, RECIPE, spec("03-mini-block.md#Chunk words", "01-file-container.md#File descriptor"))
    if new:
        one("large-chunk", "a value of 40 kB in a chunk of its own page", field("v", "binary", metadata={"lance-encoding:structural-encoding": "miniblock", "lance-encoding:compression": "none"}),
            lambda r: [r.randbytes(40_000).hex(), "00"], ["mini-block"], "03-mini-block.md#Chunk words", "16-versions.md#2.1 and 2.2")


def metadata_cases(suite: Suite, version: str) -> None:
    case_id = f"file/read/{version}/schema/metadata"
    inner = field("x", "int32", metadata={"k": "väl", "empty": ""})
    data = values(
        [field("a", "int32", nullable=False, metadata={"unit": "µm"}), field("s", "struct", inner), field("", "int8"), field("a.b", "int8"),
         field("Ünï 🚀", "utf8", metadata={"ARROW:extension:name": "example.text", "ARROW:extension:metadata": "{}"})],
        [["1", "2"], [["3"], None], ["4", None], ["5", "6"], ["x", None]], {"table": "metadata", "ключ": "значение"},
    )
    # The reference does not take a dot or nothing as a name.
    keep = [0, 1, 4]
    data["schema"]["fields"] = [data["schema"]["fields"][i] for i in keep]
    data["columns"] = [data["columns"][i] for i in keep]
    suite.read_case(case_id, "metadata of schema and fields, names beyond ASCII, columns that are not nullable", data, version, RECIPE,
                    spec("08-types.md#Schema tree", "01-file-container.md#File descriptor"))
    case_id = f"file/read/{version}/schema/wide"
    r = seeded(case_id)
    types = ["int32", "utf8", "bool", "float64"]
    fields = [field(f"c{i:03}", types[i % 4]) for i in range(120)]
    columns = [{"int32": integers(r, 3, -9, 9, 0.2), "utf8": ["a", None, "c"], "bool": [True, None, False], "float64": floats(r, 3, ">d", -1, 1)}[types[i % 4]] for i in range(120)]
    suite.read_case(case_id, "120 columns", values(fields, columns), version, RECIPE, spec("01-file-container.md#Offset tables", "08-types.md#Columns of a file"))


def parts(suite: Suite, version: str) -> None:
    """The same file asked for in part."""
    base = f"file/read/{version}/part/whole"
    r = seeded(base)
    rows = 2600
    point = [field("x", "int32"), field("y", "struct", field("z", "utf8"), field("w", "bool"))]
    fields = [field("id", "int32", nullable=False), field("text", "utf8"), field("tags", "list", item("utf8")), field("s", "struct", *point),
              field("v", "fixed_size_list(4)", item("int16")), field("long", "utf8")]
    texts = sentences(r, 20, 250, 400)
    columns = [
        [str(i) for i in range(rows)],
        [None if i % 7 == 3 else f"row {i}" for i in range(rows)],
        [None if i % 11 == 5 else [f"t{i % 13}"] * (i % 4) for i in range(rows)],
        [None if i % 9 == 4 else [str(i * 7 % 1000), None if i % 5 == 2 else [f"z{i % 17}", i % 3 == 0]] for i in range(rows)],
        [None if i % 8 == 7 else [str(i % 100 + j) for j in range(4)] for i in range(rows)],
        [f"{i} {texts[i // 13 % 20]}" if i % 13 == 0 else (None if i % 5 == 1 else f"{i % 10}") for i in range(rows)],
    ]
    data = values(fields, columns)
    folder = suite.read_case(base, "six columns of several chunks, read whole", data, version, RECIPE, spec("01-file-container.md#Opening a file"),
                             ["mini-block", "full-zip"], batches=2, data_cache_bytes=1)
    del folder

    def asked(name: str, title: str, ask: dict, picks: list[int], names: list[str] | None = None, *places: str, fields_=None, columns_=None) -> None:
        chosen = list(range(len(fields))) if names is None else [[f["name"] for f in fields].index(n) for n in names]
        answer = values(fields_ or [fields[i] for i in chosen], [[column[row] for row in picks] for column in (columns_ or [columns[i] for i in chosen])])
        suite.folder(f"file/read/{version}/part/{name}")
        suite.read_case_of(f"file/read/{version}/part/{name}", title, "../whole/file.lance", version, RECIPE, spec(*places), answer, ask=ask)

    everything = list(range(rows))
    asked("columns", "two columns, in another order", {"columns": ["tags", "id"]}, everything[:0] or everything, ["tags", "id"], "08-types.md#Columns of a file")
    asked("column-nested", "one field inside two structs", {"columns": ["s.y.z"]}, everything, None, "08-types.md#Reading a field", "02-levels.md#Rebuilding columns",
          fields_=[field("s", "struct", field("y", "struct", field("z", "utf8")))], columns_=[[None if row is None else [None if row[1] is None else [row[1][0]]] for row in columns[3]]])
    for name, offset, limit in (("first", 0, 1), ("chunk-border", 1020, 9), ("page-border", 1297, 6), ("last", rows - 1, 5), ("middle", 700, 900), ("behind-the-end", rows + 5, 3), ("none", 10, 0)):
        asked(f"window-{name}", f"{limit} rows from {offset}", {"offset": offset, "limit": limit}, everything[offset : offset + limit], None, "03-mini-block.md#Chunks", "04-full-zip.md#Row index")
    scattered = sorted(r.sample(everything, 40))
    asked("take-scattered", "40 rows here and there", {"take": scattered}, scattered, None, "03-mini-block.md#Repetition index", "04-full-zip.md#Row index")
    shuffled = scattered[::-1] + [0, rows - 1, 0, 1023, 1024]
    asked("take-any-order", "rows in falling order, and some twice", {"take": shuffled}, shuffled, None, "03-mini-block.md#Repetition index")
    asked("take-lists", "rows of a list column only", {"take": [5, 6, 7, 1299, 1300, 1301, 2599], "columns": ["tags"]}, [5, 6, 7, 1299, 1300, 1301, 2599], ["tags"], "03-mini-block.md#Repetition index")
    asked("take-none", "no rows", {"take": []}, [], None, "03-mini-block.md#Repetition index")


def make(suite: Suite) -> None:
    for version in VERSIONS:
        encodings(suite, version)
        metadata_cases(suite, version)
        parts(suite, version)
