"""Compressive encodings (07-encodings.md)."""

import ctypes
import ctypes.util
import itertools

from messages import Message, Reject, need
from schema import Type

MAX_IMPLIED, MAX_BYTES = 1 << 24, 1 << 28  # values that no bytes stand for; what a buffer may decompress to
ORDER = (0, 4, 2, 6, 1, 5, 3, 7)
U16, U32, U64 = (Type(f"uint{8 * width}", "fixed", width) for width in (2, 4, 8))


def little(data: bytes, at: int, width: int) -> int:
    need(0 <= at and len(data) - at >= width, f"{width} bytes at {at} of {len(data)}", "truncated")
    return int.from_bytes(data[at : at + width], "little")


def integers(data: bytes, width: int) -> list[int]:
    return [int.from_bytes(data[i : i + width], "little") for i in range(0, len(data) - width + 1, width)]


def bits(data: bytes, count: int) -> list[bool]:
    need(len(data) * 8 >= count, f"a bitmap of {len(data)} bytes for {count} values")
    return [bool(data[i >> 3] >> (i & 7) & 1) for i in range(count)]


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    """Consecutive parts of the data."""
    ends = list(itertools.accumulate(sizes))
    need(not ends or ends[-1] <= len(data), f"parts of {sizes[:9]} bytes of {len(data)}")
    return [data[end - size : end] for end, size in zip(ends, sizes)]


def zstd_frame(frame: bytes, size: int | None) -> bytes:
    """One Zstandard frame, by the C library."""
    zstd = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
    zstd.ZSTD_getFrameContentSize.restype, zstd.ZSTD_decompress.restype = ctypes.c_ulonglong, ctypes.c_size_t
    length = ctypes.c_size_t(len(frame))
    size = zstd.ZSTD_getFrameContentSize(frame, length) if size is None else size
    need(size <= MAX_BYTES, f"a zstd frame of {size} bytes", "limit")
    room = ctypes.create_string_buffer(size + 1)
    written = zstd.ZSTD_decompress(room, ctypes.c_size_t(size + 1), frame, length)
    need(written <= size, "a damaged zstd frame", "malformed")
    return room.raw[:written]


def lz4_block(data: bytes, size: int) -> bytes:
    """One raw LZ4 block: literals and copies in turn."""
    out, at = bytearray(), 0

    def extended(length: int) -> int:
        nonlocal at
        more = 255 if length == 15 else 0
        while more == 255:
            more, at = little(data, at, 1), at + 1
            length += more
        return length

    while at < len(data):
        token, at = data[at], at + 1
        count = extended(token >> 4)
        out, at = out + cut(data[at:], [count])[0], at + count
        if at < len(data):
            distance, at = little(data, at, 2), at + 2
            length = extended(token & 15) + 4
            need(0 < distance <= len(out) and len(out) + length <= size, "an LZ4 copy leads outside", "malformed")
            for _ in range(length):
                out.append(out[-distance])
    return bytes(out)


def decompress(compression: Message, data: bytes) -> bytes:
    scheme = compression.scheme if compression else 0
    need(scheme in (1, 2), f"compression scheme {scheme}", "unsupported")
    if scheme == 2 and len(data) > 4 and data[:4] == b"\x28\xb5\x2f\xfd" and not data[4] & 8:
        return zstd_frame(data, None)
    width, size = 4 * scheme, little(data, 0, 4 * scheme)
    need(size <= (255 * len(data) if scheme == 1 else MAX_BYTES), f"{size} bytes from {len(data)}", "limit")
    plain = lz4_block(data[width:], size) if scheme == 1 else zstd_frame(data[width:], size)
    need(len(plain) == size, f"{len(plain)} bytes instead of {size} were compressed")
    return plain


