"""Data files and tables (01-file-container.md, 10-table.md, 12-history.md)."""

import json
import math
import pathlib
import re
import urllib.parse

from coding import bits, cut, integers, little, zstd_frame
from messages import Message, Reject, decode, need
from pages import page_rows
from schema import Field, find_path, parse_schema, text_map

VERSIONS = {(2, 1): "2.1", (2, 2): "2.2"}
KNOWN_FLAGS = 1 | 2 | 8 | 16 | 32
MISSING = object()  # stands for the rows of a leaf that no file has


def load(path: pathlib.Path, footer: int) -> bytes:
    """The bytes of a file that ends in a footer of so many bytes, the last four of them LANC."""
    need(path.is_file(), f"there is no {path.name}", "not-found")
    data = path.read_bytes()
    need(len(data) >= footer, f"{path.name} has {len(data)} bytes", "truncated")
    need(not footer or data[-4:] == b"LANC", f"{path.name} does not end in LANC", "malformed")
    return data


def slots_per_row(path: list[Field]) -> int:
    return math.prod(node.type.size or 1 for node in path[:-1])


class DataFile:
    """An open data file. It is held in memory: this reader is meant for small files."""
    def __init__(self, path: pathlib.Path):
        self.path, self.data = path, load(path, 40)
        end = len(self.data) - 40
        numbers = (little(self.data, end + 32, 2), little(self.data, end + 34, 2))
        need(numbers in VERSIONS, f"file version {numbers}", "unsupported")
        self.version = VERSIONS[numbers]
        columns, buffers = (self.table(end + 8, end + 28, end), self.table(end + 16, end + 24, end))
        need(buffers and not any(position % 64 for position, _ in buffers), "global buffers not at multiples of 64")
        descriptor = decode("lance.file.FileDescriptor", self.bytes(*buffers[0]))
        need(descriptor.schema, "a file without a schema")
        self.fields, self.metadata = parse_schema(descriptor.schema.fields), text_map(descriptor.schema.metadata)
        self.columns = [decode("lance.file.v2.ColumnMetadata", self.bytes(*entry)) for entry in columns]
        for column in self.columns:
            need(column.encoding, "a column without an encoding")
            for page in column.pages:
                need(len(page.buffer_offsets) == len(page.buffer_sizes), "a page with other sizes than offsets")
                need(not any(offset % 64 for offset in page.buffer_offsets), "page buffers not at multiples of 64")
                self.page_buffers(page)
        leaves = [leaf for field in self.fields for leaf in field.leaves]
        self.rows = descriptor.length
        if not self.rows and self.columns and len(leaves) == len(self.columns):
            slots = slots_per_row(find_path(self.fields, leaves[0].id))
            self.rows = sum(page.length for page in self.columns[0].pages) // slots

    def table(self, position: int, count: int, end: int) -> list[tuple[int, int]]:
        """Entries of an offset table, from where the footer has its position and its number of entries."""
        start, entries = little(self.data, position, 8), little(self.data, count, 4)
        need(start <= end and entries * 16 <= end - start, f"a table of {entries} entries at {start}")
        return list(zip(*[iter(integers(self.data[start : start + 16 * entries], 8))] * 2))

    def bytes(self, position: int, size: int) -> bytes:
        need(position + size <= len(self.data), f"{size} bytes at {position} of a file of {len(self.data)}")
        return self.data[position : position + size]

    def blob(self, parts: list[bytes]) -> bytes:
        """A value of the second form of blobs."""
        kind, position, size, number = (int.from_bytes(part, "little") for part in parts[:4])
        need(kind < 3, "a blob outside of the table", "unsupported")
        if kind == 0:
            return self.bytes(position, size)
        name = "".join(str(number >> bit & 1) for bit in range(32)) + ".blob"
        return cut(load(self.path.with_suffix("") / name, 0)[position:], [size])[0]

    def page_buffers(self, page: Message) -> list[bytes]:
        return [self.bytes(*entry) for entry in zip(page.buffer_offsets, page.buffer_sizes)]

    def read_leaf(self, path: list[Field], index: int) -> list:
        """All rows of a leaf column, in the form that `join` puts together."""
        need(0 <= index < len(self.columns), f"the file has no column {index}")
        rows, slots, pages = [], slots_per_row(path), self.columns[index].pages
        need(sum(page.length for page in pages) == self.rows * slots, f"column {index} has not {self.rows} rows")
        for page in pages:
            need(page.encoding and page.encoding.has("direct"), "a page whose layout is elsewhere", "unsupported")
            any_ = decode("google.protobuf.Any", page.encoding.direct.encoding)
            need(any_.type_url.split("/")[-1] == "lance.encodings21.PageLayout", any_.type_url, "unsupported")
            layout = decode("lance.encodings21.PageLayout", any_.value)
            part = page_rows(layout, self.page_buffers(page), path, page.length, self)
            need(len(part) * slots == page.length, f"a page of {page.length} rows holds {len(part)}")
            rows += part
        return rows

    def read(self, wanted: list[Field]) -> tuple[list[list], list[int]]:
        """Rows of top-level columns, and their numbers."""
        place = {leaf.id: i for i, leaf in enumerate(leaf for field in self.fields for leaf in field.leaves)}
        need(len(place) == len(self.columns), f"{len(self.columns)} columns for {len(place)} leaves")
        read = {leaf: self.read_leaf(find_path(self.fields, leaf), index) for leaf, index in place.items()}
        return [join_rows(field, [read[leaf.id] for leaf in field.leaves]) for field in wanted], list(range(self.rows))


