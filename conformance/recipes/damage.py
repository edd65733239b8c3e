"""Damaged files and tables: what must be rejected, and what must only be survived. The damage is an edit of a good case."""

from __future__ import annotations

import struct
from pathlib import Path

import lance

from common import ROOT, VERSIONS, Suite, field, item, lancefile, seeded, spec, values
from tables import FIELDS, arrow, clean, rows

RECIPE = "damage.py"
FILE = "01-file-container.md"
CORRUPT = ["truncated", "malformed", "inconsistent"]


def u16(value: int) -> str:
    return struct.pack("<H", value).hex()


def u32(value: int) -> str:
    return struct.pack("<I", value).hex()


def u64(value: int) -> str:
    return struct.pack("<Q", value).hex()


def varint(value: int) -> str:
    out = bytearray()
    while True:
        out.append(value & 127 | (128 if value > 127 else 0))
        value >>= 7
        if not value:
            return out.hex()


class Damage:
    """Edits of one base file."""

    def __init__(self, suite: Suite, version: str, base: str):
        self.suite, self.version, self.base = suite, version, base
        # Of another recipe, which may not have been run: then as it is committed.
        made, committed = (root / "cases" / base / "file.lance" for root in (suite.root, ROOT))
        self.data = (made if made.exists() else committed).read_bytes()
        self.file = lancefile.parse(self.data)

    def edited(self, edits: list[dict]) -> dict:
        depth = 5
        return {"base": "../" * depth + f"{self.base}/file.lance", "edits": edits}

    def reject(self, name: str, title: str, classes: list[str], edits: list[dict], *places: str, note: str | None = None) -> None:
        case_id = f"file/reject/{self.version}/{name}"
        self.suite.folder(case_id)
        members: dict = {"requires": {"file_version": self.version, "words": []}, "input": self.edited(edits), "expect": {"reject": classes}}
        if note:
            members["note"] = note
        self.suite.case(case_id, title, "reject", spec(*places), RECIPE, **members)

    def survive(self, name: str, title: str, edits: list[dict], *places: str) -> None:
        case_id = f"file/survive/{self.version}/{name}"
        self.suite.folder(case_id)
        self.suite.case(case_id, title, "survive", spec(*places), RECIPE, requires={"file_version": self.version, "words": []},
                        input=self.edited(edits), expect={"survive": True})


def at(position: int, new: str, why: str) -> dict:
    return {"at": position, "set": new, "why": why}


