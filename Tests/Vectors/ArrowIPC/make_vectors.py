"""Makes the Arrow IPC files in this folder. Needs pyarrow, polars and pylance; run it here.

Every `types*` file holds the same batches; `views.arrow` holds those of `plain.arrow`; `dictionary-*` hold the column
["a", "b", "a"], ["c", "b", null] in different ways.
"""

import datetime
import decimal
import glob
import pathlib
import shutil
import tempfile

import numpy
import pyarrow as pa
import pyarrow.ipc as ipc

here = pathlib.Path(__file__).parent


def write(name, schema, batches, stream=False, **options):
    make = ipc.new_stream if stream else ipc.new_file
    with make(str(here / name), schema, options=ipc.IpcWriteOptions(**options)) as writer:
        for batch in batches:
            writer.write_batch(batch)


def types():
    day = datetime.date(2024, 2, 29)
    noon = datetime.time(12, 34, 56)
    columns = {
        "null": pa.nulls(4),
        "bool": pa.array([True, None, False, True]),
        "float16": pa.array([numpy.float16(1.5), None, numpy.float16(-2), numpy.float16(0)]),
        "float32": pa.array([1.5, None, -2, float("inf")], pa.float32()),
        "float64": pa.array([1.5, None, -2, -0.0]),
        "decimal128": pa.array([decimal.Decimal("1.23"), None, decimal.Decimal("-4.56"), decimal.Decimal(0)],
                               pa.decimal128(20, 2)),
        "decimal256": pa.array([decimal.Decimal("1.23"), None, decimal.Decimal("-4.56"), decimal.Decimal(0)],
                               pa.decimal256(50, 2)),
        "date32": pa.array([day, None, day, day], pa.date32()),
        "date64": pa.array([day, None, day, day], pa.date64()),
        "time32": pa.array([noon, None, noon, noon], pa.time32("s")),
        "time32ms": pa.array([noon, None, noon, noon], pa.time32("ms")),
        "time64": pa.array([noon, None, noon, noon], pa.time64("us")),
        "time64ns": pa.array([noon, None, noon, noon], pa.time64("ns")),
        "timestamp": pa.array([1, None, -2, 3], pa.timestamp("s")),
        "timestampZone": pa.array([1, None, -2, 3], pa.timestamp("ns", "Europe/Paris")),
        "duration": pa.array([1, None, -2, 3], pa.duration("ms")),
        "utf8": pa.array(["a", None, "", "h\u00e9llo, a somewhat longer text"]),
        "largeUtf8": pa.array(["a", None, "", "h\u00e9llo"], pa.large_string()),
        "binary": pa.array([b"\0\xff", None, b"", b"abc"]),
        "largeBinary": pa.array([b"\0\xff", None, b"", b"abc"], pa.large_binary()),
        "fixed": pa.array([b"abc", None, b"def", b"ghi"], pa.binary(3)),
        "list": pa.array([[1, None], None, [], [2, 3, 4]], pa.list_(pa.int32())),
        "largeList": pa.array([["x"], None, [], ["y", None]], pa.large_list(pa.string())),
        "vector": pa.array([[1, 2], None, [3, None], [4, 5]], pa.list_(pa.float32(), 2)),
        "struct": pa.array([{"a": 1, "b": ["x"]}, None, {"a": None, "b": []}, {"a": 4, "b": None}],
                           pa.struct([("a", pa.int8()), ("b", pa.list_(pa.string()))])),
        "map": pa.array([[("k", 1)], None, [], [("l", None), ("m", 3)]], pa.map_(pa.string(), pa.int64())),
        "dictionary": pa.array(["x", None, "y", "x"]).dictionary_encode(),
    }
    for width in (8, 16, 32, 64):
        for name in (f"int{width}", f"uint{width}"):
            columns[name] = pa.array([1, None, 0, 127], getattr(pa, name)())
    fields = [pa.field(name, array.type, metadata={"note": name} if name == "utf8" else None)
              for name, array in columns.items()]
    fields.append(pa.field("required", pa.int32(), nullable=False))
    schema = pa.schema(fields, metadata={"z": "last", "a": "first"})
    batch = pa.record_batch(list(columns.values()) + [pa.array([1, 2, 3, 4], pa.int32())], schema=schema)
    batches = [batch, batch.slice(1, 2), batch.slice(0, 0), batch.slice(3, 1)]
    write("types.arrow", schema, batches)
    write("types.arrows", schema, batches, stream=True)
    write("types-lz4.arrow", schema, batches, compression="lz4")
    write("types-zstd.arrows", schema, batches, stream=True, compression="zstd")
    write("types-v4-legacy.arrows", schema, batches, stream=True, use_legacy_format=True,
          metadata_version=ipc.MetadataVersion.V4)


