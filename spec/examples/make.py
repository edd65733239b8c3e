#!/usr/bin/env python3
"""Writes the example files with pylance (14.0.2 made those in files/), and one with `lancer`. Needs pylance and pyarrow.

    make.py [FOLDER] [LANCER]       data files come out the same each time; manifest and transaction have a time and a UUID, an index comes out differently
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

import lance
import pyarrow as pa
from lance.file import LanceFileWriter

OUT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent / "files")
OUT.mkdir(exist_ok=True)


def write(name, version, **columns):
    arrays, fields = [], []
    for column, (values, type_, *metadata) in columns.items():
        arrays.append(pa.array(values, type_))
        fields.append(pa.field(column, type_, metadata=metadata[0] if metadata else None))
    schema = pa.schema(fields)
    with LanceFileWriter(str(OUT / name), schema, version=version) as file:
        file.write_batch(pa.Table.from_arrays(arrays, schema=schema))


FULL_ZIP = {"lance-encoding:structural-encoding": "fullzip"}
write("mini-block.lance", "2.2", a=([1, None, 3], pa.int32()))
write("mini-block-2.1.lance", "2.1", a=([1, None, 3], pa.int32()))
write("text.lance", "2.2", t=(["lance", "", None, "é"], pa.utf8()))
write("structs.lance", "2.2", s=([{"x": 1, "y": True}, None, {"x": None, "y": False}], pa.struct([("x", pa.uint8()), ("y", pa.bool_())])))
write("lists.lance", "2.2", l=([[1, 2], None, [], [3, None]], pa.list_(pa.int16())))
write("nested-lists.lance", "2.2", l=([[[0, 1], [], [2]], [[3], None], [], None, [[4]]], pa.list_(pa.list_(pa.int8()))))
write("maps.lance", "2.2", m=([[(1, "a"), (2, None)], None, []], pa.map_(pa.int8(), pa.utf8())))
write("dictionary.lance", "2.2", d=(["b", "a", None, "b"], pa.dictionary(pa.int8(), pa.utf8())))
write("bit-packing.lance", "2.2", i=([i % 5 for i in range(1100)], pa.uint16()))
write("runs.lance", "2.2", i=([1] * 300 + [2] * 300 + [None] * 3, pa.int32()))
write("vectors.lance", "2.2", v=([[1, 2], None, [3, None]], pa.list_(pa.int16(), 2)))
write("structs-in-vectors.lance", "2.2", v=([[{"x": 1}, {"x": 2}], None, [{"x": 3}, None]], pa.list_(pa.struct([("x", pa.int16())]), 2)))
write("full-zip-fixed.lance", "2.2", v=([[1.0] * 4, None, [0.5, 2.0, -1.0, 0.25]], pa.list_(pa.float32(), 4), FULL_ZIP))
write("full-zip-variable.lance", "2.2", t=([["x" * 256, None], [], ["yz"]], pa.list_(pa.utf8())))
write("packed.lance", "2.2", p=([{"a": 1, "t": "one"}, None, {"a": 3, "t": ""}], pa.struct([("a", pa.uint8()), ("t", pa.utf8())]), {"lance-encoding:packed": "true"}))
write("constant.lance", "2.2", c=([7, 7, 7], pa.int64()), o=([7, None, 7], pa.int64()), s=(["same", "same", None], pa.utf8()), n=([None] * 3, pa.null()))
write("constant-2.1.lance", "2.1", l=([None, [], None], pa.list_(pa.int32())))
write("blob.lance", "2.1", b=([b"blob", None, b""], pa.large_binary(), {"lance-encoding:blob": "true"}))

with tempfile.TemporaryDirectory() as folder:
    table = pathlib.Path(folder) / "table.lance"
    lance.write_dataset(pa.table({"a": pa.array(range(6000), pa.int32())}), table)
    lance.dataset(table).delete("a < 5001")
    lance.dataset(table).tags.create("half", 2)
    for pattern, name in (("_versions/18446744073709551613.manifest", "manifest.manifest"), ("_transactions/1-*.txn", "transaction.txn"), ("_deletions/*.bin", "deletions.bin")):
        shutil.copy(next(table.glob(pattern)), OUT / name)

with tempfile.TemporaryDirectory() as folder:
    table = pathlib.Path(folder) / "table.lance"
    schema = pa.schema([lance.blob_field("b")])
    lance.write_dataset(pa.table([lance.blob_array([b"in the file", None, b""])], schema=schema), table, data_storage_version="2.2")
    shutil.copy(next(table.glob("data/*.lance")), OUT / "blob-second-form.lance")

with tempfile.TemporaryDirectory() as folder:
    table = pathlib.Path(folder) / "table.lance"
    vectors = pa.array([[float(i), float(i % 3)] for i in range(10)], pa.list_(pa.float32(), 2))
    lance.write_dataset(pa.table({"v": vectors}), table)
    lance.dataset(table).create_index("v", "IVF_HNSW_SQ", num_partitions=2, m=4, ef_construction=20)
    for name in ("index", "auxiliary"):
        shutil.copy(next(table.glob(f"_indices/*/{name}.idx")), OUT / f"{name}.idx")

if len(sys.argv) > 2:
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "a.jsonl").write_text('{"a": 1}\n{"a": null}\n{"a": 3}\n')
        subprocess.run([sys.argv[2], "convert", f"{folder}/a.jsonl", f"{folder}/a.lance"], check=True, stdout=subprocess.DEVNULL)
        found = [path for path in pathlib.Path(folder).rglob("*.lance") if path.is_file()]
        shutil.copy(found[0], OUT / "checksums.lance")
