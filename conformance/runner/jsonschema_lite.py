"""The part of JSON Schema that the suite's schemas use: type, enum, const, required, properties, additionalProperties, items,
minItems, pattern, anyOf, $defs and $ref to them, minProperties, minimum."""

from __future__ import annotations

import re

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
KNOWN = {
    "type", "enum", "const", "required", "properties", "additionalProperties", "items", "minItems", "pattern", "anyOf", "$defs", "$ref",
    "minProperties", "minimum", "title", "description", "$schema", "$id",
}


def problems(value, schema: dict, root: dict | None = None, place: str = "") -> list[str]:
    """What is wrong, each with its place."""
    root = root or schema
    unknown = schema.keys() - KNOWN
    if unknown:
        raise ValueError(f"the schema uses {unknown}")
    if "$ref" in schema:
        return problems(value, root["$defs"][schema["$ref"].removeprefix("#/$defs/")], root, place)
    here = place or "the document"
    found: list[str] = []
    if "type" in schema:
        wanted = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        if not any(is_type(value, name) for name in wanted):
            return [f"{here} is not {' or '.join(wanted)}"]
    if "const" in schema and value != schema["const"]:
        found.append(f"{here} is not {schema['const']!r}")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{here} is {value!r}, not one of {schema['enum']}")
    if "anyOf" in schema and all(problems(value, each, root, place) for each in schema["anyOf"]):
        found.append(f"{here} fits no alternative")
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{here} {value!r} does not match {schema['pattern']}")
    if isinstance(value, int) and "minimum" in schema and value < schema["minimum"]:
        found.append(f"{here} is smaller than {schema['minimum']}")
    if isinstance(value, list):
        if len(value) < schema.get("minItems", 0):
            found.append(f"{here} has too few items")
        if "items" in schema:
            for index, each in enumerate(value):
                found += problems(each, schema["items"], root, f"{place}[{index}]")
    if isinstance(value, dict):
        if len(value) < schema.get("minProperties", 0):
            found.append(f"{here} has too few members")
        for name in schema.get("required", []):
            if name not in value:
                found.append(f"{here} has no {name}")
        properties, others = schema.get("properties", {}), schema.get("additionalProperties", True)
        for name, each in value.items():
            inside = f"{place}.{name}" if place else name
            if name in properties:
                found += problems(each, properties[name], root, inside)
            elif others is False:
                found.append(f"{inside} is not a member that is known")
            elif isinstance(others, dict):
                found += problems(each, others, root, inside)
    return found


def is_type(value, name: str) -> bool:
    if name in ("integer", "number"):
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, TYPES[name])
