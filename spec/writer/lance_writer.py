#!/usr/bin/env python3
"""A small writer of Lance tables, from spec/ alone: numbers, text and vectors; create, append, delete.

    lance_writer.py create TABLE 2.2 COLUMNS.json     {"a": ["int64", [1, null]], "t": ["string", ["x", null]],
    lance_writer.py append TABLE COLUMNS.json          "v": ["fixed_size_list:float:2", [[0.5, 1], null]]}
    lance_writer.py delete TABLE 0 7 8                numbers of rows, of the rows that are there
"""

import json
import os
import pathlib
import struct
import sys
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "reader"))

from messages import DEFINITIONS, SCALARS, decode, varint  # noqa: E402
from tables import Table, section, versions  # noqa: E402

FORMATS = {"int8": "b", "int16": "h", "int32": "i", "int64": "q", "uint8": "B", "uint16": "H", "uint32": "I", "uint64": "Q"}
FORMATS |= {"float": "f", "double": "d"}
KNOWN_FLAGS = 1 | 8  # of writers: deletion files, config
ALL_VALID, NULLABLE = 1, 3  # layers


def padded(data: bytes, size: int) -> bytes:
    return data + bytes(-len(data) % size)


# ---------------------------------------------------------------- 00-conventions.md, "Protobuf messages"


def number(value: int) -> bytes:
    value, out = value % (1 << 64), bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + bytes([value]))


def field(key: int, data: bytes) -> bytes:
    return number(key << 3 | 2) + number(len(data)) + data


def encode(name_: str, /, **values) -> bytes:
    """A message, by the definitions in protos/. Fields that are 0, empty or false are left out by not giving them."""
    out = b""
    for key, (title, type_, label) in sorted(DEFINITIONS[name_].items()):
        if title not in values:
            continue
        if label == "repeated" and isinstance(SCALARS.get(type_), int):
            out += field(key, b"".join(map(number, values[title])))  # packed; enums, too
            continue
        for value in values[title] if label == "repeated" else [values[title]]:
            value = value.encode() if isinstance(value, str) else value
            out += field(key, value) if isinstance(value, bytes) else number(key << 3) + number(value)
    return out


def fields_of(message: bytes) -> list[tuple[int, bytes]]:
    """Number and bytes of each field: what this writer does not know is passed on (10-table.md, "Manifest")."""
    result, at = [], 0
    while at < len(message):
        key, after = varint(message, at)
        size, end = varint(message, after)  # a number; or the length of what follows
        end += {0: 0, 2: size}[key & 7]
        result.append((key >> 3, message[at:end]))
        at = end
    return result


def changed(message: bytes, name_: str, /, **values) -> bytes:
    """The message with some fields set anew; those set to None go."""
    numbers = {key for key, (title, _, _) in DEFINITIONS[name_].items() if title in values}
    kept = b"".join(data for key, data in fields_of(message) if key not in numbers)
    return kept + encode(name_, **{title: value for title, value in values.items() if value is not None})


# ---------------------------------------------------------------- pages: 03-mini-block.md, 04-full-zip.md, 05-constant.md

PAGE = "lance.encodings21."


def flat(bits: int) -> bytes:
    return encode(PAGE + "CompressiveEncoding", flat=encode(PAGE + "Flat", bits_per_value=bits))


def variable() -> bytes:
    return encode(PAGE + "CompressiveEncoding", variable=encode(PAGE + "Variable", offsets=flat(32)))


def value_bytes(type_: str, values: list) -> tuple[bytes, int, list]:
    """The encoding, the width of a value (0: it varies), and the bytes of each value; nulls have some, too."""
    if type_ in ("string", "binary"):
        return variable(), 0, [value.encode() if isinstance(value, str) else value or b"" for value in values]
    if type_.startswith("fixed_size_list:"):
        item, size = type_.split(":")[1:]
        form, encoding = f"<{size}{FORMATS[item]}", flat(8 * struct.calcsize(FORMATS[item]))
        encoding = encode(PAGE + "FixedSizeList", items_per_value=int(size), values=encoding)
        encoding = encode(PAGE + "CompressiveEncoding", fixed_size_list=encoding)
        null = [0] * int(size)
    else:
        form, null = "<" + FORMATS[type_], 0
        encoding = flat(8 * struct.calcsize(form))
    rows = [null if value is None else value for value in values]
    return encoding, struct.calcsize(form), [struct.pack(form, *(row if isinstance(row, list) else [row])) for row in rows]