class SymbolTable:
    """FSST."""
    def __init__(self, blob: bytes):
        header = little(blob, 0, 8)
        need(header >> 32 == 0x46535354, "an FSST table without its magic", "malformed")
        self.is_raw, self.symbols, count = not header >> 24 & 1, [], header & 255
        for i in range(count):
            length = little(blob, 8 + 8 * count + i, 1)
            need(1 <= length <= 8, f"an FSST symbol of {length} bytes", "malformed")
            self.symbols.append(blob[8 + 8 * i : 8 + 8 * i + length])

    def decode(self, codes: bytes) -> bytes:
        out, rest = bytearray(), iter(b"" if self.is_raw else codes)
        for code in rest:
            try:
                out += bytes([next(rest)]) if code == 255 else self.symbols[code]
            except (StopIteration, IndexError):
                raise Reject("malformed", f"FSST code {code} of {len(self.symbols)}") from None
        return codes if self.is_raw else bytes(out)


def unpack_block(data: bytes, word_bits: int, packed: int) -> list[int]:
    """1024 values in FastLanes order."""
    need(packed <= word_bits and len(data) >= 128 * packed, f"{packed} bits in a block of {len(data)} bytes")
    values, lanes, mask = [0] * 1024, 1024 // word_bits, (1 << packed) - 1
    words = integers(data[: 128 * packed], word_bits // 8)
    for lane in range(lanes if packed else 0):
        number = sum(words[k * lanes + lane] << (k * word_bits) for k in range(packed))
        for row in range(word_bits):
            values[ORDER[row // 8] * 16 + row % 8 * 128 + lane] = number >> (row * packed) & mask
    return values


def unpack_out_of_line(data: bytes, width: int, packed: int, count: int) -> list[int]:
    need(packed or count <= MAX_IMPLIED, f"{count} values in no bytes", "limit")
    values, at, tail = [], count // 1024 * 128 * packed, count % 1024
    for i in range(count // 1024):
        values += unpack_block(data[128 * packed * i : 128 * packed * (i + 1)], 8 * width, packed)
    if tail and packed and len(data) - at == tail * width:
        return values + integers(data[at:], width)
    return values + (unpack_block(data[at:], 8 * width, packed)[:tail] if tail else [])


def width_of(type_: Type, bit_count: int) -> int:
    need(type_.kind == "fixed" and type_.width * 8 == bit_count, f"{bit_count}-bit values for {type_.text}")
    return type_.width


def flat_bits(encoding: Message | None) -> int:
    kind, flat = encoding.only() if encoding else ("nothing", None)
    need(kind == "flat" and not flat.has("data"), f"{kind} where plain values belong", "unsupported")
    return flat.bits_per_value


def decode_values(encoding: Message | None, buffers: list[bytes], count: int, type_: Type, block: bool = False) -> list:
    """`count` values. Those of fixed and variable width are bytes, booleans bool, vectors and packed structs lists."""
    need(encoding is not None and count >= 0, "an encoding is missing", "malformed")
    kind, e = encoding.only()
    if kind == "constant" and not e.value:
        return [None] * count
    need(buffers, "too few value buffers")
    if kind == "general":
        return decode_values(e.values, [decompress(e.compression, buffers[0])] + buffers[1:], count, type_, block)
    if kind == "fsst":
        table = SymbolTable(e.symbol_table)
        return [table.decode(value) for value in decode_values(e.values, buffers, count, type_, block)]
    data = buffers[0]
    if kind == "flat" and type_.kind == "bool" and e.bits_per_value == 1:
        return bits(data, count)
    if kind == "flat":
        width = width_of(type_, flat_bits(encoding))
        need(len(data) >= count * width, f"{len(data)} bytes for {count} values of {width}")
        return [data[i * width : i * width + width] for i in range(count)]
    if kind in ("inline_bitpacking", "out_of_line_bitpacking"):
        width = width_of(type_, e.uncompressed_bits_per_value)
        if kind[0] == "i":
            need(count <= 1024, f"{count} values in one packed block")
            values = unpack_block(data[width:], 8 * width, little(data, 0, width))[:count]
        else:
            values = unpack_out_of_line(data, width, flat_bits(e.values), count)
        return [value.to_bytes(width, "little") for value in values]
    if kind == "rle":
        width = width_of(type_, flat_bits(e.values))
        need(flat_bits(e.run_lengths) == 8, "run lengths that are not one byte", "unsupported")
        need(block or len(buffers) > 1, "runs without lengths")
        runs = cut(data, [8, little(data, 0, 8)])[1] if block else data
        lengths = data[8 + len(runs) :] if block else buffers[1]
        need(len(runs) >= width * len(lengths) and sum(lengths) == count, f"run lengths of {sum(lengths)}, not {count}")
        return [runs[i * width : i * width + width] for i, length in enumerate(lengths) for _ in range(length)]
    if kind == "byte_stream_split":
        width = width_of(type_, flat_bits(e.values))
        need(len(data) >= count * width, f"{len(data)} bytes for {count} split values")
        return [data[i : count * width : count] for i in range(count)]
    if kind == "variable":
        width, start, base = flat_bits(e.offsets) // 8, 0, 0
        need(type_.kind == "variable" and width in (4, 8) and not e.has("values"), f"variable values for {type_.text}")
        if block:
            need(little(data, 0, width) == width * 8, "offsets of another width than said")
            start, base = 2 * width, little(data, width, width)
        need(count + 1 <= (len(data) - start) // width, f"{len(data)} bytes for {count} offsets")
        offsets = integers(data[start : start + (count + 1) * width], width)
        pairs = list(zip(offsets, offsets[1:]))
        need(all(a <= b for a, b in pairs) and base + offsets[-1] <= len(data), "offsets fall, or lead outside")
        return [data[base + a : base + b] for a, b in pairs]
    if kind == "fixed_size_list":
        size, items = type_.size, count * type_.size
        need(type_.kind == "vector" and e.items_per_value == size, f"lists of {e.items_per_value} for {type_.text}")
        need(items <= MAX_IMPLIED, f"{items} items of vectors", "limit")
        valid = bits(data, items) if e.has_validity else [True] * items
        values = decode_values(e.values, buffers[e.has_validity :], items, type_.item, block)
        values = [value if ok else None for value, ok in zip(values, valid)]
        return [values[i * size : (i + 1) * size] for i in range(count)]
    if kind == "packed_struct":
        widths = [width // 8 for width in e.bits_per_value]
        need(type_.kind == "packed" and flat_bits(e.values) == 8 * sum(widths), "a packed struct of other fields")
        need(len(widths) == len(type_.fields), f"a packed struct of {len(widths)} fields")
        rows = [cut(data[i * sum(widths) :], widths) for i in range(count)]
        return [[plain_value(part, field) for part, field in zip(row, type_.fields)] for row in rows]
    raise Reject("unsupported", f"the encoding {kind}")


def plain_value(data: bytes, type_: Type):
    if type_.kind == "vector":
        width = len(data) // type_.size
        return [plain_value(part, type_.item) for part in cut(data, [width] * type_.size)]
    width_of(type_, 8 * len(data))
    return data


def decode_single(encoding: Message, data: bytes, type_: Type, is_variable: bool):
    """One valid value of a full-zip page."""
    need(encoding is not None, "an encoding is missing", "malformed")
    kind, e = encoding.only()
    if not is_variable:
        if type_.kind == "bool" and len(data) == 1:
            return data[0] != 0
        sizes, items = [], 1
        while kind == "fixed_size_list":
            items *= e.items_per_value
            sizes += [(items + 7) // 8] if e.has_validity else []
            kind, e = e.values.only() if e.values else ("", None)
        return decode_values(encoding, cut(data, sizes) + [data[sum(sizes) :]], 1, type_)[0]
    if kind == "general":
        return decode_single(e.values, decompress(e.compression, data), type_, True)
    if kind == "variable_packed_struct" and type_.kind == "packed" and len(e.fields) == len(type_.fields):
        row, at = [], 0
        for part, field in zip(e.fields, type_.fields):
            width = part.bits_per_length // 8
            size = little(data, at, width) if width else part.bits_per_value // 8
            need(size <= len(data) - at - width, "a packed struct is cut short")
            at += width + size
            row.append(decode_single(part.value, data[at - size : at], field, bool(width)))
        need(at == len(data), "a packed struct is longer than its fields")
        return row
    need(kind in ("variable", "fsst") and type_.kind == "variable", f"{kind} for a {type_.text} of a full-zip page")
    if kind == "fsst" and "table_" not in e.__dict__:
        e.table_ = SymbolTable(e.symbol_table)
    return e.table_.decode(data) if kind == "fsst" else data