def footer_cases(d: Damage) -> None:
    size, data = len(d.data), d.data
    a, cmo, gbo, globals_, columns, _, minor = struct.unpack_from("<QQQIIHH", data, size - 40)
    place = f"{FILE}#Footer"
    d.reject("footer/magic", "another magic", CORRUPT, [at(-4, b"LANX".hex(), "magic")], place)
    d.reject("footer/magic-missing-last-byte", "the last byte is missing", CORRUPT, [{"at": -1, "truncate": True, "why": "one byte short"}], place)
    d.reject("footer/empty", "an empty file", CORRUPT, [{"at": 0, "truncate": True, "why": "nothing left"}], place)
    d.reject("footer/only-magic", "a file of the magic alone", CORRUPT, [{"at": 0, "delete": size - 4, "why": "all but the magic"}], place)
    d.reject("footer/short", "a footer of 39 bytes", CORRUPT, [{"at": 0, "delete": size - 39, "why": "all but 39 bytes"}], place)
    d.reject("footer/footer-alone", "a footer without what it points to", CORRUPT, [{"at": 0, "delete": size - 40, "why": "all but the footer"}], place)
    d.reject("footer/version-future", "file version 9.0", ["unsupported"], [at(-8, u16(9) + u16(0), "version")], place, "16-versions.md#Version numbers")
    d.reject("footer/version-2.3", "file version 2.3, which is not defined here", ["unsupported"], [at(-8, u16(2) + u16(3), "version")], place, "16-versions.md#What 2.3 is not")
    d.reject("footer/version-zero", "file version 0.0", ["unsupported", *CORRUPT], [at(-8, u16(0) + u16(0), "version")], place, "16-versions.md#Version numbers")
    d.reject("footer/version-legacy", "file version 0.2, of another container", ["unsupported", *CORRUPT], [at(-8, u16(0) + u16(2), "version")], place, "16-versions.md#Version numbers")
    other = 1 if minor == 2 else 2
    d.reject("footer/version-other", f"stamped 2.{other} with pages of 2.{minor}", [*CORRUPT, "unsupported"], [at(-6, u16(other), "minor version")], place,
             "16-versions.md#2.1 and 2.2", "09-writer-rules.md#Pages of 2.1 and of 2.2")
    for name, position, offset in (("column-metadata-offset", -40, a), ("column-table-offset", -32, cmo), ("global-table-offset", -24, gbo)):
        if name != "column-metadata-offset":
            d.reject(f"footer/{name}-behind-the-end", f"{name} lies behind the file", CORRUPT, [at(position, u64(size + 1000), name)], place, f"{FILE}#Offset tables")
            d.reject(f"footer/{name}-huge", f"{name} is the largest number", [*CORRUPT, "limit"], [at(position, u64((1 << 64) - 1), name)], place, "15-limits.md#Sizes before memory")
        else:
            d.survive(f"footer/{name}-behind-the-end", f"{name} lies behind the file", [at(position, u64(size + 1000), name)], f"{FILE}#Offset tables")
            d.survive(f"footer/{name}-huge", f"{name} is the largest number", [at(position, u64((1 << 64) - 1), name)], "15-limits.md#Sizes before memory")
        d.survive(f"footer/{name}-off-by-one", f"{name} one too large", [at(position, u64(offset + 1), name)], f"{FILE}#Offset tables")
        d.survive(f"footer/{name}-zero", f"{name} is zero", [at(position, u64(0), name)], f"{FILE}#Offset tables")
        d.survive(f"footer/{name}-in-footer", f"{name} points into the footer", [at(position, u64(size - 40), name)], f"{FILE}#Offset tables")
    d.reject("footer/no-global-buffer", "no global buffer, so no schema", CORRUPT, [at(-16, u32(0), "number of global buffers")], f"{FILE}#Global buffers")
    d.reject("footer/global-buffers-many", "more global buffers than fit the file", [*CORRUPT, "limit"], [at(-16, u32((1 << 32) - 1), "number of global buffers")], f"{FILE}#Offset tables", "15-limits.md#Sizes before memory")
    d.reject("footer/columns-many", "more columns than fit the file", [*CORRUPT, "limit"], [at(-12, u32((1 << 32) - 1), "number of columns")], f"{FILE}#Offset tables", "15-limits.md#Sizes before memory")
    d.reject("footer/columns-none", "no columns where the schema has some", CORRUPT, [at(-12, u32(0), "number of columns")], "08-types.md#Columns of a file", "15-limits.md#Consistency")
    d.reject("footer/columns-one-less", "one column less than the schema has", CORRUPT, [at(-12, u32(columns - 1), "number of columns")], "08-types.md#Columns of a file", "15-limits.md#Consistency")
    d.reject("tables/global-buffer-behind-the-end", "global buffer 0 behind the file", CORRUPT, [at(gbo, u64(size * 2), "position")], f"{FILE}#Global buffers")
    d.reject("tables/global-buffer-huge", "global buffer 0 of 2^62 bytes", [*CORRUPT, "limit"], [at(gbo + 8, u64(1 << 62), "size")], f"{FILE}#Global buffers", "15-limits.md#Sizes before memory")
    schema = struct.unpack_from("<Q", data, gbo)[0]
    d.reject("tables/global-buffer-unaligned", "global buffer 0 not at a multiple of 64", CORRUPT, [at(gbo, u64(schema + 1), "position")], f"{FILE}#Alignment and padding")
    d.reject("tables/column-metadata-behind-the-end", "column metadata behind the file", CORRUPT, [at(cmo, u64(size * 3), "position")], f"{FILE}#Column metadata")
    d.reject("tables/column-metadata-huge", "column metadata of 2^63 bytes", [*CORRUPT, "limit"], [at(cmo + 8, u64(1 << 63), "size")], f"{FILE}#Column metadata", "15-limits.md#Sizes before memory")
    d.survive("tables/column-metadata-empty", "column metadata of no bytes", [at(cmo + 8, u64(0), "size")], f"{FILE}#Column metadata")
    d.reject("schema/garbage", "a file descriptor that is no message", CORRUPT, [at(schema, "ff" * 12, "the first bytes")], f"{FILE}#File descriptor")
    d.survive("schema/zero", "a file descriptor of zeros", [at(schema, "00" * 16, "the first bytes")], f"{FILE}#File descriptor")
    for share in (1, 2, 3):
        cut = size * share // 4
        d.reject(f"truncated/at-{share}-quarters", f"only the first {share} quarters of the file", CORRUPT, [{"at": cut, "truncate": True, "why": "cut"}], f"{FILE}#Opening a file")
    d.reject("truncated/at-column-metadata", "cut where the column metadata begins", CORRUPT, [{"at": a, "truncate": True, "why": "cut"}], f"{FILE}#Opening a file")
    d.reject("truncated/middle-missing", "64 bytes in the middle are missing", CORRUPT, [{"at": 64, "delete": 64, "why": "64 bytes gone: every offset is wrong"}], f"{FILE}#Offset tables")
    name = data.index(b"int32", schema)
    d.reject("schema/unknown-type", "a logical type that nobody knows", ["unsupported", *CORRUPT], [at(name, b"int3x".hex(), "logical type")], "08-types.md#Logical types")
    any_url = data.index(b"/lance.encodings21.PageLayout")
    d.reject("pages/unknown-layout-message", "a page whose message has another name", ["unsupported", *CORRUPT], [at(any_url + 18, b"X".hex(), "type URL")], f"{FILE}#Pages")


