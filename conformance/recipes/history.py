"""Histories of tables: versions, deletion files, updates, schema changes, stable row ids, tags, branches."""

from __future__ import annotations

import shutil

import lance
import pyarrow as pa

from arrow_values import field_of
from common import VERSIONS, Suite, field, item, seeded, spec
from tables import FIELDS, History, arrow, rows, table

RECIPE = "history.py"


def start(suite: Suite, name: str, version: str, count: int = 20, per_file: int = 10, **options) -> History:
    h = History(suite, f"table/history/{version}/{name}", version, **options)
    h.write(rows(range(count)), per_file=per_file)
    h.version()
    return h


def remove(h: History, gone: set[int], positions: dict[int, int]) -> None:
    """Takes rows out of the model; `positions` says how many of which fragment."""
    h.live = [row for row in h.live if int(row[0]) not in gone]
    for fragment in h.fragments:
        fragment[2] += positions.get(fragment[0], 0)
    h.fragments = [fragment for fragment in h.fragments if fragment[2] < fragment[1]]


def delete(h: History, ids: list[int], positions: dict[int, int], where: str | None = None) -> None:
    remove(h, set(ids), positions)
    h.dataset.delete(where or f"id in ({', '.join(map(str, ids))})")
    h.version()


def basic(suite: Suite, version: str) -> None:
    h = start(suite, "create", version)
    h.done("one version of two fragments", spec("10-table.md#Manifest", "10-table.md#Fragments"), RECIPE)

    h = start(suite, "append", version)
    h.write(rows(range(20, 25)), mode="append")
    h.version()
    h.write(rows(range(25, 29)), mode="append", per_file=2)
    h.version()
    h.keep("latest", {})
    h.done("rows behind rows, in new fragments", spec("11-commits.md#Operations", "12-history.md#Time travel"), RECIPE,
           [{"ask": {"version": 4}, "reject": True}, {"ask": {"version": 0}, "reject": True}])

    h = start(suite, "append-subset", version)
    narrow = [h.fields[0], h.fields[2]]
    lance.write_dataset(arrow(narrow, [["20", "w20"], ["21", "w21"]]), str(h.path), mode="append")
    h.live += [["20", None, "w20"], ["21", None, "w21"]]
    h.fragments.append([2, 2, 0])
    h.version()
    h.words.add("schema-evolution")
    h.done("appended rows without one of the columns: nulls", spec("10-table.md#Data files", "08-types.md#Reading a field"), RECIPE)

    h = start(suite, "overwrite", version)
    h.fields = [field("name", "utf8"), field("n", "int64", nullable=False)]
    h.write([["a", "1"], [None, "2"]], mode="overwrite")
    h.version()
    h.write([["z", "-1"]], mode="append")
    h.version()
    h.done("another schema and other rows from version 2 on", spec("11-commits.md#Operations", "12-history.md#Opening a version"), RECIPE)

    h = History(suite, f"table/history/{version}/empty", version)
    h.write([])
    h.version()
    h.write(rows([1, 2]), mode="append")
    h.version()
    h.done("a table without rows, and the first ones", spec("10-table.md#Fragments"), RECIPE)

    h = start(suite, "restore", version)
    delete(h, [3, 4], {0: 2})
    h.words.add("deletion-arrow")
    old = [list(row) for row in rows(range(20))]
    h.live, h.fragments = old, [[0, 10, 0], [1, 10, 0]]
    h.dataset.checkout_version(1).restore()
    h.version()
    h.keep("latest", {})
    h.done("version 3 is version 1 again", spec("12-history.md#Restore"), RECIPE)

    h = start(suite, "v1-manifests", version, enable_v2_manifest_paths=False)
    for number in range(2, 12):
        h.write(rows([100 + number]), mode="append")
        h.version(keep=number in (2, 9, 10, 11))
    h.keep("latest", {})
    h.words.add("v1-manifests")
    h.done("names of manifests of the old kind, where 10 sorts before 9", spec("10-table.md#Manifest names", "10-table.md#Latest version"), RECIPE)

    h = start(suite, "many-versions", version, count=4, per_file=4)
    for number in range(2, 14):
        h.write(rows([100 + number]), mode="append")
        h.version(keep=number in (2, 13))
    h.done("thirteen versions", spec("10-table.md#Manifest names", "10-table.md#Latest version"), RECIPE)

    h = start(suite, "config-and-metadata", version)
    h.dataset.update_config({"k": "v"})
    h.version()
    h.dataset.update_schema_metadata({"answer": "42"})
    h.metadata = {"answer": "42"}
    h.version()
    h.done("configuration and metadata of the schema", spec("10-table.md#Manifest", "11-commits.md#Operations"), RECIPE)

    h = start(suite, "parts", version, count=30)
    delete(h, [0, 9, 10, 15, 29], {0: 2, 1: 2, 2: 1})
    h.words.add("deletion-arrow")
    live = h.live
    everything = FIELDS
    for name, ask, chosen in (
        ("window", {"offset": 5, "limit": 10}, live[5:15]),
        ("window-end", {"offset": 20, "limit": 100}, live[20:]),
        ("take", {"take": [24, 0, 7, 8, 8, 12]}, [live[i] for i in (24, 0, 7, 8, 8, 12)]),
    ):
        h.keep(name, ask, table(everything, chosen))
    h.keep("columns", {"columns": ["w", "id"]}, table([FIELDS[2], FIELDS[0]], [[row[2], row[0]] for row in live]))
    h.keep("take-columns", {"take": [3, 1], "columns": ["v"]}, table([FIELDS[1]], [[live[3][1]], [live[1][1]]]))
    h.keep("addresses", {"row_ids": True},
           table([*FIELDS, field("_rowid", "uint64", nullable=False)], [[*row, str((int(row[0]) // 10 << 32) + int(row[0]) % 10)] for row in live]))
    h.done("rows by number and in part where rows are deleted", spec("10-table.md#Row addresses", "10-table.md#Deletion files"), RECIPE)


def deletions(suite: Suite, version: str) -> None:
    h = start(suite, "delete", version)
    delete(h, [3, 7, 12], {0: 2, 1: 1})
    delete(h, [0, 19], {0: 1, 1: 1})
    delete(h, list(range(0, 10)), {0: 7})
    h.words.add("deletion-arrow")
    h.done("rows deleted, more of them, and a whole fragment", spec("10-table.md#Deletion files", "10-table.md#The Arrow deletion file"), RECIPE)

    h = start(suite, "delete-all", version)
    h.live, h.fragments = [], []
    h.dataset.delete("true")
    h.version()
    h.write(rows([50]), mode="append")
    h.version()
    h.done("every row deleted, and new ones", spec("10-table.md#Deletion files", "10-table.md#Fragments"), RECIPE)

    # More than 5000 deleted rows become a bitmap.
    for name, where, test in (
        ("delete-bitmap", "id % 2 = 0", lambda i: i % 2 == 0),
        ("delete-bitmap-run", "id >= 100 and id < 7000", lambda i: 100 <= i < 7000),
    ):
        h = History(suite, f"table/history/{version}/{name}", version)
        h.fields = [field("id", "int32")]
        count = 12_000
        h.write([[str(i)] for i in range(count)])
        h.version()
        gone = [i for i in range(count) if test(i)]
        h.live = [row for row in h.live if not test(int(row[0]))]
        h.fragments[0][2] = len(gone)
        h.dataset.delete(where)
        h.version()
        if not list((h.path / "_deletions").glob("*.bin")):
            raise AssertionError(f"{h.case_id}: no bitmap")
        h.live = [row for row in h.live if int(row[0]) not in (7001, 7003)]
        h.fragments[0][2] = count - len(h.live)
        h.dataset.delete("id in (7001, 7003)")
        h.version()
        h.words.add("deletion-bitmap")
        h.done("thousands of deleted rows: a Roaring bitmap", spec("10-table.md#Deletion files", "10-table.md#Roaring bitmaps"), RECIPE)

    # Two writers that delete different rows of one fragment: the second merges, and writes a bitmap whatever the number.
    h = start(suite, "delete-merged", version)
    stale = h.dataset
    delete(h, [1, 2], {0: 2})
    remove(h, {3, 4}, {0: 2})
    stale.delete("id in (3, 4)")
    h.version()
    if not list((h.path / "_deletions").glob("*.bin")):
        raise AssertionError("no bitmap")
    h.words.update({"deletion-arrow", "deletion-bitmap"})
    h.done("deletions of two writers merged into a bitmap of four rows", spec("10-table.md#Roaring bitmaps", "11-commits.md#Conflicts"), RECIPE)

    h = start(suite, "compact", version)
    delete(h, [0, 1, 2, 3, 11, 12, 13, 14], {0: 4, 1: 4})
    h.dataset.optimize.compact_files()
    finish_compaction(h, [[2, 12, 0]])
    h.words.add("deletion-arrow")
    h.done("fragments made one, deleted rows left out", spec("11-commits.md#Operations", "10-table.md#Fragments"), RECIPE)


def finish_compaction(h: History, fragments: list[list[int]]) -> None:
    """A compaction is two versions: numbers reserved, rows rewritten."""
    before = h.versions[-1]
    number = before["version"] + 1
    h.versions.append({**before, "version": number})
    h.keep(f"v{number}", {"version": number})
    h.fragments = fragments
    h.version()


def changes(suite: Suite, version: str) -> None:
    for stable in (False, True):
        h = start(suite, "update" + ("-stable-row-ids" if stable else ""), version, stable=stable)
        ids = {int(row[0]): index for index, row in enumerate(h.live)}
        changed = [[row[0], "-1", row[2]] for row in h.live if int(row[0]) in (2, 3, 15)]
        h.live = [row for row in h.live if int(row[0]) not in (2, 3, 15)] + changed
        h.fragments = [[0, 10, 2], [1, 10, 1], [2, 3, 0]]
        h.dataset.update({"v": "-1"}, "id in (2, 3, 15)")
        h.version()
        h.words.add("deletion-arrow")
        if stable:
            h.words.add("stable-row-ids")
            h.keep("ids", {"row_ids": True}, table([*FIELDS, field("_rowid", "uint64", nullable=False)], [[*row, str(ids[int(row[0])])] for row in h.live]))
        h.done("three rows changed: deleted here, written there" + (", their ids kept" if stable else ""),
               spec("11-commits.md#Operations", "10-table.md#Stable row ids" if stable else "10-table.md#Deletion files"), RECIPE)

        h = start(suite, "merge" + ("-stable-row-ids" if stable else ""), version, stable=stable)
        new = [["4", "-4", "new"], ["30", "300", "w30"]]
        h.live = [row for row in h.live if row[0] != "4"] + new
        h.fragments = [[0, 10, 1], [1, 10, 0], [2, 2, 0]]
        h.dataset.merge_insert("id").when_matched_update_all().when_not_matched_insert_all().execute(arrow(FIELDS, new))
        h.version()
        h.words.add("deletion-arrow")
        if stable:
            h.words.add("stable-row-ids")
        h.done("a merge by key: one row changed, one new", spec("11-commits.md#Operations"), RECIPE)

    h = start(suite, "stable-row-ids", version, stable=True)
    h.words.add("stable-row-ids")
    with_ids = [*FIELDS, field("_rowid", "uint64", nullable=False)]
    h.keep("ids-1", {"version": 1, "row_ids": True}, table(with_ids, [[*row, row[0]] for row in h.live]))
    delete(h, [0, 5, 12], {0: 2, 1: 1})
    h.write(rows([40, 41]), mode="append")
    h.version()
    ids = {row[0]: row[0] for row in h.live} | {"40": "20", "41": "21"}
    h.keep("ids-3", {"version": 3, "row_ids": True}, table(with_ids, [[*row, ids[row[0]]] for row in h.live]))
    h.dataset.optimize.compact_files()
    finish_compaction(h, [[3, len(h.live), 0]])
    h.keep("ids-5", {"row_ids": True}, table(with_ids, [[*row, ids[row[0]]] for row in h.live]))
    h.words.add("deletion-arrow")
    h.done("ids that stay when rows are deleted, appended and rewritten", spec("10-table.md#Stable row ids"), RECIPE)


def schemas(suite: Suite, version: str) -> None:
    h = start(suite, "add-column", version)
    h.fields = [*FIELDS, field("double", "int64")]
    h.live = [[*row, str(int(row[1]) * 2)] for row in h.live]
    h.dataset.add_columns({"double": "cast(v as bigint) * 2"})
    h.version()
    h.fields = [*h.fields, field("later", "utf8")]
    h.live = [[*row, None] for row in h.live]
    h.dataset.add_columns(field_of(field("later", "utf8")))
    h.version()
    h.write([["20", "200", "w20", "400", "here"]], mode="append")
    h.version()
    h.words.add("schema-evolution")
    h.done("a computed column in files of its own, and one of nulls without any", spec("10-table.md#Data files", "08-types.md#Reading a field"), RECIPE)

    h = start(suite, "drop-column", version)
    h.fields = [FIELDS[0], FIELDS[2]]
    h.live = [[row[0], row[2]] for row in h.live]
    h.dataset.drop_columns(["v"])
    h.version()
    h.fields = [*h.fields, field("v", "float64")]
    h.live = [[*row, None] for row in h.live]
    h.dataset.add_columns(field_of(field("v", "float64")))
    h.version()
    h.words.add("schema-evolution")
    h.done("a column dropped, and another one of its name", spec("08-types.md#Field ids", "10-table.md#Data files"), RECIPE)

    h = start(suite, "rename-column", version)
    h.fields = [FIELDS[0], field("value", "int32"), FIELDS[2]]
    h.dataset.alter_columns({"path": "v", "name": "value"})
    h.version()
    h.write([["20", "200", "w20"]], mode="append")
    h.version()
    h.words.add("schema-evolution")
    h.done("a column with another name: files keep its id", spec("08-types.md#Field ids"), RECIPE)

    h = start(suite, "cast-column", version)
    h.fields = [FIELDS[0], field("v", "int64"), FIELDS[2]]
    h.dataset.alter_columns({"path": "v", "data_type": pa.int64()})
    h.version()
    h.write([["20", str(1 << 40), "w20"]], mode="append")
    h.version()
    h.words.add("schema-evolution")
    h.done("a column of another type: a new field id and new files", spec("08-types.md#Field ids", "10-table.md#Data files"), RECIPE)

    h = History(suite, f"table/history/{version}/drop-nested", version)
    h.fields = [field("id", "int32"), field("s", "struct", field("a", "int32"), field("b", "utf8"), field("c", "list", item("int16")))]
    h.write([["1", ["1", "x", ["1"]]], ["2", None], ["3", [None, "z", None]]])
    h.version()
    h.fields = [h.fields[0], field("s", "struct", field("a", "int32"), field("c", "list", item("int16")))]
    h.live = [[row[0], None if row[1] is None else [row[1][0], row[1][2]]] for row in h.live]
    h.dataset.drop_columns(["s.b"])
    h.version()
    h.words.add("schema-evolution")
    h.done("a field of a struct dropped", spec("08-types.md#Field ids", "08-types.md#Reading a field"), RECIPE)

    h = start(suite, "add-after-delete", version)
    delete(h, [1, 8, 13], {0: 2, 1: 1})
    h.fields = [*FIELDS, field("n", "int32")]
    h.live = [[*row, str(int(row[1]) + 1)] for row in h.live]
    h.dataset.add_columns({"n": "v + 1"})
    h.version()
    h.words.update({"schema-evolution", "deletion-arrow"})
    h.done("a column added where rows are deleted", spec("10-table.md#Data files", "10-table.md#Deletion files"), RECIPE)


def references(suite: Suite, version: str) -> None:
    h = start(suite, "tags", version)
    h.write(rows([20]), mode="append")
    h.version()
    delete(h, [0], {0: 1})
    for name, number in (("first", 1), ("release-1.0", 2), ("x_y", 3)):
        h.dataset.tags.create(name, number)
        h.tags.append({"name": name, "version": number, "branch": None})
    h.keep("tagged", {"tag": "release-1.0"}, table(FIELDS, rows(range(21))))
    h.keep("tagged-first", {"tag": "first"}, table(FIELDS, rows(range(20))))
    h.words.update({"tags", "deletion-arrow"})
    h.done("names for versions", spec("12-history.md#Tags"), RECIPE, [{"ask": {"tag": "missing"}, "reject": True}])

    h = start(suite, "branches", version)
    h.write(rows([20, 21]), mode="append")
    h.version()
    base = [list(row) for row in rows(range(20))]
    branch = h.dataset.create_branch("dev", 1)
    del branch
    lance.write_dataset(arrow(FIELDS, rows([100, 101])), h.dataset.checkout_version(("dev", None)), mode="append")
    h.branches.append({"name": "dev", "parent_branch": None, "parent_version": 1})
    h.keep("dev", {"branch": "dev"}, table(FIELDS, base + rows([100, 101])))
    h.keep("main", {}, table(FIELDS, rows(range(22))))
    h.words.update({"branches"})
    h.done("a line of versions of its own", spec("12-history.md#Branches"), RECIPE, [{"ask": {"branch": "missing"}, "reject": True}])


def nested(suite: Suite, version: str) -> None:
    h = History(suite, f"table/history/{version}/nested-and-vectors", version)
    h.fields = [field("id", "int64", nullable=False), field("tags", "list", item("utf8")), field("p", "struct", field("x", "float32"), field("y", "utf8")),
                field("vec", "fixed_size_list(4)", item("float32"))]
    r = seeded(h.case_id)

    def some(ids) -> list[list]:
        return [[str(i), r.choice([None, [], ["a", None], ["b"]]), r.choice([None, ["3f800000", "t"], [None, None]]),
                 r.choice([None, ["3f800000", "80000000", "7fc12345", "00000001"]])] for i in ids]

    h.write(some(range(12)), per_file=5)
    h.version()
    gone = {2, 3, 11}
    h.live = [row for row in h.live if int(row[0]) not in gone]
    h.fragments = [[0, 5, 2], [1, 5, 0], [2, 2, 1]]
    h.dataset.delete("id in (2, 3, 11)")
    h.version()
    h.write(some(range(12, 15)), mode="append")
    h.version()
    h.words.add("deletion-arrow")
    h.done("lists, structs and vectors across fragments", spec("10-table.md#Fragments", "02-levels.md#Rebuilding columns"), RECIPE)

    if version != "2.1":
        second_form(suite, version)
        return
    h = History(suite, f"table/history/{version}/blobs", version)
    h.fields = [field("id", "int32"), field("b", "large_binary", metadata={"lance-encoding:blob": "true"})]
    h.write([["1", "00ff"], ["2", None], ["3", ""], ["4", "ab" * 3000], ["5", "cd" * 70]])
    h.version()
    h.words.add("blob")
    h.done("large values beside their column", spec("06-blob.md#Blob layout"), RECIPE)


def second_form(suite: Suite, version: str) -> None:
    """Blobs of 2.2: in the data file, in a file of several, and in a file of their own, going by their size."""
    h = History(suite, f"table/history/{version}/blobs-second-form", version)
    r = seeded(h.case_id)
    h.fields = [field("id", "int32"), field("b", "large_binary", metadata={"lance-encoding:blob": "true"})]
    for mode, values in (("create", [b"\x00\xff", None, b"", r.randbytes(40), None, r.randbytes(200), r.randbytes(300)]), ("append", [b"", r.randbytes(900), None])):
        listed = [[str(len(h.live) + i), None if value is None else value.hex()] for i, value in enumerate(values)]
        columns = [pa.array([int(row[0]) for row in listed], pa.int32()), lance.blob_array(values)]
        schema = pa.schema([pa.field("id", pa.int32()), lance.blob_field("b", inline_size_threshold=64, dedicated_size_threshold=400)])
        lance.write_dataset(pa.table(columns, schema=schema), str(h.path), mode=mode, data_storage_version=version)
        h.fragments.append([h.next_fragment(), len(listed), 0])
        h.live = h.live + listed
        h.version()
    kinds = {path.stat().st_size for path in h.path.glob("data/*/*.blob")}
    if kinds != {500, 900}:
        raise AssertionError(f"{h.case_id}: files of blobs with {kinds} bytes")
    h.words.add("blob")
    h.done("large values in the data file, in a file that they share, in a file of their own", spec("06-blob.md#Second form"), RECIPE)


def make(suite: Suite) -> None:
    for version in VERSIONS:
        for part in (basic, deletions, changes, schemas, references, nested):
            part(suite, version)
