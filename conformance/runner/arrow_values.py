"""Values of the suite to Arrow arrays and back, with pyarrow. Used by the pylance adapter and by the recipes."""

from __future__ import annotations

import re
import struct

import pyarrow as pa

SIMPLE = {
    "null": pa.null(), "bool": pa.bool_(), "date32": pa.date32(), "date64": pa.date64(), "utf8": pa.utf8(),
    "large_utf8": pa.large_utf8(), "binary": pa.binary(), "large_binary": pa.large_binary(),
    "float16": pa.float16(), "float32": pa.float32(), "float64": pa.float64(),
    **{f"{s}int{b}": getattr(pa, f"{s}int{b}")() for s in ("", "u") for b in (8, 16, 32, 64)},
}
NAMES = {type_: name for name, type_ in SIMPLE.items()}


def type_of(field: dict) -> pa.DataType:
    text = field["type"]
    if text in SIMPLE:
        return SIMPLE[text]
    children = [field_of(child) for child in field.get("children", [])]
    if text == "list":
        return pa.list_(children[0])
    if text == "large_list":
        return pa.large_list(children[0])
    if text == "struct":
        return pa.struct(children)
    if text == "map":
        return pa.map_(children[0], children[1])
    name, arguments = re.fullmatch(r"(\w+)\((.*)\)", text).groups()
    if name == "fixed_size_list":
        return pa.list_(children[0], int(arguments))
    if name == "fixed_size_binary":
        return pa.binary(int(arguments))
    if name in ("decimal128", "decimal256"):
        precision, scale = map(int, arguments.split(","))
        return getattr(pa, name)(precision, scale)
    if name in ("time32", "time64", "duration"):
        return getattr(pa, name)(arguments)
    if name == "timestamp":
        unit, _, zone = arguments.partition(",")
        return pa.timestamp(unit, zone or None)
    if name == "dictionary":
        return pa.dictionary(SIMPLE[arguments], children[0].type)
    raise ValueError(f"type {text}")


def field_of(field: dict) -> pa.Field:
    return pa.field(field["name"], type_of(field), field["nullable"], field.get("metadata"))


def schema_of(schema: dict) -> pa.Schema:
    return pa.schema([field_of(field) for field in schema["fields"]], schema.get("metadata"))


def describe_field(field: pa.Field) -> dict:
    type_, metadata = field.type, {k.decode(): v.decode() for k, v in (field.metadata or {}).items()}
    if isinstance(type_, pa.BaseExtensionType):
        metadata.setdefault("ARROW:extension:name", type_.extension_name)
        metadata.setdefault("ARROW:extension:metadata", type_.__arrow_ext_serialize__().decode())
        type_ = type_.storage_type
    children: list = []
    t = pa.types
    if type_ in NAMES:
        text = NAMES[type_]
    elif t.is_map(type_):
        text, children = "map", [type_.key_field, type_.item_field]
    elif t.is_list(type_):
        text, children = "list", [type_.value_field]
    elif t.is_large_list(type_):
        text, children = "large_list", [type_.value_field]
    elif t.is_fixed_size_list(type_):
        text, children = f"fixed_size_list({type_.list_size})", [type_.value_field]
    elif t.is_struct(type_):
        text, children = "struct", list(type_)
    elif t.is_dictionary(type_):
        text, children = f"dictionary({NAMES[type_.index_type]})", [pa.field("values", type_.value_type)]
    elif t.is_decimal(type_):
        text = f"decimal{type_.bit_width}({type_.precision},{type_.scale})"
    elif t.is_fixed_size_binary(type_):
        text = f"fixed_size_binary({type_.byte_width})"
    elif t.is_timestamp(type_):
        text = f"timestamp({type_.unit},{type_.tz})" if type_.tz else f"timestamp({type_.unit})"
    elif t.is_time(type_) or t.is_duration(type_):
        text = f"{'duration' if t.is_duration(type_) else f'time{type_.bit_width}'}({type_.unit})"
    else:
        raise ValueError(f"type {type_}")
    result = {"name": field.name, "type": text, "nullable": field.nullable}
    if children or t.is_struct(type_):
        result["children"] = [describe_field(child) for child in children]
    if metadata:
        result["metadata"] = dict(sorted(metadata.items()))
    return result


def describe_schema(schema: pa.Schema) -> dict:
    result: dict = {"fields": [describe_field(field) for field in schema]}
    if schema.metadata:
        result["metadata"] = {k.decode(): v.decode() for k, v in sorted(schema.metadata.items())}
    return result


FLOATS = {"float16": (pa.uint16(), 4), "float32": (pa.uint32(), 8), "float64": (pa.uint64(), 16)}