def page_cases(d: Damage) -> None:
    """Damage in the page table and in page bytes of one column."""
    data, page = d.data, d.file.pages[0]
    cmo = d.file.places["column-offset-table"]
    start, length = struct.unpack_from("<QQ", data, cmo)
    body = data[start : start + length]
    # The offsets of the buffers are packed varints behind their tag.
    packed = b"".join(bytes.fromhex(varint(offset)) for offset, _ in page.buffers)
    where = start + body.index(bytes([10, len(packed)]) + packed) + 2
    last = where + len(packed) - 1
    d.reject("pages/buffer-unaligned", "a page buffer not at a multiple of 64", CORRUPT, [at(where, f"{data[where] | 1:02x}", "offset")], f"{FILE}#Alignment and padding")
    sizes = b"".join(bytes.fromhex(varint(size)) for _, size in page.buffers)
    where_sizes = start + body.index(bytes([18, len(sizes)]) + sizes) + 2
    d.survive("pages/buffer-size-smaller", "a buffer one byte smaller than it is", [at(where_sizes, f"{data[where_sizes] ^ 1:02x}", "size")], f"{FILE}#Pages")
    d.survive("pages/buffer-offset-elsewhere", "a buffer that lies elsewhere in the file", [at(last, f"{data[last] ^ 0x40:02x}", "offset")], f"{FILE}#Pages")
    for position in range(0, min(len(page.text), 12), 3):
        spot = page.start + position
        if spot < len(data):
            d.survive(f"layout/byte-{position:02}", f"byte {position} of a page's layout inverted", [at(spot, f"{data[spot] ^ 255:02x}", "inverted")], f"{FILE}#Pages", "15-limits.md#Consistency")


def bit_cases(d: Damage, name: str, count: int) -> None:
    """Bytes of pages and metadata, chosen by the seed, inverted or set."""
    r = seeded(f"{d.version}/{d.base}/{name}")
    data = d.data
    schema = d.file.places["schema"]
    for number in range(count):
        in_pages = number % 3 != 2
        position = r.randrange(0, schema) if in_pages else r.randrange(schema, len(data) - 4)
        new = r.choice([data[position] ^ 255, data[position] ^ 1, 0, 255, data[position] ^ 128])
        d.survive(f"{name}/{'page' if in_pages else 'metadata'}-{number:02}", f"byte {position} changed to {new}", [at(position, f"{new:02x}", "changed")],
                  "15-limits.md#What cannot be noticed" if in_pages else "15-limits.md#Consistency")


