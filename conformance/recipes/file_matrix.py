"""Type × version × layout × encoding: for each way to store a page one file with a column of every type that the reference
stores so, without and with nulls. What each column's pages are is read back from the bytes."""

from __future__ import annotations

from common import VERSIONS, Suite, field, item, lancefile, seeded, spec, values

RECIPE = "file_matrix.py"
FIXED = {
    **{f"{sign}int{bits}": bits for bits in (8, 16, 32, 64) for sign in ("", "u")}, "float16": 16, "float32": 32, "float64": 64,
    "date32": 32, "date64": 64, "time32(s)": 32, "time32(ms)": 32, "time64(us)": 64, "time64(ns)": 64, "timestamp(s)": 64,
    "timestamp(us,UTC)": 64, "timestamp(ns)": 64, "duration(ms)": 64, "decimal128(38,10)": 128, "decimal256(76,20)": 256,
    "fixed_size_binary(5)": 40, "fixed_size_binary(8)": 64, "fixed_size_binary(16)": 128,
}  # fmt: skip
TEXT = {"utf8": 32, "large_utf8": 64, "binary": 32, "large_binary": 64}  # width of offsets
# Columns whose values are shown in full are for reading; these are for comparing.
DIGEST_ABOVE = 600
NO_DICTIONARY = {"lance-encoding:dict-divisor": "100000"}
PLAIN = {**NO_DICTIONARY, "lance-encoding:rle-threshold": "0.0", "lance-encoding:bss": "off"}
FULL_ZIP = {"lance-encoding:structural-encoding": "fullzip"}


def width(type_: str) -> int:
    return FIXED.get(type_, 0)