def join_rows(field: Field, parts: list, rows: int = 0) -> list:
    """Values of a field from the rows of its leaves (or MISSING)."""
    count = next((len(part) for part in parts if part is not MISSING), rows)
    return [join(field, [part if part is MISSING else part[row] for part in parts]) for row in range(count)]


def join(field: Field, parts: list):
    """One value from that of each leaf: structs become lists of their fields."""
    known = [part for part in parts if part is not MISSING]
    nulls = sum(part is None for part in known)
    need(nulls in (0, len(known)), f"the leaves of {field.name!r} do not agree on a null")
    if nulls or not known:
        return None
    if field.is_leaf:
        return parts[0]
    need(len({len(part) for part in known}) == 1, f"the leaves of {field.name!r} do not agree on a length")
    if field.type.kind == "struct":
        rest = iter([part if part is MISSING else part[0] for part in parts])
        return [join(child, [next(rest) for _ in child.leaves]) for child in field.children]
    places = range(len(known[0]))
    return [join(field.children[0], [part if part is MISSING else part[i] for part in parts]) for i in places]


def versions(root: pathlib.Path) -> dict[int, pathlib.Path]:
    """Manifest files by version."""
    paths = [path for path in (root / "_versions").glob("*.manifest") if re.fullmatch(r"[0-9]+\.manifest", path.name)]
    numbers = {path: int(path.name[:-9]) for path in paths}
    found = {(1 << 64) - 1 - n if len(path.name) == 29 else n: path for path, n in numbers.items()}
    return {version: found[version] for version in sorted(found) if version > 0}


def refs(root: pathlib.Path, kind: str) -> dict[str, dict]:
    """Tags or branches by name."""
    try:
        paths = sorted((root / "_refs" / kind).glob("*.json"))
        return {urllib.parse.unquote(path.name.removesuffix(".json")): json.loads(path.read_text()) for path in paths}
    except ValueError as error:
        raise Reject("malformed", str(error)) from None


def section(data: bytes, position: int) -> bytes:
    body = data[position + 4 : -16]
    size = little(data[:-16], position, 4)
    need(size <= len(body), f"a section of {size} bytes at {position} of {len(data)}", "truncated")
    return body[:size]


def checked_name(name: str) -> str:
    leads_out = not name or name[0] == "/" or "\\" in name or "://" in name or ".." in name.split("/")
    need(not leads_out, f"a file name that leads elsewhere: {name!r}", "malformed")
    return name