def chunk_cases(d: Damage) -> None:
    """The first chunk of a mini-block page: words and headers that cannot be."""
    page = next(page for page in d.file.pages if page.text.startswith("mini-block"))
    (words, _), (chunks, size) = page.buffers[0], page.buffers[1]
    wide = d.version == "2.2"
    largest = u32((1 << 32) - 1) if wide else u16((1 << 16) - 1)
    d.reject("mini-block/chunk-larger-than-buffer", "a chunk that is larger than its buffer", CORRUPT, [at(words, largest, "chunk word")], "03-mini-block.md#Chunk words", "15-limits.md#Consistency")
    d.reject("mini-block/levels-more-than-bytes", "65535 levels in a chunk that has no room for them", CORRUPT, [at(chunks, u16(65535), "number of levels")], "03-mini-block.md#Chunks", "15-limits.md#Consistency",
             note="the chunk has definition levels")
    d.survive("mini-block/first-word-zero", "a first chunk of eight bytes", [at(words, "00" * (4 if wide else 2), "chunk word")], "03-mini-block.md#Chunk words")
    d.survive("mini-block/header-zero", "a chunk header of zeros", [at(chunks, "00" * 8, "header")], "03-mini-block.md#Chunks")
    d.survive("mini-block/header-ones", "a chunk header of ones", [at(chunks, "ff" * 8, "header")], "03-mini-block.md#Chunks")
    d.survive("mini-block/all-ones", "a data buffer of ones", [at(chunks, "ff" * min(size, 400), "all bytes")], "03-mini-block.md#Chunks")


def version_cases(suite: Suite) -> None:
    """Pages of 2.2 in files of 2.1 that look the same otherwise."""
    places = ("05-constant.md#Forms", "16-versions.md#2.1 and 2.2")
    stamp = [at(-6, u16(1), "minor version")]
    for name, base, what in (("inline-value", "constant-inline-uint64", "with an inline value"), ("compressed-levels", "constant-null-lists", "with compressed levels")):
        d = Damage(suite, "2.1", f"file/read/2.2/encoding/{base}")
        d.reject(f"constant/{name}", f"a constant page {what} in a file of 2.1", [*CORRUPT, "unsupported"], stamp, *places)
    d = Damage(suite, "2.1", "file/read/2.2/encoding/constant-buffer-utf8")
    d.survive("constant/scalar-buffer", "a constant page with a scalar buffer in a file of 2.1", stamp, *places)


