#!/usr/bin/env python3
"""Explains example files byte by byte, with the reader of this specification; standard library only.

    annotate.py            writes one page for each file of files/, and README.md
    annotate.py --check    says whether the pages, the worked bytes in the chapters and the links between chapters are right
    annotate.py FILE…      prints the explanation of any data file, manifest, transaction or deletion bitmap

Every byte of a file is explained once: a gap or an overlap is an error.
"""

from __future__ import annotations

import json
import pathlib
import re
import struct
import sys

HERE = pathlib.Path(__file__).resolve().parent
SPEC = HERE.parent
sys.path.insert(0, str(SPEC / "reader"))

import coding  # noqa: E402
import pages  # noqa: E402
from lance_reader import field_json, value_json  # noqa: E402
from messages import DEFINITIONS, SCALARS, Message, Reject, decode, varint  # noqa: E402
from schema import Field, Type, find_path, parse_type  # noqa: E402
from tables import DataFile, roaring, section  # noqa: E402

ANY_TYPES = {
    "lance.encodings21.PageLayout", "lance.encodings.ColumnEncoding", "lance.index.pb.VectorIndexDetails",
}  # fmt: skip
DEFINITIONS["lance.encodings.ColumnEncoding"] = {1: ("values", "google.protobuf.Empty", "")}
CHECKSUMS = bytes.fromhex("8F4C4E435243")
LAYERS = ["?", "ALL_VALID_ITEM", "ALL_VALID_LIST", "NULLABLE_ITEM", "NULLABLE_LIST", "EMPTYABLE_LIST", "NULL_AND_EMPTY_LIST"]


class Dump:
    """Rows of (start, end, depth, text) that must cover the file."""

    def __init__(self, data: bytes):
        self.data, self.rows, self.titles = data, [], []

    def add(self, start: int, size: int, text: str, depth: int = 0) -> int:
        if size:
            self.rows.append((start, start + size, depth, text))
        return start + size

    def title(self, at: int, text: str) -> None:
        self.titles.append((at, text))

    def number(self, at: int, width: int, text: str, depth: int = 0) -> int:
        value = coding.little(self.data, at, width)
        return self.add(at, width, f"u{8 * width} {text.format(value)}" if "{" in text else f"u{8 * width} {text}: {value}", depth)

    def lines(self) -> list[str]:
        self.rows.sort(key=lambda row: row[:2])
        result, at, titles = [], 0, sorted(self.titles, key=lambda title: title[0])
        for start, end, depth, text in self.rows + [(len(self.data), len(self.data), 0, "")]:
            if start > at:
                gap = self.data[at:start]
                if len(set(gap)) != 1 or at % 64 == 0 and start % 64 == 0 and len(gap) >= 64:
                    raise SystemExit(f"bytes {at} to {start} are not explained")
                result += self.hex(at, start, 0, "padding")
            if start < at:
                raise SystemExit(f"bytes from {start} are explained twice: {text}")
            while titles and titles[0][0] <= start:
                result += ["", "; " + titles.pop(0)[1]]
            result += self.hex(start, end, depth, text)
            at = end
        return result

    def hex(self, start: int, end: int, depth: int, text: str) -> list[str]:
        parts, at = [], start
        while at < end:
            run = at
            while run < end and self.data[run] == self.data[at]:
                run += 1
            if run - at >= 24:
                parts.append((at, f"{self.data[at]:02x} × {run - at}"))
                at = run
                continue
            stop = min(end, at + 16)
            parts.append((at, self.data[at:stop].hex(" ")))
            at = stop
        return [f"{at:6}  {part:48}{'  ' * depth}{text if i == 0 else ''}".rstrip() for i, (at, part) in enumerate(parts)]


# ---------------------------------------------------------------- protocol buffers


