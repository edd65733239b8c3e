"""Protocol buffers: messages are decoded by the definitions in spec/protos."""

import pathlib
import re


class Reject(Exception):
    """The input cannot be read. kind: truncated, malformed, inconsistent, unsupported, limit, not-found, …"""
    def __init__(self, kind: str, text: str):
        super().__init__(text)
        self.kind = kind


def need(condition, text: str, kind: str = "inconsistent") -> None:
    if not condition:
        raise Reject(kind, text)


SCALARS = {"uint32": 0, "uint64": 0, "int32": 0, "int64": 0, "bool": False, "string": "", "bytes": b"", "double": 0, "float": 0}


def load_definitions(folder: pathlib.Path) -> dict[str, dict[int, tuple[str, str, str]]]:
    """Full message name -> field number -> (name, type, label). Enums are read as numbers."""
    found = {"google.protobuf.Any": {1: ("type_url", "string", ""), 2: ("value", "bytes", "")}, "google.protobuf.Empty": {}}
    found["google.protobuf.Timestamp"] = {1: ("seconds", "int64", ""), 2: ("nanos", "int32", "")}
    for path in sorted(folder.glob("*.proto")):
        scope, statement, package = [], [], ""
        for token in re.findall(r'"[^"]*"|[\w.]+|[{}=;<>,]', re.sub(r"//[^\n]*", "", path.read_text())):
            if token in "{}":
                scope = scope + [statement] if token == "{" else scope[:-1]
                message = ".".join([package] + [name for kind, name in scope if kind == "message"])
                found.setdefault(message, {})
            elif token != ";":
                statement.append(token)
                continue
            elif statement[0] == "package":
                package = statement[1]
            elif scope and scope[-1][0] != "enum" and statement[0] != "reserved":
                at = statement.index("=")
                name, type_ = statement[at - 1], statement[at - 2]
                label = statement[0] if statement[0] in ("repeated", "map") else ""
                if label == "map":
                    type_ = f"{message}.{name}"
                    found[type_] = {1: ("key", statement[2], ""), 2: ("value", statement[4], "")}
                found[message][int(statement[at + 1])] = (name, type_, label)
            statement = []
    for message, fields in found.items():
        outer = message.split(".")
        for number, (name, type_, label) in fields.items():
            names = [".".join(outer[:depth] + [type_]) for depth in range(len(outer), -1, -1)]
            full = [type_] if type_ in SCALARS else [name for name in names if name in found]
            fields[number] = (name, full[0] if full else "uint64", label)
    return found


DEFINITIONS = load_definitions(pathlib.Path(__file__).resolve().parent.parent / "protos")


class Message:
    """A decoded message. Absent fields read as zero, empty or None."""
    def __init__(self, name: str):
        self.name_, self.fields_ = name, {}

    def has(self, field: str) -> bool:
        return field in self.fields_

    def only(self) -> tuple[str, object]:
        """Name and value of the one field of a oneof."""
        need(len(self.fields_) == 1, f"a {self.name_} of {sorted(self.fields_)}", "unsupported")
        return list(self.fields_.items())[0]

    def __getattr__(self, field: str):
        if field in self.fields_:
            return self.fields_[field]
        for name, type_, label in DEFINITIONS[self.name_].values():
            if name == field:
                return {"map": {}, "repeated": []}.get(label, SCALARS.get(type_))
        raise AttributeError(f"{self.name_}.{field}")


def varint(data: bytes, at: int, type_: str = "uint64") -> tuple[int, int]:
    value = shift = 0
    while True:
        need(at < len(data) and shift < 70, "a varint without an end", "malformed")
        value |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 128:
            break
    value &= (1 << 64) - 1
    return (value - (1 << 64) if type_[0] == "i" and value >> 63 else value != 0 if type_ == "bool" else value), at


def text_of(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Reject("inconsistent", "text that is not UTF-8") from None


def decode(name: str, data: bytes, depth: int = 0) -> Message:
    """Decodes a message; fields that are not known are passed over."""
    need(depth < 64, "messages nest too deep", "limit")
    result, at = Message(name), 0
    while at < len(data):
        key, at = varint(data, at)
        field, type_, label = DEFINITIONS[name].get(key >> 3, ("", "", ""))
        need(key & 7 in (0, 1, 2, 5), f"wire type {key & 7} in {name}", "malformed")
        if key & 7 == 0:
            value, at = varint(data, at, type_ or "uint64")
        else:
            size, at = varint(data, at) if key & 7 == 2 else (8 if key & 7 == 1 else 4, at)
            need(size <= len(data) - at, f"a field of {name} is cut short", "malformed")
            value, at = data[at : at + size], at + size
        if not field:
            continue
        is_number = isinstance(SCALARS.get(type_), int) and type_ not in ("double", "float")  # which stay bytes
        is_packed = is_number and key & 7 == 2 and label == "repeated"
        need(is_packed or is_number == (key & 7 == 0), f"the wire type of {name}.{field}", "malformed")
        inner = 0
        while is_packed and inner < len(value):
            item, inner = varint(value, inner, type_)
            result.fields_.setdefault(field, []).append(item)
        if type_ == "string":
            value = text_of(value)
        elif type_ not in SCALARS:
            value = decode(type_, value, depth + 1)
        if label == "map":
            result.fields_.setdefault(field, {})[value.key] = value.value
        elif label and not is_packed:
            result.fields_.setdefault(field, []).append(value)
        elif not label:
            result.fields_[field] = value
    return result