def special_cases(suite: Suite, version: str) -> None:
    """Damage that only one encoding knows."""

    def at_values(base: str, name: str, title: str, kind: str, place: str, new: str, buffer: int = 1, offset: int = 8, classes=CORRUPT) -> None:
        d = Damage(suite, version, f"file/read/{version}/encoding/{base}")
        position = d.file.pages[0].buffers[buffer][0] + offset
        edits = [at(position, new, title)]
        if kind == "reject":
            d.reject(name, title, classes, edits, place, "15-limits.md#Consistency")
        else:
            d.survive(name, title, edits, place)

    header = 8
    at_values("inline-bitpacking-uint32", "bit-packing/width-33", "a bit width larger than the word", "reject", "07-encodings.md#InlineBitpacking", u32(33), offset=header)
    at_values("inline-bitpacking-uint64", "bit-packing/width-65", "a bit width larger than the word", "reject", "07-encodings.md#InlineBitpacking", u64(65), offset=header)
    at_values("inline-bitpacking-uint64", "bit-packing/width-huge", "a bit width of 2^64 - 1", "reject", "07-encodings.md#InlineBitpacking", "ff" * 8, offset=header, classes=[*CORRUPT, "limit"])
    at_values("inline-bitpacking-uint16", "bit-packing/width-zero", "a bit width of zero where bytes follow", "survive", "07-encodings.md#InlineBitpacking", "0000", offset=header)
    at_values("variable-utf8", "variable/offset-behind-the-end", "a text that ends behind its chunk", "reject", "07-encodings.md#Variable", u32(0x7FFFFFFF), offset=header + 4)
    at_values("variable-utf8", "variable/offset-falling", "an offset smaller than the one before", "reject", "07-encodings.md#Variable", u32(0), offset=header + 8)
    at_values("variable-large-utf8", "variable/offset-huge", "a 64-bit offset of 2^63", "reject", "07-encodings.md#Variable", u64(1 << 63), offset=header + 8, classes=[*CORRUPT, "limit"])
    at_values("lz4-int64", "general/lz4-size-huge", "an LZ4 block that says it is 4 GiB long", "reject", "07-encodings.md#General compression", u32(0xFFFFFFFF), offset=header, classes=[*CORRUPT, "limit"])
    at_values("zstd-int64", "general/zstd-size-huge", "a Zstandard frame that says it is 2^60 bytes long", "reject", "07-encodings.md#General compression", u64(1 << 60), offset=header, classes=[*CORRUPT, "limit"])
    at_values("lz4-int64", "general/lz4-garbage", "an LZ4 block of ones", "reject", "07-encodings.md#General compression", "ff" * 40, offset=header + 4, classes=[*CORRUPT, "limit"])
    at_values("zstd-int64", "general/zstd-garbage", "a Zstandard frame of ones", "reject", "07-encodings.md#General compression", "ff" * 40, offset=header + 8)
    at_values("rle-int32", "rle/values-changed", "other values in runs", "survive", "07-encodings.md#RLE", "ff" * 16, offset=16)
    at_values("fsst-utf8", "fsst/codes-255", "escape codes without end", "survive", "07-encodings.md#FSST", "ff" * 64, offset=2000)
    at_values("dictionary-text", "dictionary/index-outside", "indices beyond the dictionary", "survive", "03-mini-block.md#Dictionaries", "ff" * 64, offset=300)
    at_values("full-zip-utf8", "full-zip/length-behind-the-end", "a length beyond the page", "reject", "04-full-zip.md#Variable width", u32(0x7FFFFFFF), buffer=0, offset=0)
    at_values("full-zip-nulls-utf8", "full-zip/control-word", "a control word that says too much", "survive", "04-full-zip.md#Entries", "ff", buffer=0, offset=0)
    at_values("full-zip-lists-utf8", "full-zip/control-words", "control words of ones", "survive", "04-full-zip.md#Entries", "ff" * 30, buffer=0, offset=0)
    at_values("full-zip-utf8", "full-zip/row-index", "a row index of ones", "survive", "04-full-zip.md#Row index", "ff" * 8, buffer=1, offset=4)
    at_values("levels-repetition-hundreds", "levels/all-ones", "repetition levels of ones", "survive", "02-levels.md#Repetition levels", "ff" * 32, offset=16)
    at_values("levels-nested-lists", "levels/nested-zero", "levels of zeros", "survive", "02-levels.md#Repetition levels", "00" * 64, offset=16)
    at_values("constant-null-lists", "constant/levels", "levels of a constant page changed", "survive", "05-constant.md#Levels of a constant page", "ff" * 8, buffer=0, offset=0)
    d = Damage(suite, version, f"file/read/{version}/encoding/fsst-utf8")
    table = d.data.index(b"TSSF")
    d.reject("fsst/magic", "a symbol table without its magic", CORRUPT, [at(table, b"XXXX".hex(), "magic")], "07-encodings.md#FSST")
    d.survive("fsst/symbols-255", "a symbol table of 255 symbols", [at(table - 4, "ff", "number of symbols")], "07-encodings.md#FSST")
    d.survive("fsst/lengths", "symbols of length 255", [at(table + 4 + 8 * d.data[table - 4], "ff" * 8, "lengths")], "07-encodings.md#FSST")


# ---------------------------------------------------------------- tables