def value(type_: str, number: int):
    """The value whose bytes are those of the number, as far as the type has it."""
    bits = width(type_)
    if type_ == "bool":
        return bool(number & 1)
    if type_ in TEXT:
        text = f"text {number % 99991}"
        return text if "utf8" in type_ else text.encode().hex()
    number &= (1 << bits) - 1
    if type_.startswith("decimal"):
        return str(number % 10 ** int(type_.split("(")[1].split(",")[0]))
    if type_.startswith("fixed_size_binary"):
        return number.to_bytes(bits // 8, "little").hex()
    if type_.startswith("float"):
        return f"{number:0{bits // 4}x}"
    if type_.startswith("time3") or type_.startswith("time6"):
        return str(number % {"s": 86_400, "ms": 86_400_000, "us": 86_400 * 10**6, "ns": 86_400 * 10**9}[type_[7:-1]])
    return str(number - (1 << bits) if number >> (bits - 1) and not type_.startswith("u") else number)


class Matrix:
    def __init__(self, suite: Suite, version: str, name: str, title: str, *places: str):
        self.suite, self.version, self.title, self.places = suite, version, title, places
        self.case_id = f"file/read/{version}/matrix/{name}"
        self.r = seeded(self.case_id)
        self.fields, self.columns, self.wanted = [], [], []

    def column(
        self, type_: str, listed: list, wanted: str, metadata: dict | None = None, nulls: str = "runs", children: tuple = (), wanted_nulls: str = "",
    ) -> None:
        """A column without nulls and, unless `nulls` is none, one with; `wanted` is how each page begins."""
        gone = {each for each in sorted(set(map(repr, listed))) if self.r.random() < 0.25} if nulls == "runs" else set()
        for with_nulls in (False, True) if nulls != "none" else (False,):
            column = list(listed)
            if with_nulls:
                column = [None if repr(each) in gone or nulls == "any" and self.r.random() < 0.25 else each for each in listed]
                if None not in column or all(each is None for each in column):
                    column[-1], column[0] = None, listed[0]
            self.fields.append(field(f"{len(self.fields)}_{type_.split('(')[0]}", type_, *children, nullable=with_nulls, metadata=metadata))
            self.columns.append(column)
            self.wanted.append((with_nulls and wanted_nulls or wanted, with_nulls))

    def done(self) -> None:
        if len(set(map(len, self.columns))) != 1:
            raise AssertionError(f"{self.case_id}: columns of different lengths")
        texts = sorted({wanted for wanted, _ in self.wanted})
        data = values(self.fields, self.columns)
        folder = self.suite.read_case(self.case_id, self.title, data, self.version, RECIPE, spec(*self.places), texts, digest_above=DIGEST_ABOVE)
        file = lancefile.read(folder / "file.lance")
        for page in file.pages:
            wanted, with_nulls = self.wanted[page.column]
            if not page.text.startswith(wanted) or ("layers=item?" in page.text) != with_nulls:
                raise AssertionError(f"{self.case_id}: {self.fields[page.column]} has a page {page.text!r} instead of {wanted!r}")
        if {page.column for page in file.pages} != set(range(len(self.wanted))):
            raise AssertionError(f"{self.case_id}: columns without pages")


def numbers(suite: Suite, version: str) -> None:
    """Mini-block pages of values of fixed width."""
    def matrix(name: str, title: str, *places: str) -> Matrix:
        return Matrix(suite, version, name, title, "07-encodings.md#Contexts", *places)

    m = matrix("flat", "values as they are, of all types of fixed width", "07-encodings.md#Flat", "08-types.md#Bytes of values")
    for type_, bits in FIXED.items():
        m.column(type_, [value(type_, m.r.getrandbits(bits)) for _ in range(40)], f"mini-block values=flat{bits}", PLAIN, "any")
    m.column("bool", [m.r.random() < 0.5 for _ in range(40)], "mini-block values=flat1", nulls="any")
    m.done()

    for group, rows in (((8,), 2100), ((16, 32, 64), 1040)):
        m = matrix(f"inline-bitpacking-{group[-1]}", f"bit packing in words of {', '.join(map(str, group))} bits, of all types of that width",
                   "07-encodings.md#InlineBitpacking", "07-encodings.md#FastLanes order")
        for type_, bits in FIXED.items():
            if bits in group and not type_.startswith("fixed_size_binary"):
                listed = [value(type_, m.r.randrange(1 << (bits // 4 if bits > 8 else 2))) for _ in range(rows)]
                m.column(type_, listed, f"mini-block values=inline{bits}", PLAIN, "none")
        m.done()

    m = matrix("rle", "runs, of all types of up to 64 bits", "07-encodings.md#RLE")
    for type_, bits in FIXED.items():
        if bits in (8, 16, 32, 64):
            listed = []
            while len(listed) < 300:
                listed += [value(type_, m.r.getrandbits(bits))] * m.r.randrange(8, 40)
            m.column(type_, listed[:300], f"mini-block values=rle(flat{bits})", NO_DICTIONARY)
    m.done()

    for scheme in ("lz4", "zstd"):
        asked = {"lance-encoding:compression": scheme, **NO_DICTIONARY}
        m = matrix(scheme, f"{scheme} around values as they are, of all types of 32 bits and more", "07-encodings.md#General compression")
        for type_, bits in FIXED.items():
            # Seconds of a day pack.
            if bits >= 32 and type_ != "time32(s)":
                pool = [value(type_, m.r.getrandbits(bits)) for _ in range(5)]
                listed = [m.r.choice(pool) for _ in range(1300)]
                # Microseconds of a day pack, too, and are compressed behind that.
                inner = "inline" if type_ == "time64(us)" else "flat"
                m.column(type_, listed, f"mini-block values={scheme}({inner}{bits})", asked | PLAIN, "none")
        m.done()
        m = matrix(f"byte-stream-split-{scheme}", f"byte stream split below {scheme}, of all types of 32 and 64 bits", "07-encodings.md#ByteStreamSplit")
        for type_, bits in FIXED.items():
            if bits in (32, 64):
                start = m.r.randrange(1 << 20, 1 << 26)
                listed = [value(type_, start + 3 * row) for row in range(1300)]
                m.column(type_, listed, f"mini-block values={scheme}(byte-stream-split(flat{bits}))", asked | {"lance-encoding:bss": "on"}, "none")
        m.done()

    m = matrix("byte-stream-split", "byte stream split without a compressor around it, of all types of 32 and 64 bits", "07-encodings.md#ByteStreamSplit")
    for type_, bits in FIXED.items():
        if bits in (32, 64):
            asked = {"lance-encoding:compression": "fsst", "lance-encoding:bss": "on", **NO_DICTIONARY}
            m.column(type_, [value(type_, m.r.getrandbits(bits)) for _ in range(70)], f"mini-block values=byte-stream-split(flat{bits})", asked, "any")
    m.done()


def texts(suite: Suite, version: str) -> None:
    """Text and binary, dictionaries, and values by themselves."""
    m = Matrix(suite, version, "variable", "text and binary, with offsets of both widths", "07-encodings.md#Variable")
    for type_, bits in TEXT.items():
        m.column(type_, [value(type_, m.r.randrange(10**6)) for _ in range(150)], f"mini-block values=variable(flat{bits})", NO_DICTIONARY, "any")
    m.done()

    for scheme in ("lz4", "zstd"):
        m = Matrix(suite, version, f"variable-{scheme}", f"{scheme} around text and binary", "07-encodings.md#Variable", "07-encodings.md#General compression")
        for type_, bits in TEXT.items():
            # Chunks below 4 KiB stay as they are.
            listed = [" ".join([f"text {m.r.randrange(60)}"] * 4) for _ in range(600)]
            listed = listed if "utf8" in type_ else [each.encode().hex() for each in listed]
            asked = {"lance-encoding:compression": scheme, **NO_DICTIONARY}
            m.column(type_, listed, f"mini-block values={scheme}(variable(flat{bits}))", asked, "none")
        m.done()

    m = Matrix(suite, version, "fsst", "symbol tables for text and binary", "07-encodings.md#FSST")
    for type_, bits in TEXT.items():
        asked = {"lance-encoding:compression": "fsst", **NO_DICTIONARY}
        m.column(type_, [value(type_, m.r.randrange(10**6)) for _ in range(300)], f"mini-block values=fsst(variable(flat{bits}))", asked, "none")
    m.done()

    m = Matrix(suite, version, "dictionary", "dictionaries of pages, of all types that get one", "03-mini-block.md#Dictionaries")
    for type_, bits in [*FIXED.items(), *TEXT.items()]:
        if type_ in TEXT or bits == 128 or bits == 64 and version != "2.1":
            pool = [value(type_, m.r.getrandbits(bits)) for _ in range(6)]
            items = f"flat{bits}" if type_ in FIXED else f"variable(flat{bits})"
            items = items if version == "2.1" else f"lz4({items})"
            m.column(type_, [m.r.choice(pool) for _ in range(400)], f"mini-block values=inline32 dictionary={items}", nulls="any")
    m.done()

    m = Matrix(suite, version, "full-zip", "one value after the other, of all types of fixed width", "04-full-zip.md#Entries", "04-full-zip.md#Fixed width")
    for type_, bits in FIXED.items():
        m.column(type_, [value(type_, m.r.getrandbits(bits)) for _ in range(20)], f"full-zip values=flat{bits}", FULL_ZIP, "any")
    m.column("bool", [m.r.random() < 0.5 for _ in range(20)], "full-zip values=flat8", FULL_ZIP, "any")
    m.done()

    m = Matrix(suite, version, "full-zip-variable", "one value after the other, text and binary", "04-full-zip.md#Variable width", "04-full-zip.md#Row index")
    for type_, bits in TEXT.items():
        m.column(type_, [value(type_, m.r.getrandbits(40)) for _ in range(40)], f"full-zip values=variable(flat{bits})", FULL_ZIP, "any")
    m.done()


def constants(suite: Suite, version: str) -> None:
    m = Matrix(suite, version, "constant", "pages of one value, of all types that have them", "05-constant.md#Inline values", "05-constant.md#Scalar buffer")
    for type_, bits in [*FIXED.items(), ("bool", 1), *TEXT.items()]:
        kind = "constant layers=" if type_ in TEXT else "constant value=inline"
        m.column(type_, [value(type_, m.r.getrandbits(bits))] * 40, kind, nulls="any")
    m.done()


def vectors(suite: Suite, version: str) -> None:
    """Fixed-size lists of every type of item."""
    for name, title, metadata, null_items in (
        ("vectors", "fixed-size lists in chunks", None, False), ("vectors-null-items", "fixed-size lists in chunks, with null items", None, True),
        ("vectors-full-zip", "fixed-size lists one after the other", FULL_ZIP, False),
        ("vectors-full-zip-null-items", "fixed-size lists one after the other, with null items", FULL_ZIP, True),
    ):  # fmt: skip
        m = Matrix(suite, version, name, f"{title}, of all types of items", "07-encodings.md#FixedSizeList", "04-full-zip.md#Fixed width")
        layout, mark = "full-zip" if metadata else "mini-block", "+validity" if null_items else ""
        for type_, bits in FIXED.items():
            listed = [[None if null_items and (row + place) % 3 == 0 else value(type_, m.r.getrandbits(bits)) for place in range(3)] for row in range(10)]
            # Items of null lists are null.
            both = [f"{layout} values=fixed-size-list3{each}(flat{bits})" for each in (mark, "+validity")]
            m.column("fixed_size_list(3)", listed, both[0], metadata, "any", (item(type_),), both[1])
        m.done()


def make(suite: Suite) -> None:
    for version in VERSIONS:
        numbers(suite, version)
        texts(suite, version)
        if version != "2.1":
            constants(suite, version)
        vectors(suite, version)