def explain_message(dump: Dump, name: str, start: int, end: int, depth: int = 0) -> None:
    """One row for each field; messages inside are opened."""
    at = start
    while at < end:
        key, after = varint(dump.data, at)
        number, wire = key >> 3, key & 7
        field, type_, _ = DEFINITIONS.get(name, {}).get(number, (f"field {number}, not known", "uint64" if wire == 0 else "bytes", ""))
        if wire == 0:
            value, after = varint(dump.data, after, type_)
            note = f" ({LAYERS[value]})" if field == "layers" and value < 7 else ""
            at = dump.add(at, after - at, f"{field} = {value}{note}", depth)
            continue
        size, body = varint(dump.data, after) if wire == 2 else (8 if wire == 1 else 4, after)
        data, stop = dump.data[body : body + size], body + size
        if type_ == "string":
            dump.add(at, stop - at, f"{field} = {data.decode()!r}", depth)
        elif field == "encoding" and name.endswith("DirectEncoding"):
            dump.add(at, body - at, f"{field}: an Any", depth)
            explain_message(dump, "google.protobuf.Any", body, stop, depth + 1)
        elif name == "google.protobuf.Any" and field == "value":
            inner = decode("google.protobuf.Any", dump.data[start:end]).type_url.lstrip("/")
            dump.add(at, body - at, f"{field}:", depth)
            if inner in ANY_TYPES:
                explain_message(dump, inner, body, stop, depth + 1)
            else:
                dump.add(body, size, inner, depth + 1)
        elif type_ in ("double", "float"):
            dump.add(at, stop - at, f"{field} = {struct.unpack('<d' if size == 8 else '<f', data)[0]:.9g}", depth)
        elif type_ in SCALARS and type_ != "bytes":
            values, inner = [], body
            while inner < stop:
                value, inner = varint(dump.data, inner, type_)
                values.append(LAYERS[value] if field == "layers" else value)
            dump.add(at, stop - at, f"{field} = {values}", depth)
        elif type_ == "bytes" or wire != 2:
            dump.add(at, body - at, f"{field}: {size} bytes", depth)
            dump.add(body, size, printable(data), depth + 1)
        else:
            dump.add(at, body - at, f"{field}: {size} bytes", depth)
            explain_message(dump, type_, body, stop, depth + 1)
        at = stop


def printable(data: bytes) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return ""
    return repr(text) if text.isprintable() and text else ""


# ---------------------------------------------------------------- pages


def name_of(encoding: Message | None) -> str:
    """An encoding in words: general(lz4, flat 64)."""
    if encoding is None:
        return "raw"
    kind, e = encoding.only()
    if kind == "flat":
        return f"flat {e.bits_per_value}"
    if kind == "inline_bitpacking":
        return f"inline_bitpacking {e.uncompressed_bits_per_value}"
    if kind == "out_of_line_bitpacking":
        return f"out_of_line_bitpacking {e.uncompressed_bits_per_value} to {e.values.flat.bits_per_value}"
    if kind == "variable":
        return f"variable {e.offsets.flat.bits_per_value}"
    if kind == "rle":
        return f"rle({name_of(e.values)}, {name_of(e.run_lengths)})"
    if kind == "general":
        return f"general({['?', 'lz4', 'zstd'][e.compression.scheme]}, {name_of(e.values)})"
    if kind == "fixed_size_list":
        return f"fixed_size_list({e.items_per_value}, {name_of(e.values)}{', has_validity' if e.has_validity else ''})"
    if kind == "packed_struct":
        return f"packed_struct({e.bits_per_value}, {name_of(e.values)})"
    return f"{kind}({name_of(e.values)})" if "values" in {f[0] for f in DEFINITIONS[e.name_].values()} else kind


def shown(value, type_: Type) -> str:
    if type_.kind == "packed":
        return "{" + ", ".join(shown(v, t) for v, t in zip(value, type_.fields)) + "}"
    if value is None:
        return "null"
    value = value_json(value, type_, [])
    if isinstance(value, str) and len(value) > 40:
        value = f"{value[:40]}… ({len(value)})"
    return value if isinstance(value, str) and type_.kind == "fixed" and "float" not in type_.text else json.dumps(value, ensure_ascii=False)


def listing(values: list, limit: int = 12) -> str:
    text = ", ".join(str(value) for value in values[:limit])
    return text + (f", … ({len(values)})" if len(values) > limit else "")