def bitmap(values: list) -> pa.Buffer | None:
    if all(value is not None for value in values):
        return None
    bits = bytearray((len(values) + 7) // 8)
    for index, value in enumerate(values):
        if value is not None:
            bits[index >> 3] |= 1 << (index & 7)
    return pa.py_buffer(bytes(bits))


def array_of(field: dict, values: list) -> pa.Array:
    """An Arrow array of the field's type."""
    type_, text, n = type_of(field), field["type"], len(values)
    nulls = sum(value is None for value in values)
    children = field.get("children", [])
    if text == "null":
        return pa.nulls(n)
    if text in ("bool", "utf8", "large_utf8"):
        return pa.array(values, type_)
    if text in ("binary", "large_binary") or text.startswith("fixed_size_binary"):
        return pa.array([None if value is None else bytes.fromhex(value) for value in values], type_)
    if text in FLOATS:
        return pa.array([None if value is None else int(value, 16) for value in values], FLOATS[text][0]).view(type_)
    if text.startswith("decimal"):
        width = type_.bit_width // 8
        data = b"".join(int(value or 0).to_bytes(width, "little", signed=True) for value in values)
        return pa.Array.from_buffers(type_, n, [bitmap(values), pa.py_buffer(data)], nulls)
    if text in ("list", "large_list", "map"):
        starts, items = [0], []
        for value in values:
            items += value or []
            starts.append(len(items))
        offsets = pa.py_buffer(struct.pack(f"<{n + 1}{'q' if text == 'large_list' else 'i'}", *starts))
        if text == "map":
            inner = {"name": "entries", "type": "struct", "nullable": False, "children": children}
        else:
            inner = children[0]
        return pa.Array.from_buffers(type_, n, [bitmap(values), offsets], nulls, children=[array_of(inner, items)])
    if text.startswith("fixed_size_list"):
        size = type_.list_size
        filler = filler_of(children[0])
        items = [item for value in values for item in (value if value is not None else [filler] * size)]
        return pa.Array.from_buffers(type_, n, [bitmap(values)], nulls, children=[array_of(children[0], items)])
    if text == "struct":
        arrays = [
            array_of(child, [filler_of(child) if value is None else value[index] for value in values])
            for index, child in enumerate(children)
        ]
        return pa.Array.from_buffers(type_, n, [bitmap(values)], nulls, children=arrays)
    if text.startswith("dictionary"):
        distinct = list(dict.fromkeys(value for value in values if value is not None))
        places = {value: index for index, value in enumerate(distinct)}
        codes = pa.array([None if value is None else places[value] for value in values], type_.index_type)
        return pa.DictionaryArray.from_arrays(codes, array_of(children[0], distinct))
    whole = pa.array([None if value is None else int(value) for value in values], integer_of(type_))
    return whole if whole.type == type_ else whole.view(type_)


def filler_of(field: dict):
    """What stands under a null of the parent."""
    if field["nullable"]:
        return None
    text = field["type"]
    if text in ("list", "large_list", "map"):
        return []
    if text == "struct":
        return [filler_of(child) for child in field["children"]]
    if text.startswith("fixed_size_list"):
        return [filler_of(field["children"][0])] * type_of(field).list_size
    if text in ("utf8", "large_utf8", "binary", "large_binary"):
        return ""
    if text.startswith("fixed_size_binary"):
        return "00" * type_of(field).byte_width
    if text in FLOATS:
        return "0" * FLOATS[text][1]
    return False if text == "bool" else "0"


def integer_of(type_: pa.DataType) -> pa.DataType:
    if pa.types.is_integer(type_):
        return type_
    return {32: pa.int32(), 64: pa.int64()}[type_.bit_width]


def table_of(values: dict) -> pa.Table:
    schema = schema_of(values["schema"])
    arrays = [array_of(field, column) for field, column in zip(values["schema"]["fields"], values["columns"])]
    if not arrays:
        raise ValueError("a table needs a column")
    return pa.Table.from_arrays(arrays, schema=schema)


def values_of_array(array: pa.Array) -> list:
    """The values of an array in the suite's form."""
    if isinstance(array, pa.ChunkedArray):
        return [value for chunk in array.chunks for value in values_of_array(chunk)]
    type_ = array.type
    if isinstance(type_, pa.BaseExtensionType):
        return values_of_array(array.storage)
    t = pa.types
    if t.is_null(type_) or t.is_boolean(type_) or t.is_string(type_) or t.is_large_string(type_):
        return array.to_pylist()
    if t.is_binary(type_) or t.is_large_binary(type_) or (t.is_fixed_size_binary(type_) and not t.is_decimal(type_)):
        return [None if value is None else value.hex() for value in array.to_pylist()]
    if t.is_floating(type_):
        unsigned, digits = FLOATS[NAMES[type_]]
        return [None if value is None else f"{value:0{digits}x}" for value in array.view(unsigned).to_pylist()]
    if t.is_decimal(type_):
        width, data = type_.bit_width // 8, array.buffers()[1]
        data = data.to_pybytes() if data else b""
        valid = array.is_valid().to_pylist()
        return [
            str(int.from_bytes(data[(array.offset + i) * width : (array.offset + i + 1) * width], "little", signed=True))
            if valid[i] else None
            for i in range(len(array))
        ]
    if t.is_map(type_) or t.is_list(type_) or t.is_large_list(type_):
        valid, starts = array.is_valid().to_pylist(), array.offsets.to_pylist()
        if t.is_map(type_):
            items = [list(pair) for pair in zip(values_of_array(array.keys), values_of_array(array.items))]
        else:
            items = values_of_array(array.values)
        # `offsets` keeps the positions in the whole child, `values` and `keys` are the whole child.
        return [items[starts[i] : starts[i + 1]] if valid[i] else None for i in range(len(array))]
    if t.is_fixed_size_list(type_):
        size, valid = type_.list_size, array.is_valid().to_pylist()
        items = values_of_array(array.values.slice(array.offset * size, len(array) * size))
        return [items[i * size : (i + 1) * size] if valid[i] else None for i in range(len(array))]
    if t.is_struct(type_):
        valid = array.is_valid().to_pylist()
        columns = [values_of_array(array.field(i)) for i in range(type_.num_fields)]
        return [[column[i] for column in columns] if valid[i] else None for i in range(len(array))]
    if t.is_dictionary(type_):
        return values_of_array(array.dictionary_decode())
    if not t.is_integer(type_):
        array = array.view(integer_of(type_))
    return [None if value is None else str(value) for value in array.to_pylist()]


def values_of(table: pa.Table) -> dict:
    return {
        "schema": describe_schema(table.schema),
        "rows": table.num_rows,
        "columns": [values_of_array(column) for column in table.columns],
    }
