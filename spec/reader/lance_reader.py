#!/usr/bin/env python3
"""Reads Lance files and tables as spec/ describes them; speaks the process protocol of conformance/README.md."""

import json
import pathlib
import sys
from dataclasses import replace

from messages import Reject, need, text_of
from schema import Field, Type
from tables import DataFile, Table, refs, versions

FEATURES = ["table", "deletion-arrow", "deletion-bitmap", "tags", "branches", "stable-row-ids", "schema-evolution", "blob"]
FEATURES += ["v1-manifests"]
SUPPORTS = {"verbs": ["read", "history"], "file_versions": ["2.1", "2.2"], "features": FEATURES, "lacks": []}
DESCRIBE = {"implementation": "spec-reader", "version": "1", "protocol": "1", "supports": SUPPORTS}
NAMES = {"halffloat": "float16", "float": "float32", "double": "float64", "string": "utf8", "large_string": "large_utf8"}
NAMES |= {"date32:day": "date32", "date64:ms": "date64", "list.struct": "list", "large_list.struct": "large_list"}
NAMES |= {"blob": "large_binary", "json": "large_binary", "lance.bfloat16": "fixed_size_binary(2)"}


def field_json(name: str, type_: Type, nullable: bool, metadata: dict, children: list[Field]) -> dict:
    head, *rest = type_.text.split(":")
    if type_.text in NAMES or not rest:
        text = NAMES.get(type_.text, type_.text)
    elif head == "decimal":
        text = f"decimal{rest[0]}({rest[1]},{rest[2]})"
    elif head == "timestamp":
        text = f"timestamp({rest[0]})" if rest[1:] == ["-"] else f"timestamp({rest[0]},{':'.join(rest[1:])})"
    else:
        text = f"dictionary({rest[-2]})" if head == "dict" else f"{head}({rest[-1]})"
    result = {"name": name, "type": text, "nullable": nullable}
    if type_.item:
        result["children"] = [field_json("values" if head == "dict" else "item", type_.item, True, {}, [])]
    elif children:
        inner = children[0].children if text == "map" else children
        result["children"] = [field_json(c.name, c.type, c.nullable, c.metadata, c.children) for c in inner]
    return result | ({"metadata": metadata} if metadata else {})


def value_json(value, type_: Type, children: list[Field]):
    if value is None or value is True or value is False:
        return value
    if type_.item:
        return value_json(value, type_.item, []) if type_.kind == "dictionary" else [value_json(v, type_.item, []) for v in value]
    if type_.kind == "struct":
        return [value_json(v, child.type, child.children) for v, child in zip(value, children)]
    if isinstance(value, list):
        return [value_json(v, children[0].type, children[0].children) for v in value]
    if type_.kind == "variable":
        return text_of(value) if "string" in type_.text else value.hex()
    if type_.text in ("halffloat", "float", "double"):
        return value[::-1].hex()
    if "binary" in type_.text or "bfloat" in type_.text:
        return value.hex()
    return str(int.from_bytes(value, "little", signed=type_.text[0] != "u"))


def select(fields: list[Field], paths: list[list[str]]) -> list[Field]:
    """Fields by paths of names, in the order asked for."""
    chosen = []
    for name in dict.fromkeys(path[0] for path in paths):
        field = next((field for field in fields if field.name == name), None)
        need(field, f"there is no column {name!r}", "not-found")
        below = [path[1:] for path in paths if path[0] == name]
        chosen.append(field if [] in below else replace(field, children=select(field.children, below)))
    return chosen


def read(path: pathlib.Path, ask: dict) -> dict:
    unknown = set(ask) - {"columns", "offset", "limit", "take", "version", "tag", "branch", "row_ids"}
    need(not unknown, f"asked for {sorted(unknown)}", "question")
    version, branch = ask.get("version"), ask.get("branch")
    if "tag" in ask:
        tag = refs(path, "tags").get(ask["tag"])
        need(tag and "version" in tag, f"there is no tag {ask['tag']!r}", "not-found")
        version, branch = tag["version"], tag.get("branch")
    source = DataFile(path) if path.is_file() else Table(path / "tree" / branch if branch else path, version)
    names = ask.get("columns", [field.name for field in source.fields])
    known = {field.name for field in source.fields}
    fields = select(source.fields, [[name] if name in known else name.split(".") for name in names])
    columns, ids = source.read(fields)
    count = len(ids)
    rows = ask.get("take", range(count)[ask.get("offset", 0) :][: ask.get("limit", count)])
    need(all(row < count for row in rows), f"a row that is not among the {count}", "invalid-argument")
    schema = [field_json(f.name, f.type, f.nullable, f.metadata, f.children) for f in fields]
    values = [[value_json(column[row], f.type, f.children) for row in rows] for f, column in zip(fields, columns)]
    if ask.get("row_ids"):
        schema.append({"name": "_rowid", "type": "uint64", "nullable": False})
        values.append([str(ids[row]) for row in rows])
    described = {"fields": schema} | ({"metadata": source.metadata} if source.metadata else {})
    return {"schema": described, "rows": len(rows), "columns": values}


def history(path: pathlib.Path) -> dict:
    found, tags, branches = [], refs(path, "tags").items(), refs(path, "branches").items()
    for version in versions(path):
        table, parts = Table(path, version), []
        for fragment in table.manifest.fragments:
            rows = fragment.physical_rows or table.open_fragment(fragment)[0]
            gone = len(table.deleted(fragment, rows))
            parts.append({"id": fragment.id, "physical_rows": rows, "deleted_rows": gone})
        live = sum(part["physical_rows"] - part["deleted_rows"] for part in parts)
        entry = {"version": table.manifest.version, "rows": live, "file_version": table.file_version}
        is_stable = table.manifest.reader_feature_flags & 2 > 0
        found.append(entry | {"stable_row_ids": is_stable, "fragments": parts})
    need(found, f"{path.name} is no table", "not-found")
    return {
        "versions": found,
        "tags": [{"name": n, "version": t["version"], "branch": t.get("branch")} for n, t in tags],
        "branches": [{"name": n, "parent_branch": b["parentBranch"], "parent_version": b["parentVersion"]} for n, b in branches],
    }


def main(arguments: list[str]) -> int:
    try:
        need(arguments[:1] in (["describe"], ["read"], ["history"]), f"the call {arguments[:1]}", "question")
        paths = [pathlib.Path(argument) for argument in arguments[1:]]
        if arguments[0] == "read":
            answer = read(paths[0], json.loads(paths[1].read_text()) if len(paths) == 2 else {})
        else:
            answer = history(paths[0]) if paths else DESCRIBE
    except Reject as reject:
        kind, status = ("unsupported", 11) if reject.kind == "question" else (reject.kind, 10)
        print(json.dumps({"error": {"class": kind, "message": str(reject)}}))
        return status
    print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