def explain_block(dump: Dump, encoding: Message | None, at: int, size: int, count: int, type_: Type, what: str, depth: int) -> None:
    """One buffer in the block context."""
    data = dump.data[at : at + size]
    values = [data[i : i + 2] for i in range(0, size, 2)] if encoding is None else coding.decode_values(encoding, [data], count, type_, True)
    text = f"{what}, {name_of(encoding)}: {listing([shown(value, type_) for value in values])}"
    kind, e = encoding.only() if encoding else ("", None)
    if kind == "variable":
        width = e.offsets.flat.bits_per_value // 8
        dump.add(at, width, f"{text}; offsets of {8 * width} bits", depth)
        dump.add(at + width, width, f"bytes from {coding.little(data, width, width)}", depth)
        dump.add(at + 2 * width, (count + 1) * width, f"offsets {coding.integers(data[2 * width : (count + 3) * width], width)}", depth)
        dump.add(at + (count + 3) * width, size - (count + 3) * width, "bytes", depth)
    elif kind == "rle":
        runs = coding.little(data, 0, 8)
        dump.add(at, 8, f"{text}; {runs} bytes of run values", depth)
        dump.add(at + 8, runs, "run values", depth)
        dump.add(at + 8 + runs, size - 8 - runs, "run lengths", depth)
    elif kind == "inline_bitpacking":
        width = type_.width
        dump.add(at, width, f"{text}; {coding.little(data, 0, width)} bits", depth)
        dump.add(at + width, size - width, "1024 values in FastLanes order", depth)
    else:
        dump.add(at, size, text, depth)


def explain_values(dump: Dump, encoding: Message, parts: list[tuple[int, int]], count: int, type_: Type, depth: int) -> None:
    """Value buffers of a chunk."""
    values = coding.decode_values(encoding, [dump.data[at : at + size] for at, size in parts], count, type_)
    text = f"values, {name_of(encoding)}: {listing([shown(value, type_) for value in values])}"
    kind, e = encoding.only()
    (at, size), rest = parts[0], parts[1:]
    if kind == "variable":
        width = e.offsets.flat.bits_per_value // 8
        offsets = coding.integers(dump.data[at : at + (count + 1) * width], width)
        dump.add(at, len(offsets) * width, f"{text}; offsets {listing(offsets)}", depth)
        used = offsets[-1]
        dump.add(at + offsets[0], used - offsets[0], printable(dump.data[at + offsets[0] : at + used]) or "bytes", depth)
        dump.add(at + used, size - used, "padding to the offset width", depth)
    elif kind == "inline_bitpacking":
        width = type_.width
        dump.add(at, width, f"{text}; {coding.little(dump.data, at, width)} bits", depth)
        dump.add(at + width, size - width, "1024 values in FastLanes order", depth)
    elif kind == "rle":
        dump.add(at, size, f"{text}; run values", depth)
        dump.add(*rest[0], "run lengths", depth)
    else:
        dump.add(at, size, text, depth)
        for number, (at, size) in enumerate(rest):
            dump.add(at, size, f"value buffer {number + 1}", depth)


def explain_mini_block(dump: Dump, layout: Message, buffers: list[tuple[int, int]], type_: Type, version: str) -> None:
    width = 4 if version == "2.2" else 2
    words = coding.integers(dump.data[buffers[0][0] : sum(buffers[0])], width)
    value_type = type_
    if layout.has("dictionary"):
        item, value_type = (type_.item, type_.index) if type_.kind == "dictionary" else (type_, coding.U32)
        dump.title(buffers[2][0], "buffer 2: dictionary")
        explain_block(dump, layout.dictionary, *buffers[2], layout.num_dictionary_items, item, "dictionary", 0)
    if layout.repetition_index_depth:
        at, size = buffers[-1]
        dump.title(at, f"buffer {len(buffers) - 1}: repetition index")
        for chunk in range(len(words)):
            dump.number(at + 16 * chunk, 8, f"chunk {chunk}: rows finished")
            dump.number(at + 16 * chunk + 8, 8, f"chunk {chunk}: levels left over")
    dump.title(buffers[0][0], "buffer 0: chunk words")
    at, done = buffers[1][0], 0
    for number, word in enumerate(words):
        size, is_last = ((word >> 4) + 1) * 8, number == len(words) - 1
        count = layout.num_items - done if is_last else 1 << (word & 15)
        dump.add(buffers[0][0] + width * number, width, f"chunk {number}: {size} bytes, {count} values" + (" (the rest)" if is_last else ""))
        dump.title(at, f"buffer 1, chunk {number}" if number else "buffer 1: chunks; chunk 0")
        level_count, position = coding.little(dump.data, at, 2), dump.number(at, 2, "levels")
        sizes = []
        for name in ("rep_compression", "def_compression"):
            if layout.has(name):
                sizes.append((name, coding.little(dump.data, position, 2)))
                position = dump.number(position, 2, f"bytes of {'repetition' if name[0] == 'r' else 'definition'} levels")
        for buffer in range(layout.num_buffers):
            sizes.append(("", coding.little(dump.data, position, width)))
            position = dump.number(position, width, f"bytes of value buffer {buffer}")
        parts = []
        for name, length in sizes:
            aligned = at + (position - at + 7) // 8 * 8
            dump.add(position, aligned - position, "padding to 8")
            if name:
                what = "repetition levels" if name[0] == "r" else "definition levels"
                explain_block(dump, getattr(layout, name), aligned, length, level_count, coding.U16, what, 0)
            else:
                parts.append((aligned, length))
            position = aligned + length
        explain_values(dump, layout.value_compression, parts, count, value_type, 0)
        dump.add(position, at + size - position, "padding to 8")
        at, done = at + size, done + count


