"""Takes a Parquet file apart and puts it together again, changed: footer and page headers are in Thrift's compact protocol.

A structure is a dict of field id to (type, value), a list is (element type, values), text is bytes.
"""

from __future__ import annotations

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)


class Reader:
    def __init__(self, data: bytes):
        self.data, self.at = data, 0

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def varint(self) -> int:
        result = shift = 0
        while True:
            byte = self.byte()
            result |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return result

    def zigzag(self) -> int:
        raw = self.varint()
        return raw >> 1 ^ -(raw & 1)

    def value(self, kind: int):
        if kind in (TRUE, FALSE):
            return kind == TRUE
        if kind == BYTE:
            return self.byte()
        if kind in (I16, I32, I64):
            return self.zigzag()
        if kind in (DOUBLE, BINARY):
            size = 8 if kind == DOUBLE else self.varint()
            self.at += size
            return self.data[self.at - size : self.at]
        if kind in (LIST, SET):
            header = self.byte()
            count = header >> 4 if header >> 4 < 15 else self.varint()
            element = header & 15
            return element, [self.byte() if element in (TRUE, FALSE) else self.value(element) for _ in range(count)]
        fields, last = {}, 0
        while header := self.byte():
            last = last + (header >> 4) if header >> 4 else self.zigzag()
            fields[last] = (header & 15, self.value(header & 15))
        return fields


def varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def encoded(kind: int, value) -> bytes:
    if kind in (TRUE, FALSE):
        return b""
    if kind == BYTE:
        return bytes([value])
    if kind in (I16, I32, I64):
        return varint((value << 1 ^ value >> 63) & (1 << 64) - 1)
    if kind == DOUBLE:
        return value
    if kind == BINARY:
        return varint(len(value)) + value
    if kind in (LIST, SET):
        element, values = value
        head = bytes([len(values) << 4 | element]) if len(values) < 15 else bytes([0xF0 | element]) + varint(len(values))
        return head + b"".join(bytes([item]) if element in (TRUE, FALSE) else encoded(element, item) for item in values)
    out, last = bytearray(), 0
    for number, (field_kind, field_value) in sorted(value.items()):
        if field_kind in (TRUE, FALSE):
            field_kind = TRUE if field_value else FALSE
        delta = number - last
        out += bytes([delta << 4 | field_kind]) if 0 < delta < 16 else bytes([field_kind]) + encoded(I16, number)
        out += encoded(field_kind, field_value)
        last = number
    return bytes(out + b"\0")


def edit_footer(data: bytes, change) -> bytes:
    """The file with the `FileMetaData` that `change` made (in place) of its own."""
    length = int.from_bytes(data[-8:-4], "little")
    footer = Reader(data[-8 - length : -8]).value(STRUCT)
    change(footer)
    new = encoded(STRUCT, footer)
    return data[: -8 - length] + new + len(new).to_bytes(4, "little") + data[-4:]


def edit_pages(data: bytes, change, footer_change=lambda footer: None) -> bytes:
    """The file with every page replaced by what `change(header, content, column metadata)` returns for it: header and content."""
    length = int.from_bytes(data[-8:-4], "little")
    footer = Reader(data[-8 - length : -8]).value(STRUCT)
    out = bytearray(data[:4])
    for group in footer[4][1][1]:
        for column in group[1][1][1]:
            meta = column[3][1]
            start = min(offset for offset in (meta[9][1], meta.get(11, (I64, meta[9][1]))[1]) if offset > 0)
            reader = Reader(data)
            reader.at = start
            places, uncompressed = {}, 0
            first = len(out)
            while reader.at < start + meta[7][1]:
                header = reader.value(STRUCT)
                content = data[reader.at : reader.at + header[3][1]]
                reader.at += header[3][1]
                header, content = change(header, content, meta)
                header[3] = (I32, len(content))
                places.setdefault(header[1][1], len(out))
                head = encoded(STRUCT, header)
                out += head + content
                uncompressed += len(head) + header[2][1]
            meta[9] = (I64, places.get(0, places.get(3)))
            if 11 in meta:
                meta[11] = (I64, places[2])
            meta[6], meta[7] = (I64, uncompressed), (I64, len(out) - first)
    footer_change(footer)
    new = encoded(STRUCT, footer)
    return bytes(out + new + len(new).to_bytes(4, "little") + data[-4:])
