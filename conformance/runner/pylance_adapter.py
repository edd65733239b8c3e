#!/usr/bin/env python3
"""The protocol on top of pylance, the reference implementation: certifier, and example of an adapter.

    run.py -- python3 pylance_adapter.py
"""

from __future__ import annotations

import json
import os
import struct
import sys

os.environ.setdefault("LANCE_LOG", "error")

import lance
import pyarrow as pa
from lance.file import LanceFileReader

from arrow_values import array_of, field_of, table_of, values_of

RELEASE = tuple(int(part) for part in lance.__version__.split(".")[:2])


class Unsupported(Exception):
    """Something the protocol has and pylance, or this adapter, has not."""


def describe() -> dict:
    return {
        "implementation": "pylance",
        "version": lance.__version__,
        "protocol": "1",
        "error_classes": "coarse",
        "supports": {
            "verbs": ["read", "history", "write", "commit", "search", "build"],
            "file_versions": ["2.1", "2.2"] if RELEASE >= (4, 0) else ["2.1"],
            "features": [
                "table", "deletion-arrow", "deletion-bitmap", "tags", "branches", "stable-row-ids", "schema-evolution",
                "v1-manifests", "blob",
                *(f"index:{kind}" for kind in ("IVF_FLAT", "IVF_PQ", "IVF_SQ", "IVF_HNSW_FLAT", "IVF_HNSW_PQ", "IVF_HNSW_SQ")),
            ],
            # Pages that this release writes and cannot read back.
            "lacks": ["shape:deep-nulls", "shape:fixed-size-list-of-struct-beside-others"],
        },
    }


def load(path: str) -> dict:
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def check_members(question: dict, *known: str) -> dict:
    for name in question:
        if name not in known:
            raise Unsupported(f"member {name}")
    return question


# ---------------------------------------------------------------- read


def read(path: str, ask_path: str | None = None) -> dict:
    ask = load(ask_path) if ask_path else {}
    check_members(ask, "columns", "offset", "limit", "take", "version", "tag", "branch", "row_ids")
    table = read_table(path, ask) if os.path.isdir(path) else read_file(path, ask)
    return values_of(table)


def read_file(path: str, ask: dict) -> pa.Table:
    check_members(ask, "columns", "offset", "limit", "take")
    reader = LanceFileReader(path, columns=ask["columns"]) if "columns" in ask else LanceFileReader(path)
    if "take" in ask:
        # The file API wants rising row numbers.
        wanted = sorted(set(ask["take"]))
        table = reader.take_rows(wanted).to_table() if wanted else reader.read_all().to_table().slice(0, 0)
        return table.take(pa.array([wanted.index(row) for row in ask["take"]], pa.int64()))
    if "offset" in ask or "limit" in ask:
        start = min(ask.get("offset", 0), reader.num_rows())
        count = min(ask.get("limit", reader.num_rows()), reader.num_rows() - start)
        return reader.read_range(start, count).to_table() if count else reader.read_all().to_table().slice(0, 0)
    return reader.read_all().to_table()


def open_version(path: str, ask: dict) -> lance.LanceDataset:
    if "branch" in ask:
        return lance.dataset(path).checkout_version((ask["branch"], ask.get("version")))
    return lance.dataset(path, version=ask.get("tag", ask.get("version")))


def read_table(path: str, ask: dict) -> pa.Table:
    dataset = open_version(path, ask)
    arguments: dict = {"columns": ask.get("columns")}
    # Of the second form the type tells, of the first the metadata.
    second = [field.name for field in dataset.schema if "lance.blob.v2" in str(field.type)]
    if second or any(b"lance-encoding:blob" in (field.metadata or {}) for field in dataset.schema):
        arguments["blob_handling"] = "all_binary"
    if ask.get("row_ids"):
        arguments["with_row_id"] = True
    if "take" in ask:
        check_members(ask, "take", "columns", "version", "tag", "branch")
        return dataset.take(ask["take"], columns=ask.get("columns"))
    table = dataset.to_table(**arguments, scan_in_order=True)
    for name in second:
        place = table.schema.get_field_index(name)
        blob = pa.field(name, pa.large_binary(), metadata={"lance-encoding:blob": "true"})
        table = table.set_column(place, blob, table[name]) if place >= 0 else table
    if "offset" in ask or "limit" in ask:
        table = table.slice(ask.get("offset", 0), ask.get("limit"))
    if ask.get("row_ids"):
        place = table.schema.get_field_index("_rowid")
        table = table.set_column(place, pa.field("_rowid", pa.uint64(), nullable=False), table["_rowid"])
    return table