class Table:
    """One version of a table."""
    def __init__(self, root: pathlib.Path, version: int | None = None):
        self.root, known = root, versions(root)
        need(known and version in (None, *known), f"there is no version {version or ''} of {root.name}", "not-found")
        data = load(known[max(known) if version is None else version], 16)
        need(little(data, len(data) - 8, 2) == 0, "a manifest of another major version", "unsupported")
        manifest = decode("lance.table.Manifest", section(data, little(data, len(data) - 16, 8)))
        self.manifest, unknown = manifest, manifest.reader_feature_flags & ~KNOWN_FLAGS
        need(not unknown, f"reader feature flags {unknown}", "unsupported")
        self.file_version = manifest.data_format.version if manifest.data_format else ""
        need(self.file_version in VERSIONS.values(), f"files of version {self.file_version}", "unsupported")
        self.fields, self.metadata = parse_schema(manifest.fields), text_map(manifest.schema_metadata)
        need(len({f.id for f in manifest.fragments}) == len(manifest.fragments), "a fragment id is used twice")

    def base(self, file: Message, folder: str) -> pathlib.Path:
        """The folder that a data or deletion file is in."""
        if not file.has("base_id"):
            return self.root / folder
        base = next((base for base in self.manifest.base_paths if base.id == file.base_id), None)
        need(base is not None, f"there is no base path {file.base_id}")
        return pathlib.Path(base.path.removeprefix("file://"), folder if base.is_dataset_root else "")

    def open_fragment(self, fragment: Message) -> tuple[int, dict[int, tuple[DataFile, int]]]:
        """Number of rows, and file and column of each field id."""
        place, rows = {}, {fragment.physical_rows} - {0}
        for file in fragment.files:
            opened = DataFile(self.base(file, "data") / checked_name(file.path))
            numbers = (file.file_major_version, file.file_minor_version)
            need(VERSIONS.get(numbers) == opened.version == self.file_version, f"{file.path} has another version")
            need(len(file.fields) == len(file.column_indices), f"{file.path} has other columns than fields")
            rows.add(opened.rows)
            place.update({id_: (opened, column) for id_, column in zip(file.fields, file.column_indices)})
        need(len(rows) == 1, f"the files of fragment {fragment.id} have different numbers of rows")
        return rows.pop(), place

    def deleted(self, fragment: Message, rows: int) -> set[int]:
        """Offsets of deleted rows."""
        file = fragment.deletion_file
        if file is None:
            return set()
        suffix, parse = ("bin", roaring) if file.file_type == 1 else ("arrow", arrow_offsets)
        name = f"{fragment.id}-{file.read_version}-{file.id}.{suffix}"
        offsets = parse(load(self.base(file, "_deletions") / name, 0))
        need(all(offset < rows for offset in offsets), f"{name} deletes more rows than there are")
        need(file.num_deleted_rows in (0, len(offsets)), f"{name} has {len(offsets)} rows")
        return offsets

    def read(self, wanted: list[Field]) -> tuple[list[list], list[int]]:
        """Live rows of top-level columns, and their row ids."""
        columns, ids = [[] for _ in wanted], []
        for fragment in self.manifest.fragments:
            rows, place = self.open_fragment(fragment)
            deleted = self.deleted(fragment, rows)
            live = [row for row in range(rows) if row not in deleted]
            for field, column in zip(wanted, columns):
                places = [(find_path(self.fields, leaf.id), place.get(leaf.id)) for leaf in field.leaves]
                parts = [at[0].read_leaf(path, at[1]) if at else MISSING for path, at in places]
                values = join_rows(field, parts, rows)
                column += [values[row] for row in live]
            stable = row_ids(fragment) if self.manifest.reader_feature_flags & 2 else None
            need(stable is None or len(stable) == rows, f"fragment {fragment.id} has not {rows} row ids")
            ids += [stable[row] if stable else fragment.id << 32 | row for row in live]
        return columns, ids