def tables(suite: Suite) -> None:
    base = "table/reject/base"
    folder = suite.folder(base)
    path = folder / "table.lance"
    lance.write_dataset(arrow(FIELDS, rows(range(20))), str(path), max_rows_per_file=10, data_storage_version="2.2")
    lance.dataset(str(path)).delete("id in (3, 4, 13)")
    # One version with everything in it.
    first = sorted(path.glob("_versions/*.manifest"))[-1]
    first.unlink()
    clean(path)
    from common import dump_values
    from tables import table

    dump_values(table(FIELDS, rows(i for i in range(20) if i not in (3, 4, 13))), folder / "expected.json")
    texts, found, _ = lancefile.contents(path)
    suite.case(base, "the table that is damaged below, as it was", "read", spec("10-table.md#Manifest file"), RECIPE, requires={"file_version": "2.2", "words": sorted({"table", "deletion-arrow", *found})},
               input="table.lance", contains=texts, expect={"values": "expected.json"})
    manifest = next(path.glob("_versions/*.manifest"))
    name = f"_versions/{manifest.name}"
    data = manifest.read_bytes()
    deletion = sorted(path.glob("_deletions/*"))[0]
    file = sorted(path.glob("data/*.lance"))[0]

    def case(kind: str, label: str, title: str, classes: list[str], edits: list[dict], *places: str, note: str | None = None) -> None:
        case_id = f"table/{kind}/{label}"
        suite.folder(case_id)
        more = {"note": note} if note else {}
        expect = {"reject": classes} if kind == "reject" else {"survive": True}
        suite.case(case_id, title, kind, spec(*places), RECIPE, requires={"file_version": "2.2", "words": ["table"]},
                   input={"base": ("../../../../" if "/" in label else "../../../") + base + "/table.lance", "edits": edits}, expect=expect, **more)

    def on(file_name: str, position: int, new: str, why: str) -> dict:
        return {"file": file_name, "at": position, "set": new, "why": why}

    def gone(file_name: str) -> dict:
        return {"file": file_name, "remove": True, "why": "removed"}

    place = "10-table.md#Manifest file"
    case("reject", "no-manifest", "no version at all", ["not-found", *CORRUPT], [gone(name)], "10-table.md#Latest version")
    case("reject", "no-versions-folder", "a directory without _versions", ["not-found", *CORRUPT], [gone("_versions")], "10-table.md#Directory")
    case("survive", "manifest-magic", "a manifest without its magic", [], [on(name, -4, b"LANX".hex(), "magic")], place)
    case("reject", "manifest-version", "a manifest of major version 1", ["unsupported", *CORRUPT], [on(name, -8, u16(1), "major version")], place,
         note="the reference opens it; the specification is plain")
    case("reject", "manifest-empty", "an empty manifest", CORRUPT, [{"file": name, "at": 0, "truncate": True, "why": "nothing left"}], place)
    case("reject", "manifest-truncated", "half a manifest", CORRUPT, [{"file": name, "at": len(data) // 2, "truncate": True, "why": "cut"}], place)
    case("reject", "manifest-offset-behind-the-end", "a manifest whose message lies behind its end", CORRUPT, [on(name, -16, u64(len(data) * 2), "position")], place)
    case("reject", "manifest-offset-huge", "a manifest whose message lies at 2^64 - 1", [*CORRUPT, "limit"], [on(name, -16, "ff" * 8, "position")], place)
    position = struct.unpack_from("<Q", data, len(data) - 16)[0]
    case("reject", "manifest-length-huge", "a manifest message of 4 GiB", [*CORRUPT, "limit"], [on(name, position, "ffffffff", "length")], place, "15-limits.md#Sizes before memory")
    case("reject", "manifest-garbage", "a manifest that is no message", CORRUPT, [on(name, position + 4, "ff" * 20, "the first bytes")], "10-table.md#Manifest")
    case("reject", "data-file-missing", "a data file is missing", ["not-found", *CORRUPT], [gone(f"data/{file.name}")], "10-table.md#Data files")
    case("reject", "data-file-empty", "a data file is empty", CORRUPT, [{"file": f"data/{file.name}", "at": 0, "truncate": True, "why": "nothing left"}], "10-table.md#Data files")
    case("reject", "data-file-truncated", "a data file lost its end", CORRUPT, [{"file": f"data/{file.name}", "at": -20, "truncate": True, "why": "cut"}], "10-table.md#Data files")
    case("reject", "deletion-file-missing", "a deletion file is missing", ["not-found", *CORRUPT], [gone(f"_deletions/{deletion.name}")], "10-table.md#Deletion files")
    case("reject", "deletion-file-empty", "a deletion file is empty", CORRUPT, [{"file": f"_deletions/{deletion.name}", "at": 0, "truncate": True, "why": "nothing left"}], "10-table.md#The Arrow deletion file")
    case("reject", "deletion-file-truncated", "a deletion file lost its end", CORRUPT, [{"file": f"_deletions/{deletion.name}", "at": -30, "truncate": True, "why": "cut"}], "10-table.md#The Arrow deletion file")
    # Flags are varints of one byte: field 9, then field 10.
    body = data[position + 4 :]
    flags = position + 4 + body.index(bytes.fromhex("4801500162" if bytes.fromhex("4801500162") in body else "48015001"))
    case("reject", "reader-flag-unknown", "a reader feature flag that nobody knows", ["unsupported"], [on(name, flags + 1, "41", "flag 64 of data overlays")], "10-table.md#Feature flags")
    version = data.index(b"2.2", position)
    case("reject", "file-version-unknown", "a manifest that says its files are of version 9.9", ["unsupported", *CORRUPT], [on(name, version, b"9.9".hex(), "data format")], "10-table.md#Data files", "16-versions.md#Version numbers")
    r = seeded("table/survive")
    for number in range(14):
        spot = r.randrange(0, len(data))
        new = r.choice([data[spot] ^ 255, data[spot] ^ 1, 0, 255])
        case("survive", f"manifest-{number:02}", f"byte {spot} of the manifest changed to {new}", [], [on(name, spot, f"{new:02x}", "changed")], "15-limits.md#Consistency")
    deleted = deletion.read_bytes()
    for number in range(8):
        spot = r.randrange(0, len(deleted))
        case("survive", f"deletion-file-{number:02}", f"byte {spot} of a deletion file inverted", [], [on(f"_deletions/{deletion.name}", spot, f"{deleted[spot] ^ 255:02x}", "inverted")], "10-table.md#The Arrow deletion file")
    case("survive", "temporary-files", "unfinished manifests of other writers beside the real one", [],
         [{"file": f"_versions/.tmp_7.manifest_x", "add": "00", "why": "temporary"}, {"file": "_versions/7.manifest#1", "add": "ff", "why": "temporary"}], "10-table.md#Manifest names")


def make(suite: Suite) -> None:
    for version in VERSIONS:
        # A small file that has a bit of everything, as the base of most damage.
        base = f"file/read/{version}/damage-base"
        fields = [field("a", "int32"), field("t", "utf8"), field("l", "list", item("int16")), field("s", "struct", field("x", "float64"), field("y", "bool")), field("f", "fixed_size_binary(300)")]
        r = seeded(base)
        columns = [[None if i % 5 == 1 else str(r.randrange(-(1 << 31), 1 << 31)) for i in range(40)], [None if i % 7 == 2 else f"text {i}" for i in range(40)],
                   [None if i % 6 == 3 else [str(i)] * (i % 4) for i in range(40)], [None if i % 9 == 4 else [f"{i:016x}", i % 3 == 0] for i in range(40)],
                   [None if i % 4 == 1 else r.randbytes(300).hex() for i in range(40)]]
        suite.read_case(base, "the file that is damaged elsewhere, as it was", values(fields, columns), version, RECIPE, spec("01-file-container.md#Order of the parts"), ["mini-block", "full-zip"])
        d = Damage(suite, version, base)
        footer_cases(d)
        page_cases(d)
        chunk_cases(d)
        bit_cases(d, "bytes", 24)
        bit_cases(Damage(suite, version, f"file/read/{version}/encoding/levels-struct-list-struct"), "bytes-of-levels", 9)
        bit_cases(Damage(suite, version, f"file/read/{version}/encoding/fsst-nulls-utf8"), "bytes-of-fsst", 9)
        special_cases(suite, version)
    version_cases(suite)
    tables(suite)