# ---------------------------------------------------------------- history


def history(path: str) -> dict:
    latest = lance.dataset(path)
    versions = []
    for entry in latest.versions():
        dataset = latest.checkout_version(entry["version"])
        fragments = [fragment.metadata for fragment in dataset.get_fragments()]
        listed = [
            {
                "id": fragment.id,
                "physical_rows": fragment.physical_rows,
                "deleted_rows": fragment.deletion_file.num_deleted_rows if fragment.deletion_file else 0,
            }
            for fragment in fragments
        ]
        versions.append(
            {
                "version": entry["version"],
                "rows": sum(fragment["physical_rows"] - fragment["deleted_rows"] for fragment in listed),
                "file_version": dataset.data_storage_version,
                "stable_row_ids": bool(dataset.has_stable_row_ids) if hasattr(dataset, "has_stable_row_ids") else stable(dataset),
                "fragments": listed,
            }
        )
    tags = [
        {"name": name, "version": tag["version"], "branch": tag.get("branch")} for name, tag in sorted(latest.tags.list().items())
    ]
    branches = [
        {"name": name, "parent_branch": branch.get("parent_branch"), "parent_version": branch["parent_version"]}
        for name, branch in sorted(latest.branches.list().items())
    ]
    return {"versions": sorted(versions, key=lambda version: version["version"]), "tags": tags, "branches": branches}


def stable(dataset: lance.LanceDataset) -> bool:
    """Whether fragments carry row ids."""
    return any(fragment.metadata.row_id_meta is not None for fragment in dataset.get_fragments())


# ---------------------------------------------------------------- write and commit


def write(values_path: str, out: str, ask_path: str) -> dict:
    ask = check_members(load(ask_path), "file_version", "max_rows_per_file", "stable_row_ids")
    options: dict = {"data_storage_version": ask["file_version"]}
    if "max_rows_per_file" in ask:
        options["max_rows_per_file"] = ask["max_rows_per_file"]
    if ask.get("stable_row_ids"):
        options["enable_stable_row_ids"] = True
    lance.write_dataset(table_of(load(values_path)), out, **options)
    return {}


def literal(field: dict, value) -> str:
    if value is None:
        return "NULL"
    return "'" + value.replace("'", "''") + "'" if field["type"] == "utf8" else str(value).lower()


def condition(where: dict) -> str:
    quoted = [v if v.lstrip("-").isdigit() else "'" + v.replace("'", "''") + "'" for v in where["in"]]
    return f"{where['column']} in ({', '.join(quoted)})"


def commit(path: str, operation_path: str) -> dict:
    operation = load(operation_path)
    kind = operation["kind"]
    dataset = lance.dataset(path, version=operation["read_version"])
    try:
        change(dataset, kind, operation, path)
    except Exception as error:
        text = str(error)
        if "Too many concurrent writers" in text or "Retryable commit conflict" in text:
            return {"conflict": "retryable"}
        if "Incompatible transaction" in text:
            return {"conflict": "incompatible"}
        raise
    return {"committed": lance.dataset(path).version}


def change(dataset: lance.LanceDataset, kind: str, operation: dict, path: str) -> None:
    if kind in ("append", "overwrite"):
        lance.write_dataset(table_of(operation["values"]), dataset, mode=kind)
    elif kind == "delete":
        dataset.delete(condition(operation["where"]), conflict_retries=0)
    elif kind == "update":
        types = {field.name: {"type": "utf8" if pa.types.is_string(field.type) else "other"} for field in dataset.schema}
        changes = {name: literal(types[name], value) for name, value in operation["set"].items()}
        dataset.update(changes, condition(operation["where"]), conflict_retries=0)
    elif kind == "merge":
        builder = dataset.merge_insert(operation["on"]).when_matched_update_all().when_not_matched_insert_all()
        builder.conflict_retries(0).execute(table_of(operation["values"]))
    elif kind == "add-column":
        dataset.add_columns(field_of(operation["field"]))
    elif kind == "drop-column":
        dataset.drop_columns([operation["column"]])
    elif kind == "compact":
        dataset.optimize.compact_files(target_rows_per_fragment=operation["target_rows"])
    elif kind == "restore":
        if operation["version"] != operation["read_version"]:
            dataset = lance.dataset(path, version=operation["version"])
        dataset.restore()
    elif kind == "set-config":
        dataset.update_config({operation["key"]: operation["value"]})
    else:
        raise Unsupported(f"operation {kind}")