def row_ids(fragment: Message) -> list[int]:
    """Stable row ids, one for each physical row."""
    need(fragment.has("inline_row_ids"), "row ids in another file", "unsupported")
    result = []
    for segment in decode("lance.table.RowIdSequence", fragment.inline_row_ids).segments:
        kind, s = segment.only()
        ids = encoded_array(s) if "array" in kind else range(s.start, s.end)
        need(len(ids) < 1 << 24, f"{len(ids)} row ids", "limit")
        holes = set(encoded_array(s.holes)) if kind == "range_with_holes" and s.holes else set()
        kept = bits(s.bitmap, len(ids)) if kind == "range_with_bitmap" else [True] * len(ids)
        result += [id_ for id_, present in zip(ids, kept) if present and id_ not in holes]
    return result


def encoded_array(array: Message) -> list[int]:
    kind, a = array.only()
    width = {"u16_array": 2, "u32_array": 4}.get(kind)
    return [a.base + i for i in integers(a.offsets, width)] if width else integers(a.values, 8)


def roaring(data: bytes) -> set[int]:
    """A 32-bit Roaring bitmap in the portable form."""
    cookie, at, is_runs = little(data, 0, 4), 8, []
    if cookie & 0xFFFF == 12347:
        count = (cookie >> 16) + 1
        at = 4 + (count + 7) // 8
        is_runs = bits(data[4:at], count)
    else:
        need(cookie == 12346, "no Roaring bitmap", "malformed")
        count = little(data, 4, 4)
    heads = integers(cut(data[at:], [4 * count])[0], 2)
    at += 4 * count + (4 * count if not is_runs or count >= 4 else 0)
    result = set()
    for i, (key, cardinality) in enumerate(zip(heads[::2], heads[1::2])):
        if is_runs and is_runs[i]:
            pairs = integers(cut(data[at + 2 :], [4 * little(data, at, 2)])[0], 2)
            at += 2 + 2 * len(pairs)
            low = [value for start, more in zip(pairs[::2], pairs[1::2]) for value in range(start, start + more + 1)]
        elif cardinality < 4096:
            low, at = integers(cut(data[at:], [2 * cardinality + 2])[0], 2), at + 2 * cardinality + 2
        else:
            low = [value for value, present in enumerate(bits(data[at : at + 8192], 65536)) if present]
            at += 8192
        result.update(key << 16 | value for value in low)
    return result


def arrow_offsets(data: bytes) -> set[int]:
    """The u32 values of the one column of an Arrow IPC file."""
    need(data[:6] == data[-6:] == b"ARROW1", "no Arrow file", "malformed")

    def slot(table: int, number: int) -> int:
        vtable = table - int.from_bytes(data[table : table + 4], "little", signed=True)
        offset = little(data, vtable + 4 + 2 * number, 2) if 4 + 2 * number < little(data, vtable, 2) else 0
        return table + offset if offset else 0

    def follow(at: int) -> int:
        need(at, "an Arrow file lacks a part", "malformed")
        return at + little(data, at, 4)

    result, blocks = set(), slot(follow(len(data) - 10 - little(data, len(data) - 10, 4)), 3)
    for i in range(little(data, follow(blocks), 4) if blocks else 0):
        block = follow(blocks) + 4 + 24 * i
        position, metadata = little(data, block, 8), little(data, block + 8, 4)
        batch = follow(slot(follow(position + 8), 2))
        rows, values = little(data, slot(batch, 0), 8) if slot(batch, 0) else 0, follow(slot(batch, 2)) + 4 + 16
        body = data[position + metadata + little(data, values, 8) :][: little(data, values + 8, 8)]
        if slot(batch, 3):
            codec = slot(follow(slot(batch, 3)), 0)
            need(codec and data[codec] == 1, "an Arrow file compressed by other means than zstd", "unsupported")
            size, body = little(body, 0, 8), body[8:]
            body = body if size == (1 << 64) - 1 else zstd_frame(body, size)
        result.update(integers(cut(body, [4 * rows])[0], 4))
    return result