def explain_full_zip(dump: Dump, layout: Message, buffers: list[tuple[int, int]], type_: Type, rows: int) -> None:
    total, limit = layout.bits_rep + layout.bits_def, pages.levels_before_list(layout.layers)
    width = 0 if total == 0 else 1 if total <= 8 else 2 if total <= 16 else 4
    at, end = buffers[0][0], sum(buffers[0])
    dump.title(at, f"buffer 0: entries, {name_of(layout.value_compression)}")
    is_variable = layout.has("bits_per_offset")
    while at < end:
        word = coding.little(dump.data, at, width)
        level = word & (1 << layout.bits_def) - 1
        names = ([f"rep {word >> layout.bits_def}"] if layout.bits_rep else []) + ([f"def {level}"] if layout.bits_def else [])
        what = "no value" if level > limit else "null, no bytes" if level and is_variable else "null" if level else "a value"
        at = dump.add(at, width, f"control word: {', '.join(names)}: {what}")
        if level > limit or level and is_variable:
            continue
        size = (layout.bits_per_offset if is_variable else layout.bits_per_value) // 8
        if is_variable:
            size, at = coding.little(dump.data, at, size), dump.number(at, size, "length", 1)
        data = dump.data[at : at + size]
        value = coding.decode_single(layout.value_compression, data, type_, is_variable)
        at = dump.add(at, size, "value that means nothing" if level else f"value: {shown(value, type_)}", 1)
    if len(buffers) > 1:
        at, size = buffers[1]
        dump.title(at, "buffer 1: row index")
        for row in range(rows + 1):
            dump.number(at + row * (size // (rows + 1)), size // (rows + 1), "end" if row == rows else f"row {row} begins at")


def explain_constant(dump: Dump, layout: Message, buffers: list[tuple[int, int]], type_: Type) -> None:
    if len(buffers) in (1, 3):
        at, size = buffers[0]
        dump.title(at, "buffer 0: scalar")
        count = coding.little(dump.data, at, 4)
        value = pages.scalar(dump.data[at : at + size], type_)
        at = dump.number(at, 4, "buffers")
        sizes = [coding.little(dump.data, at + 4 * i, 4) for i in range(count)]
        for i in range(count):
            at = dump.number(at, 4, f"bytes of buffer {i}")
        for i, length in enumerate(sizes):
            at = dump.add(at, length, f"buffer {i}" + (f": {shown(value, type_)}" if i == len(sizes) - 1 else ": offsets"))
    said = ((layout.rep_compression, layout.num_rep_values), (layout.def_compression, layout.num_def_values))
    for i, ((at, size), (encoding, count)) in enumerate(zip(buffers[-2:], said if len(buffers) > 1 else ())):
        what = ("repetition levels", "definition levels")[i]
        dump.title(at, f"buffer {len(buffers) - 2 + i}: {what}" + ("" if size else ": none"))
        if size:
            explain_block(dump, encoding, at, size, count, coding.U16, what, 0)


def explain_file(path: pathlib.Path) -> list[str]:
    """All lines for a data file."""
    file = DataFile(path)
    dump, end = Dump(file.data), len(file.data) - 40
    for at, width, text in [
        (0, 8, "position of the first column metadata message"), (8, 8, "position of the column metadata offset table"),
        (16, 8, "position of the global buffer offset table"), (24, 4, "global buffers"), (28, 4, "columns"),
        (32, 2, "major version"), (34, 2, "minor version"),
    ]:  # fmt: skip
        dump.number(end + at, width, text)
    dump.title(end, "footer")
    dump.add(end + 36, 4, "LANC")
    for offset, count, what in ((8, 28, "column metadata"), (16, 24, "global buffer")):
        start = coding.little(file.data, end + offset, 8)
        dump.title(start, f"{what} offset table")
        for i, (position, size) in enumerate(file.table(end + offset, end + count, end)):
            dump.number(start + 16 * i, 8, f"position of {what} {i}")
            dump.number(start + 16 * i + 8, 8, "its size")
            message = {"column metadata": "lance.file.v2.ColumnMetadata"}.get(what, "lance.file.FileDescriptor" if i == 0 else "")
            if what == "global buffer" and str(i) == file.metadata.get("lance:ivf"):
                message = "lance.index.pb.IVF"
            if message:
                dump.title(position, f"{what} {i}: {message}")
                explain_message(dump, message, position, position + size)
            elif file.data[position : position + 6] == CHECKSUMS:
                dump.title(position, f"{what} {i}: checksums")
                explain_checksums(dump, position, size)
            else:
                dump.title(position, f"{what} {i}")
                dump.add(position, size, "")
    leaves = [leaf for field in file.fields for leaf in field.leaves]
    for leaf, column in zip(leaves, file.columns):
        path_text = ".".join(node.name for node in find_path(file.fields, leaf.id))
        for number, page in enumerate(column.pages):
            layout = decode("lance.encodings21.PageLayout", decode("google.protobuf.Any", page.encoding.direct.encoding).value)
            buffers = list(zip(page.buffer_offsets, page.buffer_sizes))
            kind, inner = layout.only()
            if buffers:
                dump.title(min(at for at, _ in buffers) - 0.5, f"column {path_text}, page {number}: {kind}, {page.length} rows")
            explain_page(dump, file, kind, inner, buffers, leaf.stored_type(), page.length)
            if leaf.is_second_blob_form:
                explain_blobs(dump, file, inner, buffers, leaf.stored_type())
    return dump.lines()


def explain_blobs(dump: Dump, file: DataFile, layout: Message, buffers: list, type_: Type) -> None:
    """Values of the second form of blobs that are in the file itself."""
    for row, parts in enumerate(pages.full_zip(layout, [file.bytes(*entry) for entry in buffers], type_)[2]):
        kind, position, size = (int.from_bytes(part, "little") for part in parts[:3]) if parts else (0, 0, 0)
        if kind == 0 and size:
            dump.title(position, f"blob of row {row}")
            dump.add(position, size, printable(file.bytes(position, size)))


def explain_checksums(dump: Dump, at: int, size: int) -> None:
    dump.add(at, 8, "magic")
    dump.number(at + 8, 4, "version")
    dump.number(at + 12, 4, "bytes of a block")
    dump.number(at + 16, 8, "position of this buffer")
    dump.number(at + 24, 4, "CRC-32C of global buffer 0 and all bytes behind this buffer: {:#x}")
    dump.number(at + 28, 4, "CRC-32C of the 28 bytes before: {:#x}")
    for block in range((size - 36) // 4):
        dump.number(at + 32 + 4 * block, 4, f"CRC-32C of block {block}: {{:#x}}")
    dump.number(at + size - 4, 4, "CRC-32C of the checksums: {:#x}")


def explain_page(dump: Dump, file: DataFile, kind: str, layout: Message, buffers: list, type_: Type, rows: int) -> None:
    if kind == "mini_block_layout":
        explain_mini_block(dump, layout, buffers, type_, file.version)
    elif kind == "full_zip_layout":
        explain_full_zip(dump, layout, buffers, type_, rows)
    elif kind == "constant_layout":
        explain_constant(dump, layout, buffers, type_)
    else:
        mini = layout.inner_layout.mini_block_layout
        explain_mini_block(dump, mini, buffers, pages.PAIR, file.version)
        content = pages.mini_block(mini, [file.bytes(*entry) for entry in buffers], pages.PAIR, file.version)
        for row, pair in enumerate(content[2]):
            position, size = (int.from_bytes(part, "little") for part in pair)
            if size:
                dump.title(position, f"blob of row {row}")
                dump.add(position, size, printable(file.bytes(position, size)))


# ---------------------------------------------------------------- table files


def explain_manifest(data: bytes) -> list[str]:
    dump, end = Dump(data), len(data) - 16
    position = coding.little(data, end, 8)
    manifest = decode("lance.table.Manifest", section(data, position))
    parts = [(position, "lance.table.Manifest")]
    parts += [(manifest.index_section, "lance.table.IndexSection")] if manifest.has("index_section") else []
    parts += [(manifest.transaction_section, "lance.table.Transaction")] if manifest.has("transaction_section") else []
    for at, message in parts:
        dump.title(at, message)
        body = dump.number(at, 4, "length")
        explain_message(dump, message, body, body + coding.little(data, at, 4))
    dump.title(end, "footer")
    dump.number(end, 8, "position of the Manifest message")
    dump.number(end + 8, 2, "major version")
    dump.number(end + 10, 2, "minor version")
    dump.add(end + 12, 4, "LANC")
    if position >= 32 and data[position - 32 : position - 26] == CHECKSUMS:
        start = position - 32
        dump.title(start, "checksum")
        dump.add(start, 8, "magic")
        dump.number(start + 8, 8, "position of the checksum")
        dump.number(start + 16, 8, "size of the file")
        dump.number(start + 24, 4, "version")
        dump.number(start + 28, 4, "CRC-32C of all other bytes")
    return dump.lines()


def explain_roaring(data: bytes) -> list[str]:
    dump, cookie = Dump(data), coding.little(data, 0, 4)
    dump.add(0, 4, f"cookie {cookie}" + (": no runs" if cookie == 12346 else ": runs"))
    count, at = (coding.little(data, 4, 4), 8) if cookie == 12346 else ((cookie >> 16) + 1, 4 + ((cookie >> 16) + 8) // 8)
    dump.add(4, at - 4, f"{count} containers" if cookie == 12346 else "which containers are runs")
    for i in range(count):
        dump.number(at + 4 * i, 2, "key")
        dump.number(at + 4 * i + 2, 2, "cardinality - 1")
    at += 4 * count
    for i in range(count if cookie == 12346 or count >= 4 else 0):
        at = dump.number(at, 4, f"offset of container {i}")
    dump.add(at, len(data) - at, f"containers: {listing(sorted(roaring(data)))}")
    return dump.lines()


def explain(path: pathlib.Path) -> list[str]:
    """All lines for a file, by its name."""
    data = path.read_bytes()
    if path.suffix == ".manifest":
        return explain_manifest(data)
    if path.suffix == ".bin":
        return explain_roaring(data)
    if path.suffix == ".txn":
        dump = Dump(data)
        explain_message(dump, "lance.table.Transaction", 0, len(data))
        return dump.lines()
    return explain_file(path)


# ---------------------------------------------------------------- pages of text


EXAMPLES = json.loads((HERE / "examples.json").read_text())


def page_text(name: str, title: str) -> str:
    path = HERE / "files" / name
    lines = [f"# {title}", "", f"`files/{name}`, {path.stat().st_size} bytes. Written by annotate.py: change the file or the script, not this page.", ""]
    if path.suffix in (".lance", ".idx"):
        file = DataFile(path)
        columns, _ = file.read(file.fields)
        lines += [f"File version {file.version}.", "", "| column | type | values |", "|---|---|---|"]
        for field, column in zip(file.fields, columns):
            type_ = field_json(field.name, field.type, field.nullable, field.metadata, field.children)["type"]
            values = [value_json(value, field.type, field.children) for value in column]
            texts = [json.dumps(value, ensure_ascii=False) for value in values]
            text = listing([text if len(text) < 80 else text[:79] + "…" for text in texts]).replace("|", "\\|")
            lines.append(f"| {field.name} | {type_} | {text} |")
        lines.append("")
    return "\n".join(lines + ["```"] + explain(path)[0:] + ["```", ""])


def all_pages() -> dict[pathlib.Path, str]:
    result = {HERE / f"{pathlib.Path(name).name}.md": page_text(name, title) for name, title in EXAMPLES.items()}
    lines = [
        "# Example files", "", "Whole files, byte by byte. The pages are made from the files in `files/` by `annotate.py`; `annotate.py --check`, a part of `scripts/test`,",
        "makes them again and compares. All were written by pylance 14.0.2 (`make.py`).", "", "| file | shows |", "|---|---|",
    ]  # fmt: skip
    lines += [f"| [{name}]({pathlib.Path(name).name}.md) | {title} |" for name, title in EXAMPLES.items()]
    result[HERE / "README.md"] = "\n".join(lines) + "\n"
    return result


# ---------------------------------------------------------------- worked bytes in the chapters


def make(name: str, **fields) -> Message:
    message = Message(f"lance.encodings21.{name}")
    message.fields_ = fields
    return message


def wrap(kind: str, message: Message) -> Message:
    return make("CompressiveEncoding", **{kind: message})


def symbol_table(symbols: dict[str, int]) -> bytes:
    texts = [text.encode() for text, _ in sorted(symbols.items(), key=lambda item: item[1])]
    header = 0x46535354 << 32 | 1 << 24 | len(texts)
    packed = b"".join(text.ljust(8, b"\0") for text in texts) + bytes(len(text) for text in texts)
    return (header.to_bytes(8, "little") + packed).ljust(2312, b"\0")


def uint(bit_count: int) -> Type:
    return parse_type("bool" if bit_count == 1 else f"uint{bit_count}")


def vocabulary() -> dict[str, object]:
    """Encodings by the words used in the chapters: each gives (message, type of the values)."""

    def flat(n):
        return wrap("flat", make("Flat", bits_per_value=n)), uint(n)

    def over(kind, name, inner, type_=None, **more):
        return wrap(kind, make(name, values=inner[0], **more)), type_ or inner[1]

    return {
        "flat": flat,
        "variable": lambda n: (wrap("variable", make("Variable", offsets=wrap("flat", make("Flat", bits_per_value=n)))), parse_type("string")),
        "inline": lambda n: (wrap("inline_bitpacking", make("InlineBitpacking", uncompressed_bits_per_value=n)), uint(n)),
        "oob": lambda n, w: over("out_of_line_bitpacking", "OutOfLineBitpacking", (wrap("flat", make("Flat", bits_per_value=w)), uint(n)), uncompressed_bits_per_value=n),
        "rle": lambda values, lengths: (wrap("rle", make("Rle", values=values[0], run_lengths=lengths[0])), values[1]),
        "constant": lambda n: (wrap("constant", make("Constant")), uint(n)),
        "bss": lambda inner: over("byte_stream_split", "ByteStreamSplit", inner),
        "general": lambda scheme, inner: over("general", "General", inner, compression=make("BufferCompression", scheme=scheme)),
        "fsst": lambda symbols, inner: over("fsst", "Fsst", inner, symbol_table=symbol_table(symbols)),
        "fsl": lambda n, inner, validity=False: over("fixed_size_list", "FixedSizeList", inner, Type("", "vector", item=inner[1], size=n), items_per_value=n, has_validity=validity),
        "packed": lambda *widths: over("packed_struct", "PackedStruct", (flat(sum(widths))[0] if sum(widths) in (8, 16, 32, 64) else wrap("flat", make("Flat", bits_per_value=sum(widths))), Type("struct", "packed", fields=[uint(w) for w in widths])), bits_per_value=list(widths)),
        "fixed": lambda n, inner: (make("VariablePackedStruct.FieldEncoding", value=inner[0], bits_per_value=n), inner[1]),
        "var": lambda n, inner: (make("VariablePackedStruct.FieldEncoding", value=inner[0], bits_per_length=n), inner[1]),
        "vpacked": lambda *fields: (wrap("variable_packed_struct", make("VariablePackedStruct", fields=[f[0] for f in fields])), Type("struct", "packed", fields=[f[1] for f in fields])),
        "lz4": 1, "zstd": 2, "validity": True, "string": (None, parse_type("string")),
    }  # fmt: skip


def plain(value, type_: Type):
    if value is None or isinstance(value, bool):
        return value
    if type_.kind == "packed":
        return [plain(v, t) for v, t in zip(value, type_.fields)]
    if type_.kind == "vector":
        return [plain(v, type_.item) for v in value]
    return value.decode() if type_.kind == "variable" else int.from_bytes(value, "little")


def bytes_of(text: str) -> bytes:
    result = b""
    for line in text.splitlines():
        for token in re.split(r"\s{4,}", line)[0].split():
            byte, _, times = token.partition("*")
            result += bytes.fromhex(byte) * int(times or 1)
    return result


def check_worked(path: pathlib.Path) -> tuple[int, list[str]]:
    """Number of worked examples of a chapter, and what is wrong with them."""
    problems, pattern = [], r"<!-- worked: (\w+) (\S.*?)(?: (\d+))? -> (.*?) -->\n```\n(.*?)```"
    found = re.findall(pattern, path.read_text(), flags=re.S)
    for context, words, count, expected, text in found:
        data, (encoding, type_) = bytes_of(text), eval(words, {"__builtins__": {}}, vocabulary())  # our own text
        try:
            if context == "scalar":
                values = pages.scalar(data, type_)
            elif context == "value":
                values = [coding.decode_single(encoding, data, type_, True)]
            else:
                buffers = [data] if context == "block" else split(encoding, data, int(count), type_)
                values = coding.decode_values(encoding, buffers, int(count), type_, context == "block")
        except Reject as reject:
            problems.append(f"{path.name}: {words}: {reject}")
            continue
        got = plain(values, type_) if context == "scalar" else [plain(value, type_) for value in values]
        want = json.loads(expected)
        if isinstance(want, dict):
            want = [want.get(str(i), want["rest"]) for i in range(int(count))]
        if got != want:
            problems.append(f"{path.name}: {words} decodes to {listing(got)}, not {listing(want)}")
    for words, expected in re.findall(r"<!-- levels: (.*?) -> (.*?) -->", path.read_text()):
        layers, *content = (json.loads(part) for part in words.split())
        kinds = [("list" if layer in pages.LISTS else "leaf", 0) for layer in layers]
        if pages.unravel(layers, tuple(content), kinds) != json.loads(expected):
            problems.append(f"{path.name}: the levels {words} are not those of {expected}")
        found.append(words)
    if len(found) != len(re.findall("<!-- (?:worked|levels):", path.read_text())):
        problems.append(f"{path.name}: a worked example that is not understood")
    return len(found), problems


def split(encoding: Message, data: bytes, count: int, type_: Type) -> list[bytes]:
    """The buffers of a chunk: a bitmap in front of vectors with validity, lengths behind runs."""
    kind, e = encoding.only()
    if kind == "fixed_size_list" and e.has_validity:
        size = (count * type_.size + 7) // 8
        return [data[:size], data[size:]]
    if kind == "rle":
        runs = len(data) // (type_.width + 1)
        return [data[: runs * type_.width], data[runs * type_.width :]]
    return [data]


def anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def check_links() -> list[str]:
    """Links between the chapters and from README and the like lead somewhere."""
    problems = []
    for path in sorted(SPEC.rglob("*.md")):
        for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
            name, _, heading = target.partition("#")
            if "://" in target:
                continue
            other = (path.parent / name).resolve() if name else path
            if not other.exists():
                problems.append(f"{path.relative_to(SPEC)}: no {target}")
            elif heading and heading not in {anchor(h) for h in re.findall(r"^#+ (.*)$", other.read_text(), flags=re.M)}:
                problems.append(f"{path.relative_to(SPEC)}: no heading {target}")
    return problems


def check() -> int:
    problems, worked = check_links(), 0
    for path in sorted(SPEC.glob("*.md")):
        count, wrong = check_worked(path)
        worked, problems = worked + count, problems + wrong
    try:
        texts = all_pages()
    except Reject as reject:
        print("\n".join([*problems, f"a file of examples/files cannot be read: {reject}"]))
        return 1
    for path, text in texts.items():
        if not path.exists() or path.read_text() != text:
            problems.append(f"{path.relative_to(SPEC)} is not what annotate.py makes of its file")
    known = {path.name for path in texts}
    problems += [f"examples/{path.name}: made from nothing" for path in HERE.glob("*.md") if path.name not in known]
    stray = {str(path.relative_to(HERE / "files")) for path in (HERE / "files").rglob("*") if path.is_file()} - set(EXAMPLES)
    problems += [f"examples/files/{name} has no page" for name in sorted(stray)]
    print("\n".join(problems) or f"{len(texts) - 1} annotated files, {worked} worked examples and all links are right")
    return 1 if problems else 0


def main(arguments: list[str]) -> int:
    if arguments == ["--check"]:
        return check()
    for name in arguments:
        print("\n".join(explain(pathlib.Path(name))))
    if not arguments:
        for path, text in all_pages().items():
            path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