# ---------------------------------------------------------------- vectors


def floats(query: list[str]) -> list[float]:
    return [struct.unpack(">f", bytes.fromhex(value))[0] for value in query]


def search(path: str, queries_path: str) -> dict:
    ask = load(queries_path)
    check_members(
        ask, "column", "k", "queries", "id_column", "metric", "probes", "refine", "ef", "where", "use_index", "version"
    )
    dataset = lance.dataset(path, version=ask.get("version"))
    results = []
    vectors = array_of({"name": "q", "type": "float32", "nullable": False}, [v for query in ask["queries"] for v in query])
    dimension = len(ask["queries"][0])
    for index in range(len(ask["queries"])):
        nearest = {"column": ask["column"], "q": vectors.slice(index * dimension, dimension), "k": ask["k"]}
        if "metric" in ask:
            nearest["metric"] = ask["metric"]
        nearest["use_index"] = ask.get("use_index", True)
        if nearest["use_index"]:
            nearest["nprobes"] = ask.get("probes", 1 << 20)
        if "refine" in ask:
            nearest["refine_factor"] = ask["refine"]
        if "ef" in ask:
            nearest["ef"] = ask["ef"]
        table = dataset.to_table(
            columns=[ask["id_column"], "_distance"],
            nearest=nearest,
            filter=condition(ask["where"]) if "where" in ask else None,
            prefilter=True,
        )
        answer = values_of(table.select([ask["id_column"], "_distance"]))
        results.append({"ids": answer["columns"][0], "distances": answer["columns"][1]})
    return {"results": results}


def build(path: str, index_path: str) -> dict:
    ask = check_members(
        load(index_path), "column", "name", "kind", "metric", "partitions", "sub_vectors", "bits", "m", "ef_construction"
    )
    options: dict = {"name": ask["name"], "num_partitions": ask["partitions"]}
    for ours, theirs in (("sub_vectors", "num_sub_vectors"), ("bits", "num_bits"), ("m", "m"), ("ef_construction", "ef_construction")):
        if ours in ask:
            options[theirs] = ask[ours]
    lance.dataset(path).create_index(ask["column"], ask["kind"], metric=ask["metric"], **options)
    return {}


# ---------------------------------------------------------------- process

VERBS = {"describe": describe, "read": read, "history": history, "write": write, "commit": commit, "search": search, "build": build}


def error_class(error: BaseException) -> str:
    """A guess: the errors of pylance carry their class only in the text."""
    text = str(error).lower()
    if "not found" in text or "does not exist" in text or "no such file" in text:
        return "not-found"
    if "not supported" in text or "unsupported" in text or "not enabled" in text:
        return "unsupported"
    return "corrupt"


def main() -> int:
    if len(sys.argv) < 2 or sys.argv[1] not in VERBS:
        print(f"usage: {sys.argv[0]} {'|'.join(VERBS)} …", file=sys.stderr)
        return 2
    try:
        answer, status = VERBS[sys.argv[1]](*sys.argv[2:]), 0
    except Unsupported as error:
        answer, status = {"error": {"class": "unsupported", "message": str(error)}}, 11
    except BaseException as error:  # the panics of the library are not an Exception
        if type(error).__name__ == "PanicException":
            raise
        answer, status = {"error": {"class": error_class(error), "message": str(error)[:500]}}, 10
    json.dump(answer, sys.stdout, ensure_ascii=False, separators=(",", ":"))
    print()
    return status


if __name__ == "__main__":
    sys.exit(main())