def views():
    texts = ["short", None, "exactly 12 b", "thirteen byte", "", "h\u00e9llo " * 20]
    data = [None if text is None else text.encode() for text in texts]
    names = ["text", "bytes", "nested"]
    nested = [[text, "x" * 30] for text in texts]
    for name, text, binary in (("views", pa.string_view(), pa.binary_view()), ("plain", pa.string(), pa.binary())):
        arrays = [pa.array(texts, text), pa.array(data, binary), pa.array(nested, pa.list_(text))]
        batch = pa.record_batch(arrays, names=names)
        write(f"{name}.arrow", batch.schema, [batch, batch.slice(2, 3)])


def polars_file():
    import polars

    frame = polars.DataFrame({
        "text": ["short", None, "a text of more than twelve bytes"],
        "category": polars.Series(["x", "y", "x"], dtype=polars.Categorical),
        "items": [["one"], [], ["a second text of more than twelve bytes", None]],
        "number": [1, 2, None],
    })
    frame.write_ipc(str(here / "polars.arrow"), compression="lz4")


def dictionaries():
    def batch(indices, values):
        array = pa.DictionaryArray.from_arrays(pa.array(indices, pa.int8()), pa.array(values))
        return pa.record_batch([array], names=["d"])

    extended = [batch([0, 1, 0], ["a", "b"]), batch([2, 1, None], ["a", "b", "c"])]
    replaced = [batch([0, 1, 0], ["a", "b"]), batch([1, 0, None], ["b", "c"])]
    schema = extended[0].schema
    write("dictionary-delta.arrows", schema, extended, stream=True, emit_dictionary_deltas=True)
    write("dictionary-delta.arrow", schema, extended, emit_dictionary_deltas=True)
    write("dictionary-replaced.arrows", schema, replaced, stream=True)
    inner = pa.DictionaryArray.from_arrays(pa.array([1, 0], pa.int8()), pa.array(["p", "q"]))
    outer = pa.DictionaryArray.from_arrays(
        pa.array([0, 1, None, 0], pa.int16()), pa.StructArray.from_arrays([inner], names=["inner"]))
    nested = pa.record_batch([outer], names=["d"])
    write("dictionary-nested.arrow", nested.schema, [nested])


def unsupported():
    for name, kind in {
        "dense_union": pa.dense_union([pa.field("a", pa.int8())]),
        "run_end_encoded": pa.run_end_encoded(pa.int32(), pa.int8()),
        "interval": pa.month_day_nano_interval(),
        "decimal32": pa.decimal32(5, 1),
        "decimal64": pa.decimal64(12, 1),
        "list_view": pa.list_view(pa.int8()),
        "large_list_view": pa.large_list_view(pa.int8()),
    }.items():
        write(f"unsupported-{name}.arrows", pa.schema([pa.field("s", pa.struct([pa.field("x", kind)]))]), [], True)


def deletions():
    import lance

    with tempfile.TemporaryDirectory() as folder:
        table = lance.write_dataset(pa.table({"x": range(1000)}), folder)
        table.delete("x % 300 = 7")
        (path,) = glob.glob(f"{folder}/_deletions/*.arrow")
        shutil.copy(path, here / "lance-deletions.arrow")


for make in (types, views, polars_file, dictionaries, unsupported, deletions):
    make()
