"""Schemas: the tree of fields and the types of their values (08-types.md)."""
from __future__ import annotations

from dataclasses import dataclass, field

from messages import Message, Reject, need

WIDTHS = {f"{sign}int{8 * width}": width for sign in ("", "u") for width in (1, 2, 4, 8)} | {
    "halffloat": 2, "float": 4, "double": 8, "date32:day": 4, "date64:ms": 8, "time32:s": 4, "time32:ms": 4,
    "time64:us": 8, "time64:ns": 8, "duration:s": 8, "duration:ms": 8, "duration:us": 8, "duration:ns": 8,
}  # fmt: skip
BLOB_FIELDS = ("uint8", "uint64", "uint64", "uint32", "string")
VARIABLE = {"string": 4, "binary": 4, "large_string": 8, "large_binary": 8, "json": 8, "blob": 8}


@dataclass
class Type:
    """kind: null bool fixed variable vector dictionary struct list map packed. `text` is the logical type."""
    text: str
    kind: str
    width: int = 0  # bytes of a fixed value, or of an offset of the Arrow type
    item: Type | None = None  # of vectors; values of dictionaries
    size: int = 0  # of vectors and fixed-size lists of structs
    index: Type | None = None  # of dictionaries
    fields: list[Type] = field(default_factory=list)  # of packed structs


def parse_type(text: str) -> Type:
    """The type that a logical type string names."""
    parts = text.split(":")
    head, inner = parts[0], ":".join(parts[1:-1])
    if text in ("null", "bool", "struct", "map"):
        return Type(text, text)
    if text in WIDTHS or (head == "timestamp" and len(parts) > 2 and parts[1] in ("s", "ms", "us", "ns")):
        return Type(text, "fixed", WIDTHS.get(text, 8))
    if text in VARIABLE:
        return Type(text, "variable", VARIABLE[text])
    if text.removeprefix("large_").removesuffix(".struct") == "list":
        return Type(text, "list")
    try:
        if head == "decimal" and len(parts) == 4 and parts[1] in ("128", "256") and int(parts[2]) and int(parts[3]) > -129:
            return Type(text, "fixed", int(parts[1]) // 8)
        if head == "dict" and len(parts) > 3 and parts[-2] in WIDTHS and parts[-1] in ("true", "false"):
            return Type(text, "dictionary", item=parse_type(":".join(parts[1:-2])), index=parse_type(parts[-2]))
        size = int(parts[-1])
        if head == "fixed_size_binary" and len(parts) == 2 and 0 <= size < 1 << 31:
            return Type(text, "fixed", size)
        if head == "fixed_size_list" and inner and 0 < size < 1 << 31:
            if inner == "struct":
                return Type(text, "list", size=size)
            return Type(text, "vector", item=Type(inner, "fixed", 2) if "bfloat" in inner else parse_type(inner), size=size)
    except ValueError:
        pass
    raise Reject("unsupported", f"logical type {text!r}")


@dataclass
class Field:
    """A node of the schema tree."""
    id: int
    name: str
    type: Type
    nullable: bool
    metadata: dict[str, str]
    children: list[Field] = field(default_factory=list)
    is_second_blob_form: bool = False

    @property
    def is_leaf(self) -> bool:
        return not self.children or self.stored_type().kind == "packed"

    @property
    def leaves(self) -> list[Field]:
        return [self] if self.is_leaf else [leaf for child in self.children for leaf in child.leaves]

    def use_second_blob_form(self) -> None:
        """Such a field is a struct in schemas, a packed struct in files, and bytes to those who read it."""
        metadata, prefixes = self.metadata, ("ARROW:extension:", "lance-encoding:blob-", "lance-encoding:packed")
        is_blob = "lance.blob.v2" == metadata.get("ARROW:extension:name") or "lance-encoding:blob" in metadata
        if self.type.kind == "struct" and is_blob:
            self.type, self.is_second_blob_form = parse_type("large_binary"), True
            kept = {key: value for key, value in metadata.items() if not key.startswith(prefixes)}
            self.metadata = kept | {"lance-encoding:blob": "true"}

    def stored_type(self) -> Type:
        """The type of what is in the column."""
        if self.is_second_blob_form:
            return Type("struct", "packed", fields=[parse_type(text) for text in BLOB_FIELDS])
        if self.type.kind == "struct" and "true" in (self.metadata.get("lance-encoding:packed"), self.metadata.get("packed")):
            return Type("struct", "packed", fields=[child.stored_type() for child in self.children])
        return self.type


def text_map(values: dict[str, bytes]) -> dict[str, str]:
    return {key: value.decode(errors="replace") for key, value in values.items()}


def parse_schema(messages: list[Message]) -> list[Field]:
    """The tree from the flat list; fields with id -1 describe the second form of blobs."""
    top, by_id, depth = [], {}, {-1: 0}
    for message in messages:
        if message.id == -1:
            continue
        need(message.id >= 0 and message.id not in by_id, f"field id {message.id} is negative or used twice")
        need(message.parent_id in depth, f"field {message.name!r} has no parent {message.parent_id}")
        node = Field(message.id, message.name, parse_type(message.logical_type), message.nullable, text_map(message.metadata))
        node.use_second_blob_form()
        depth[node.id] = depth[message.parent_id] + 1
        need(depth[node.id] <= 64, "the schema nests too deep", "limit")
        by_id[node.id] = node
        if message.parent_id == -1 or by_id[message.parent_id].type.kind != "variable":
            (top if message.parent_id == -1 else by_id[message.parent_id].children).append(node)
    for node in by_id.values():
        expected = {"list": (1,), "map": (1,), "struct": range(1 << 20)}.get(node.type.kind, (0,))
        need(len(node.children) in expected, f"field {node.name!r} of {node.type.text} with {len(node.children)} children")
    return top


def find_path(fields: list[Field], id_: int) -> list[Field]:
    """The nodes from the top to the field with an id."""
    for node in fields:
        below = [] if node.id == id_ else find_path(node.children, id_)
        if below or node.id == id_:
            return [node] + below
    return []