def page(type_: str, values: list, version: str) -> tuple[bytes, list[bytes]]:
    """A PageLayout and the page's buffers. The choice is that of 09-writer-rules.md, "The smallest writer"."""
    is_null = [value is None for value in values]
    if all(is_null):
        layout = encode(PAGE + "ConstantLayout", layers=[NULLABLE])
        return encode(PAGE + "PageLayout", constant_layout=layout), []
    encoding, width, data = value_bytes(type_, values)
    levels = is_null if any(is_null) else None
    if max(map(len, data)) > 255:
        return full_zip(encoding, width, data, levels)
    return mini_block(encoding, width, data, levels, version)


def mini_block(encoding: bytes, width: int, data: list[bytes], levels: list | None, version: str) -> tuple[bytes, list[bytes]]:
    word = {"2.1": "<H", "2.2": "<I"}[version]
    count = 64  # values of text in a chunk: at most 64 * 259 bytes
    if width:
        count = max(1 << k for k in range(1, 13) if width << k < 8192)
    words, chunks = b"", b""
    for first in range(0, len(data), count):
        part, own = data[first : first + count], (levels or [])[first : first + count]
        head, body = struct.pack("<H", len(own)), b""
        if levels:
            head += struct.pack("<H", 2 * len(own))
            body = padded(struct.pack(f"<{len(own)}H", *own), 8)
        if width:
            buffer = b"".join(part)
        else:
            ends = [4 * (len(part) + 1)]
            for value in part:
                ends.append(ends[-1] + len(value))
            buffer = padded(struct.pack(f"<{len(ends)}I", *ends) + b"".join(part), 4)
        head += struct.pack(word, len(buffer))
        chunk = padded(head, 8) + body + padded(buffer, 8)
        is_last = first + count >= len(data)
        words += struct.pack(word, (len(chunk) // 8 - 1) << 4 | (0 if is_last else count.bit_length() - 1))
        chunks += chunk
    said = {"def_compression": flat(16)} if levels else {}
    said |= {"has_large_chunk": 1} if version == "2.2" else {}
    layout = encode(
        PAGE + "MiniBlockLayout", value_compression=encoding, num_buffers=1, num_items=len(data),
        layers=[NULLABLE if levels else ALL_VALID], **said,
    )  # fmt: skip
    return encode(PAGE + "PageLayout", mini_block_layout=layout), [words, chunks]


def full_zip(encoding: bytes, width: int, data: list[bytes], levels: list | None) -> tuple[bytes, list[bytes]]:
    entries, starts = b"", []
    for value, is_null in zip(data, levels or [False] * len(data)):
        starts.append(len(entries))
        entries += bytes([is_null]) if levels else b""
        if width:
            entries += value
        elif not is_null:
            entries += struct.pack("<I", len(value)) + value
    said = {"bits_per_value": 8 * width} if width else {"bits_per_offset": 32}
    layout = encode(
        PAGE + "FullZipLayout", **({"bits_def": 1} if levels else {}), **said, num_items=len(data),
        num_visible_items=len(data), value_compression=encoding, layers=[NULLABLE if levels else ALL_VALID],
    )  # fmt: skip
    index = [] if width else [struct.pack(f"<{len(starts) + 1}Q", *starts, len(entries))]
    return encode(PAGE + "PageLayout", full_zip_layout=layout), [entries] + index


# ---------------------------------------------------------------- files: 01-file-container.md, 08-types.md


def schema(columns: dict) -> list[bytes]:
    """Field messages; ids count from 0."""
    return [
        encode("lance.file.Field", name=name, parent_id=-1, logical_type=type_, nullable=1, **({"id": i} if i else {}))
        for i, (name, (type_, _)) in enumerate(columns.items())
    ]


def direct(url: str, value: bytes) -> bytes:
    any_ = encode("google.protobuf.Any", type_url=url, value=value)
    return encode("lance.file.v2.Encoding", direct=encode("lance.file.v2.DirectEncoding", encoding=any_))


def data_file(columns: dict, version: str) -> bytes:
    out, metadata = b"", []

    def put(buffer: bytes) -> int:
        nonlocal out
        out = padded(out, 64)
        at, out = len(out), out + buffer
        return at

    for type_, values in columns.values():
        pages = []
        if values:
            layout, buffers = page(type_, values, version)
            places = {"buffer_offsets": [put(buffer) for buffer in buffers], "buffer_sizes": list(map(len, buffers))}
            encoding = direct("/lance.encodings21.PageLayout", layout)
            pages.append(encode("lance.file.v2.ColumnMetadata.Page", length=len(values), encoding=encoding, **places))
        encoding = direct("/lance.encodings.ColumnEncoding", b"\x0a\x00")
        metadata.append(encode("lance.file.v2.ColumnMetadata", encoding=encoding, pages=pages))
    rows = len(next(iter(columns.values()))[1])
    descriptor = encode("lance.file.FileDescriptor", schema=encode("lance.file.Schema", fields=schema(columns)), length=rows)
    at, first = put(descriptor), len(out)
    table = b""
    for message in metadata:
        table += struct.pack("<QQ", len(out), len(message))
        out += message
    cmo, gbo = len(out), len(out) + len(table)
    major, minor = map(int, version.split("."))
    footer = struct.pack("<QQQIIHH4s", first, cmo, gbo, 1, len(metadata), major, minor, b"LANC")
    return out + table + struct.pack("<QQ", at, len(descriptor)) + footer


# ---------------------------------------------------------------- tables: 10-table.md, 11-commits.md


def put_new(path: pathlib.Path, data: bytes) -> None:
    """Writes a file under a name that is not in use, or fails: complete, and on the disk, before it has its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f".tmp_{uuid.uuid4()}"
    with open(temporary, "xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(temporary, path)
    finally:
        temporary.unlink()


def new_fragment(root: pathlib.Path, columns: dict, version: str) -> bytes:
    """Writes a data file; its fragment, whose id is given at the commit."""
    name, data, count = f"{uuid.uuid4()}.lance", data_file(columns, version), len(columns)
    put_new(root / "data" / name, data)
    major, minor = map(int, version.split("."))
    entry = encode(
        "lance.table.DataFile", path=name, fields=list(range(count)), column_indices=list(range(count)),
        file_major_version=major, file_minor_version=minor, file_size_bytes=len(data),
    )  # fmt: skip
    rows = len(next(iter(columns.values()))[1])
    return encode("lance.table.DataFragment", files=[entry], physical_rows=rows)


def commit(root: pathlib.Path, read_version: int, manifest: bytes, flags: int, **operation) -> None:
    """Makes the manifest the version after the one read. Does not look at what others committed: it fails then."""
    id_ = str(uuid.uuid4())
    transaction = encode("lance.table.Transaction", **({"read_version": read_version} if read_version else {}), uuid=id_, **operation)
    name, now = f"{read_version}-{id_}.txn", time.time_ns()
    put_new(root / "_transactions" / name, transaction)
    stamp = encode("google.protobuf.Timestamp", seconds=now // 10**9, nanos=now % 10**9)
    manifest = changed(
        manifest, "lance.table.Manifest", version=read_version + 1, timestamp=stamp, transaction_file=name, transaction_section=0,
        index_section=None, reader_feature_flags=flags or None, writer_feature_flags=flags or None, old_transaction_section=None,
        writer_version=encode("lance.table.Manifest.WriterVersion", library="lance_writer.py", version="1"),
    )  # fmt: skip
    sections = struct.pack("<I", len(transaction)) + transaction
    end = struct.pack("<QHH4s", len(sections), 0, 2, b"LANC")
    file = f"{(1 << 64) - 1 - (read_version + 1):020}.manifest"
    put_new(root / "_versions" / file, sections + struct.pack("<I", len(manifest)) + manifest + end)


def newest(root: pathlib.Path) -> tuple[Table, bytes]:
    """The newest version, and its Manifest message as it stands there."""
    table = Table(root)
    data = versions(root)[max(versions(root))].read_bytes()
    unknown = table.manifest.writer_feature_flags & ~KNOWN_FLAGS
    if unknown or table.manifest.has("index_section") or table.manifest.config:
        raise SystemExit(f"a table that this writer does not know enough of (flags {unknown}, indexes, config)")
    return table, section(data, struct.unpack_from("<Q", data, len(data) - 16)[0])


def create(root: pathlib.Path, version: str, columns: dict) -> None:
    fragment, fields = new_fragment(root, columns, version), schema(columns)
    format_ = encode("lance.table.Manifest.DataStorageFormat", file_format="lance", version=version)
    manifest = encode("lance.table.Manifest", fields=fields, fragments=[fragment], max_fragment_id=0, data_format=format_)
    commit(root, 0, manifest, 0, overwrite=encode("lance.table.Transaction.Overwrite", fragments=[fragment], schema=fields))


def append(root: pathlib.Path, columns: dict) -> None:
    table, manifest = newest(root)
    if [(f.id, f.name, f.type.text) for f in table.fields] != [(i, name, c[0]) for i, (name, c) in enumerate(columns.items())]:
        raise SystemExit("other columns than those of the table")
    fragment, id_ = new_fragment(root, columns, table.file_version), table.manifest.max_fragment_id + 1
    with_id = changed(fragment, "lance.table.DataFragment", id=id_)
    manifest = changed(manifest, "lance.table.Manifest", max_fragment_id=id_) + encode("lance.table.Manifest", fragments=[with_id])
    operation = encode("lance.table.Transaction.Append", fragments=[fragment])
    commit(root, table.manifest.version, manifest, table.manifest.reader_feature_flags, append=operation)


def roaring(offsets: list[int]) -> bytes:
    groups = {key: [o & 65535 for o in offsets if o >> 16 == key] for key in sorted({o >> 16 for o in offsets})}
    heads, bodies = b"", []
    for key, values in groups.items():
        heads += struct.pack("<HH", key, len(values) - 1)
        dense = sum(1 << value for value in values).to_bytes(8192, "little") if len(values) > 4096 else b""
        bodies.append(dense or struct.pack(f"<{len(values)}H", *values))
    start = 8 + 8 * len(groups)
    places = b"".join(struct.pack("<I", start + sum(map(len, bodies[:i]))) for i in range(len(bodies)))
    return struct.pack("<II", 12346, len(groups)) + heads + places + b"".join(bodies)


def delete(root: pathlib.Path, rows: list[int]) -> None:
    """Deletes rows, given by their numbers among those that are there."""
    (table, manifest), wanted, first = newest(root), set(rows), 0
    version, updated, removed, result = table.manifest.version, [], [], b""
    for key, data in fields_of(manifest):
        if key != 2:
            result += data
            continue
        message = data[varint(data, varint(data, 0)[1])[1] :]
        fragment = decode("lance.table.DataFragment", message)
        old = table.deleted(fragment, fragment.physical_rows)
        live = [row for row in range(fragment.physical_rows) if row not in old]
        gone = {row for i, row in enumerate(live) if first + i in wanted}
        first += len(live)
        if len(gone) == len(live):
            removed.append(fragment.id)
            continue
        if gone:
            offsets, id_ = sorted(old | gone), uuid.uuid4().int >> 64
            put_new(root / "_deletions" / f"{fragment.id}-{version}-{id_}.bin", roaring(offsets))
            entry = encode("lance.table.DeletionFile", file_type=1, read_version=version, id=id_, num_deleted_rows=len(offsets))
            message = changed(message, "lance.table.DataFragment", deletion_file=entry)
            updated.append(message)
        result += field(2, message)
    operation = encode(
        "lance.table.Transaction.Delete", updated_fragments=updated, **({"deleted_fragment_ids": removed} if removed else {}),
        predicate="rows by number",
    )  # fmt: skip
    has_deletions = any(key == 2 and decode("lance.table.Manifest", data).fragments[0].deletion_file for key, data in fields_of(result))
    commit(root, version, result, int(has_deletions), delete=operation)


def main(verb: str, root: str, *rest: str) -> None:
    path = pathlib.Path(root)
    if verb == "delete":
        delete(path, list(map(int, rest)))
        return
    columns = json.loads(pathlib.Path(rest[-1]).read_text(encoding="utf-8"))
    create(path, rest[0], columns) if verb == "create" else append(path, columns)


if __name__ == "__main__":
    main(*sys.argv[1:])
