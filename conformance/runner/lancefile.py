"""What is really in a data file: footer, pages, layouts and encodings, without decoding a value.

Enough of a parser to prove that a case holds what it claims to test. Chapters 1, 3, 4, 5 and 7 of the specification.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path


class Broken(Exception):
    """The bytes are not a data file of version 2.1 or 2.2."""


@dataclass(frozen=True)
class Page:
    """One page: its column, its layout in words, and where its buffers are."""

    column: int
    text: str
    words: frozenset[str]
    rows: int
    buffers: tuple[tuple[int, int], ...]
    # Where the message of the page's encoding lies in the file.
    start: int


@dataclass(frozen=True)
class DataFile:
    version: str
    columns: int
    pages: list[Page]
    # Positions of fields that damage likes: name -> offset.
    places: dict[str, int]

    def words(self) -> set[str]:
        return set().union(*(page.words for page in self.pages)) if self.pages else set()

    def contents(self) -> list[str]:
        return sorted({page.text for page in self.pages})


VERSIONS = {(0, 3): "2.0", (2, 0): "2.0", (2, 1): "2.1", (2, 2): "2.2", (2, 3): "2.3"}


def varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise Broken("a varint has no end")
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def message(data: bytes) -> dict[int, list]:
    """Field number -> values; numbers as int, everything with a length as bytes."""
    fields: dict[int, list] = {}
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 1:
            value, at = struct.unpack_from("<Q", data, at)[0], at + 8
        elif kind == 5:
            value, at = struct.unpack_from("<I", data, at)[0], at + 4
        elif kind == 2:
            size, at = varint(data, at)
            if at + size > len(data):
                raise Broken("a message is longer than its bytes")
            value, at = data[at : at + size], at + size
        else:
            raise Broken(f"wire type {kind}")
        fields.setdefault(key >> 3, []).append(value)
    return fields


def numbers(values: list) -> list[int]:
    """A repeated number, packed or not."""
    result = []
    for value in values:
        if isinstance(value, int):
            result.append(value)
            continue
        at = 0
        while at < len(value):
            number, at = varint(value, at)
            result.append(number)
    return result


def one(fields: dict[int, list], number: int, default=0):
    return fields.get(number, [default])[-1]


class Encodings:
    """Names of the encodings below a page, and the words for them."""

    def __init__(self):
        self.words: set[str] = set()

    def name(self, data: bytes) -> str:
        kinds = message(data)
        if len(kinds) != 1:
            return "none"
        (number, values), = kinds.items()
        fields = message(values[-1])
        return getattr(self, "_" + KINDS[number].replace("-", "_"))(fields) if number in KINDS else f"unknown{number}"

    def note(self, word: str) -> None:
        self.words.add("encoding:" + word)

    def _flat(self, fields):
        self.note("flat")
        return f"flat{one(fields, 1)}"

    def _variable(self, fields):
        self.note("variable")
        return f"variable({self.name(one(fields, 1, b''))})"

    def _constant(self, fields):
        self.note("constant")
        return "constant"

    def _out_of_line_bitpacking(self, fields):
        self.note("out-of-line-bitpacking")
        return f"out-of-line{one(fields, 1)}({self.name(one(fields, 3, b''))})"

    def _inline_bitpacking(self, fields):
        self.note("inline-bitpacking")
        return f"inline{one(fields, 1)}"

    def _fsst(self, fields):
        self.note("fsst")
        return f"fsst({self.name(one(fields, 2, b''))})"

    def _dictionary(self, fields):
        self.note("dictionary")
        return "dictionary"

    def _rle(self, fields):
        self.note("rle")
        return f"rle({self.name(one(fields, 1, b''))})"

    def _byte_stream_split(self, fields):
        self.note("byte-stream-split")
        return f"byte-stream-split({self.name(one(fields, 1, b''))})"

    def _general(self, fields):
        scheme = {1: "lz4", 2: "zstd"}.get(one(message(one(fields, 1, b"")), 1), "unknown")
        self.note(scheme)
        return f"{scheme}({self.name(one(fields, 3, b''))})"

    def _fixed_size_list(self, fields):
        self.note("fixed-size-list")
        mark = "+validity" if one(fields, 3) else ""
        return f"fixed-size-list{one(fields, 1)}{mark}({self.name(one(fields, 2, b''))})"

    def _packed_struct(self, fields):
        self.note("packed-struct")
        widths = ",".join(map(str, numbers(fields.get(1, []))))
        return f"packed-struct[{widths}]"

    def _variable_packed_struct(self, fields):
        self.note("variable-packed-struct")
        parts = [self.name(one(message(part), 1, b"")) for part in fields.get(1, [])]
        return f"variable-packed-struct[{','.join(parts)}]"


KINDS = {
    1: "flat", 2: "variable", 3: "constant", 4: "out-of-line-bitpacking", 5: "inline-bitpacking", 6: "fsst", 7: "dictionary",
    8: "rle", 9: "byte-stream-split", 10: "general", 11: "fixed-size-list", 12: "packed-struct", 13: "variable-packed-struct",
}
LAYERS = {1: "item", 2: "list", 3: "item?", 4: "list?", 5: "list0", 6: "list?0"}


def layers(values: list) -> str:
    return ",".join(LAYERS.get(number, str(number)) for number in numbers(values))


def layout(data: bytes) -> tuple[str, set[str]]:
    """A page layout as text, and its words."""
    kinds = message(data)
    if len(kinds) != 1:
        raise Broken("a page has no layout")
    (number, values), = kinds.items()
    fields = message(values[-1])
    encodings = Encodings()
    if number == 1:
        parts = [f"values={encodings.name(one(fields, 3, b''))}"]
        if 4 in fields:
            parts.append(f"dictionary={encodings.name(fields[4][-1])}")
            encodings.note("dictionary")
        for name, at in (("rep", 1), ("def", 2)):
            if at in fields:
                parts.append(f"{name}={encodings.name(fields[at][-1])}")
        text, words = "mini-block", {"layout:mini-block"}
        parts.append(f"layers={layers(fields.get(6, []))}")
    elif number == 2:
        text, words = "constant", {"layout:constant"}
        parts = ["value=inline"] if 6 in fields else []
        for name, at in (("rep", 7), ("def", 8)):
            if at in fields:
                parts.append(f"{name}={encodings.name(fields[at][-1])}")
        parts.append(f"layers={layers(fields.get(5, []))}")
    elif number == 3:
        text, words = "full-zip", {"layout:full-zip"}
        parts = [f"values={encodings.name(one(fields, 7, b''))}", f"rep={one(fields, 1)}", f"def={one(fields, 2)}"]
        parts.append("width=" + ("variable" if 4 in fields else "fixed"))
        parts.append(f"layers={layers(fields.get(8, []))}")
    elif number == 4:
        inner, words = layout(one(fields, 1, b""))
        text, parts = "blob", [f"inner=({inner})", f"layers={layers(fields.get(2, []))}"]
        words = words | {"layout:blob"}
    else:
        raise Broken(f"layout {number}")
    return " ".join([text, *parts]), words | encodings.words


def parse(data: bytes) -> DataFile:
    """The pages of a data file.

    Raises Broken, whatever is wrong.
    """
    try:
        return parsed(data)
    except (struct.error, IndexError, KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise Broken(f"{type(error).__name__}: {error}") from error


def parsed(data: bytes) -> DataFile:
    size = len(data)
    if size < 40 or data[-4:] != b"LANC":
        raise Broken("no footer")
    metadata, cmo, gbo, global_count, column_count, major, minor = struct.unpack_from("<QQQIIHH", data, size - 40)
    version = VERSIONS.get((major, minor), f"{major}.{minor}")
    if version not in ("2.1", "2.2"):
        raise Broken(f"file version {version}")
    places = {"footer": size - 40, "column-offset-table": cmo, "global-offset-table": gbo, "column-metadata": metadata}
    places["schema"] = struct.unpack_from("<Q", data, gbo)[0]
    pages = []
    for column in range(column_count):
        at, length = struct.unpack_from("<QQ", data, cmo + 16 * column)
        if at + length > size:
            raise Broken("column metadata outside the file")
        body = data[at : at + length]
        for page in message(body).get(2, []):
            fields = message(page)
            direct = one(message(one(fields, 4, b"")), 2, b"")
            any_bytes = one(message(direct), 1, b"")
            packed = one(message(any_bytes), 2, b"")
            text, words = layout(packed)
            buffers = tuple(zip(numbers(fields.get(1, [])), numbers(fields.get(2, []))))
            start = data.find(packed, at) if packed else at
            if text.startswith("constant") and "value=inline" not in text:
                text += {0: " null", 1: " value=buffer", 2: " null+levels", 3: " value=buffer+levels"}[len(buffers)]
            pages.append(Page(column, text, frozenset(words), one(fields, 3), buffers, start))
    return DataFile(version, column_count, pages, places)


def read(path: Path) -> DataFile:
    return parse(path.read_bytes())


def contents(path: Path) -> tuple[list[str], set[str], str]:
    """Page texts, words and file version of a data file or of all data files of a table."""
    files = sorted((path / "data").glob("*.lance")) if path.is_dir() else [path]
    texts: set[str] = set()
    words: set[str] = set()
    versions = set()
    for name in files:
        file = read(name)
        texts.update(file.contents())
        words.update(file.words())
        versions.add(file.version)
    return sorted(texts), words, "/".join(sorted(versions)) or "none"


if __name__ == "__main__":
    import sys

    for argument in sys.argv[1:]:
        file = read(Path(argument))
        print(f"{argument}: version {file.version}, {file.columns} columns")
        for page in file.pages:
            print(f"  column {page.column}: {page.rows} rows, {page.text}, buffers {list(page.buffers)}")
