"""Changes of tables by Lancer and by pylance on the same table: deletes, schema, config, history."""

from __future__ import annotations

import json
import os
import random
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import lance
import pyarrow as pa
import pytest

from compare import assert_tables_equal
from lancer_cli import CONFLICT, USAGE, lance_to_table, lancer, table_to_lance, text, write_arrow


def rows(count: int, start: int = 0) -> pa.Table:
    ids = range(start, start + count)
    return pa.table(
        {
            "id": pa.array(ids, pa.int64()),
            "name": pa.array([f"row {i}" if i % 5 else None for i in ids]),
            "s": pa.array([{"x": i, "y": str(i)} for i in ids]),
        }
    )


def make(path: Path, writer: str, count: int = 100, rows_per_file: int = 40, **options) -> Path:
    if writer == "pylance":
        lance.write_dataset(rows(count), str(path), max_rows_per_file=rows_per_file, **options)
    else:
        flags = ["--stable-row-ids"] if options.get("enable_stable_row_ids") else []
        table_to_lance(rows(count), path, "--max-rows-per-file", rows_per_file, *flags)
    return path


def change(*arguments: object) -> dict:
    """Runs a command that makes a version."""
    return json.loads(text(*arguments, "--json"))


def check(path: Path, expected: pa.Table | None = None) -> pa.Table:
    """Lancer and pylance see the same rows, and pylance finds nothing wrong."""
    dataset = lance.dataset(str(path))
    dataset.validate()
    theirs = dataset.to_table()
    out = path.with_suffix(".check.arrow")
    out.unlink(missing_ok=True)
    assert_tables_equal(lance_to_table(path, out), theirs)
    assert text("count", path).strip() == str(theirs.num_rows)
    if expected is not None:
        assert_tables_equal(theirs, expected, table_metadata=False)
    return theirs


@pytest.mark.parametrize("writer", ["lancer", "pylance"])
@pytest.mark.parametrize("stable", [False, True])
def test_deletes_by_both(writer, stable, scratch):
    path = make(scratch / "t.lance", writer, **({"enable_stable_row_ids": True} if stable else {}))
    expected = rows(100)
    rng = random.Random(5)
    for step in range(6):
        chosen = sorted(rng.sample(range(expected.num_rows), 9))
        if step % 2 == 0:
            assert change("delete", path, "--rows", ",".join(map(str, chosen)))["deleted"] == 9
        else:
            ids = expected["id"].take(chosen).to_pylist()
            lance.dataset(str(path)).delete(f"id in ({', '.join(map(str, ids))})")
        gone = set(chosen)
        expected = expected.take([i for i in range(expected.num_rows) if i not in gone])
        check(path, expected)
    # A whole fragment, then everything.
    change("delete", path, "--rows", f"0-{expected.num_rows - 1}")
    assert check(path).num_rows == 0
    assert lance.dataset(str(path)).get_fragments() == []


def test_large_deletes_become_bitmaps(scratch):
    path = make(scratch / "t.lance", "lancer", count=20_000, rows_per_file=20_000)
    change("delete", path, "--rows", "0-4999")
    assert [f.suffix for f in (path / "_deletions").iterdir()] == [".arrow"]
    check(path, rows(15_000, 5000))
    change("delete", path, "--rows", "14999")
    assert sorted(f.suffix for f in (path / "_deletions").iterdir()) == [".arrow", ".bin"]
    check(path, rows(14_999, 5000))
    lance.dataset(str(path)).delete("id % 2 = 0")
    check(path)


def test_pylance_rebases_over_a_delete_by_lancer(scratch):
    path = make(scratch / "t.lance", "pylance")
    stale = lance.dataset(str(path))
    change("delete", path, "--rows", "1,2,50")
    stale.delete("id in (3, 51)")
    check(path, rows(100).take([i for i in range(100) if i not in {1, 2, 3, 50, 51}]))
    # Update and merge_insert over it, too.
    stale = lance.dataset(str(path))
    change("delete", path, "--rows", "0")
    stale.update({"name": "'new'"}, where="id = 4")
    after = check(path)
    assert sorted(after["id"].to_pylist()) == [i for i in range(100) if i not in {0, 1, 2, 3, 50, 51}]
    # The same row again: pylance runs its delete again on the new version.
    stale = lance.dataset(str(path))
    row = after["id"].to_pylist().index(10)
    change("delete", path, "--rows", row)
    stale.delete("id in (10, 11)")
    assert not {10, 11} & set(check(path)["id"].to_pylist())


@pytest.mark.parametrize("writer", ["lancer", "pylance"])
def test_columns(writer, scratch):
    path = make(scratch / "t.lance", writer)
    change("columns", "add", path, "--null", "score: float64", "--null", "t: list<string>")
    both = check(path)
    assert both["score"].null_count == 100 and both["t"].null_count == 100
    dataset = lance.dataset(str(path))
    dataset.add_columns({"twice": "id * 2"})
    dataset.insert(pa.table({"id": [100], "name": ["x"], "s": [{"x": 1, "y": "1"}], "score": [1.5], "t": [["a"]], "twice": [200]}))
    check(path)
    change("columns", "rename", path, "score", "points")
    change("columns", "rename", path, "s.x", "z")
    change("columns", "drop", path, "name", "s.y")
    after = check(path)
    assert after.column_names == ["id", "s", "points", "t", "twice"]
    assert after["s"].to_pylist()[3] == {"z": 3} and after["points"].to_pylist()[-1] == 1.5
    write_arrow(after.slice(0, 2), scratch / "more.arrow")
    lancer("append", path, scratch / "more.arrow")
    check(path, pa.concat_tables([after, after.slice(0, 2)]))
    lance.dataset(str(path)).drop_columns(["twice"])
    lance.dataset(str(path)).alter_columns({"path": "points", "name": "score"})
    assert check(path).column_names == ["id", "s", "score", "t"]
    lance.dataset(str(path)).optimize.compact_files()
    check(path)
    assert "no column" in lancer("columns", "drop", path, "nothing", status=USAGE).stderr.decode()
    lancer("columns", "rename", path, "id", "s", status=USAGE)
    lancer("columns", "drop", path, "id", "s", "score", "t", status=USAGE)


def test_the_only_file_of_a_fragment_stays(scratch):
    # pylance makes a fragment without files of this, and panics on it afterwards.
    path = make(scratch / "t.lance", "pylance")
    change("columns", "add", path, "--null", "n: int32")
    assert "without data" in lancer("columns", "drop", path, "id", "name", "s", status=USAGE).stderr.decode()
    check(path)


def field_ids(path: Path) -> list[int]:
    return [field.id() for field in lance.dataset(str(path)).lance_schema.fields()]


def test_field_ids_are_never_used_again(scratch):
    path = make(scratch / "t.lance", "pylance")
    change("columns", "add", path, "--null", "m: int32")
    high = max(field_ids(path))
    stale = lance.dataset(str(path))
    change("columns", "drop", path, "m")
    change("columns", "add", path, "--null", "m2: int32")
    assert max(field_ids(path)) == high + 1
    # Rows that pylance prepared for the old column are not shown in the new one.
    stale.insert(rows(2, 100).append_column("m", pa.array([1, 2], pa.int32())))
    assert check(path)["m2"].null_count == 102


def test_nullability(scratch):
    path = make(scratch / "t.lance", "pylance")
    lancer("columns", "nullable", path, "name", "no", status=USAGE)
    change("columns", "nullable", path, "id", "no")
    assert not lance.dataset(str(path)).schema.field("id").nullable
    check(path)
    with pytest.raises(Exception):
        lance.dataset(str(path)).insert(rows(1).set_column(0, "id", pa.array([None], pa.int64())))
    change("columns", "nullable", path, "id", "yes")
    assert lance.dataset(str(path)).schema.field("id").nullable
    check(path)


def test_config_and_metadata(scratch):
    path = make(scratch / "t.lance", "lancer")
    change("config", path, "a.b=1", "c=x=y")
    change("config", path, "--table", "owner=me")
    change("config", path, "--schema", "origin=here")
    change("config", path, "--column", "s.x", "unit=m")
    dataset = lance.dataset(str(path))
    assert dataset.config() == {"a.b": "1", "c": "x=y"}
    assert dataset.metadata == {"owner": "me"}
    assert dataset.schema.metadata == {b"origin": b"here"}
    assert dataset.schema.field("s").type.field("x").metadata[b"unit"] == b"m"
    check(path)
    dataset.update_config({"p": "q"})
    change("config", path, "--unset", "c")
    assert lance.dataset(str(path)).config() == {"a.b": "1", "p": "q"}
    shown = [json.loads(line) for line in text("config", path, "--json").splitlines()]
    assert {"of": "config", "key": "p", "value": "q"} in shown and {"of": "table", "key": "owner", "value": "me"} in shown
    assert all(t.operation is not None for t in [dataset.read_transaction(v) for v in (2, 3, 4, 5)])


@pytest.mark.parametrize("writer", ["lancer", "pylance"])
def test_restore(writer, scratch):
    path = make(scratch / "t.lance", writer)
    change("delete", path, "--rows", "0-49")
    change("columns", "drop", path, "name")
    assert change("restore", path, 1, "-m", "back to the start") == {"version": 4, "restored": 1}
    check(path, rows(100))
    versions = [json.loads(line) for line in text("versions", path, "--json").splitlines()]
    assert [v["operation"] for v in versions][1:] == ["Delete", "Project", "Restore"]
    assert versions[3]["message"] == "back to the start"
    properties = lance.dataset(str(path)).read_transaction(4).transaction_properties
    assert properties == {"__lance_commit_message": "back to the start"}
    write_arrow(rows(2, 100), scratch / "more.arrow")
    lancer("append", path, scratch / "more.arrow")
    check(path, rows(102))
    old = lance.dataset(str(path), version=2)
    old.restore()
    check(path, rows(50, 50))


def test_tags(scratch):
    path = make(scratch / "t.lance", "pylance")
    change("delete", path, "--rows", "0")
    change("delete", path, "--rows", "0")
    dataset = lance.dataset(str(path))
    dataset.tags.create("theirs", 1)
    lancer("tag", "create", path, "ours", 2)
    assert "already" in lancer("tag", "create", path, "ours", 1, status=USAGE).stderr.decode()
    lancer("tag", "create", path, "newest")
    assert {name: tag["version"] for name, tag in dataset.tags.list().items()} == {"theirs": 1, "ours": 2, "newest": 3}
    assert lance.dataset(str(path), version="ours").count_rows() == 99
    lancer("tag", "move", path, "ours", 1)
    dataset.tags.update("theirs", 3)
    assert {name: tag["version"] for name, tag in dataset.tags.list().items()} == {"theirs": 3, "ours": 1, "newest": 3}
    listed = {t["tag"]: t["version"] for t in map(json.loads, text("tag", "list", path, "--json").splitlines())}
    assert listed == {"theirs": 3, "ours": 1, "newest": 3}
    assert text("count", path, "--tag", "ours").strip() == "100"
    assert text("count", path, "--tag", "theirs").strip() == "98"
    assert change("restore", path, "--tag", "ours")["restored"] == 1
    lancer("tag", "delete", path, "ours")
    assert "no tag" in lancer("tag", "delete", path, "ours", status=USAGE).stderr.decode()
    assert set(lance.dataset(str(path)).tags.list()) == {"theirs", "newest"}
    for name in ["a..b", ".a", "a.", "x.lock", "a/b", ""]:
        lancer("tag", "create", path, name, status=USAGE)
    lancer("tag", "create", path, "far", 99, status=USAGE)


def test_time_travel(scratch):
    path = make(scratch / "t.lance", "lancer")
    for _ in range(3):
        time.sleep(0.03)
        change("delete", path, "--rows", "0")
    versions = [json.loads(line) for line in text("versions", path, "--json").splitlines()]
    for index, version in enumerate(versions):
        stamp = version["timestamp"]
        assert text("count", path, "--as-of", stamp).strip() == str(100 - index)
        moment = datetime.fromisoformat(stamp[:26]).replace(tzinfo=timezone.utc)
        # Ten milliseconds later in other zones, and under other zones of the machine.
        later = moment + timedelta(milliseconds=10)
        for hours in (0, 2, -9.5, 14):
            local = later.astimezone(timezone(timedelta(hours=hours))).isoformat()
            for zone in ("UTC", "America/New_York", "Asia/Kolkata", "Europe/Berlin", "Pacific/Chatham"):
                saved = os.environ.get("TZ")
                os.environ["TZ"] = zone
                try:
                    assert text("count", path, "--as-of", local).strip() == str(100 - index)
                finally:
                    os.environ.pop("TZ") if saved is None else os.environ.update(TZ=saved)
    assert "no version" in lancer("count", path, "--as-of", "2001-01-01T00:00:00Z", status=USAGE).stderr.decode()
    for bad in ["2026-11-21", "2026-11-21T10:00:00", "2026-02-30T10:00:00Z", "tomorrow", "2026-11-21T25:00:00Z"]:
        lancer("count", path, "--as-of", bad, status=USAGE)
    lancer("count", path, "--as-of", versions[0]["timestamp"], "--version", 1, status=USAGE)


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def set_timestamp(path: Path, version: int, moment: datetime) -> None:
    """Makes a version that pylance wrote one of another moment."""
    manifest = path / "_versions" / f"{2**64 - 1 - version:020d}.manifest"
    data = manifest.read_bytes()
    stamp = lance_timestamp(path, version)
    old = b"\x08" + varint(int(stamp.timestamp()))
    assert data.count(old) == 1
    new = b"\x08" + varint(int(moment.timestamp()))
    assert len(new) == len(old)
    manifest.write_bytes(data.replace(old, new))


def lance_timestamp(path: Path, version: int) -> datetime:
    found = [json.loads(line) for line in text("versions", path, "--json").splitlines()]
    stamp = next(v["timestamp"] for v in found if v["version"] == version)
    return datetime.fromisoformat(stamp[:19]).replace(tzinfo=timezone.utc)


def test_time_travel_around_a_clock_change(scratch):
    # Clocks in Berlin went from 03:00+02:00 back to 02:00+01:00 at 01:00 UTC, those in New York at 06:00 UTC a week later.
    path = make(scratch / "t.lance", "pylance")
    moments = [
        "2026-10-25T00:30:00+00:00", "2026-10-25T00:59:59+00:00", "2026-10-25T01:00:00+00:00", "2026-10-25T01:30:00+00:00",
        "2026-11-01T05:30:00+00:00", "2026-11-01T06:30:00+00:00",
    ]
    for version in range(2, len(moments) + 1):
        lance.dataset(str(path)).delete(f"id = {version}")
    for version, moment in enumerate(moments, 1):
        set_timestamp(path, version, datetime.fromisoformat(moment))
    asked = {
        "2026-10-25T02:45:00+02:00": 1, "2026-10-25T02:45:00+01:00": 4, "2026-10-25T03:00:30+02:00": None,
        "2026-10-25T02:30:30+01:00": None, "2026-10-25T02:30:30+02:00": None, "2026-11-01T01:45:00-04:00": 5,
        "2026-11-01T01:45:00-05:00": 6, "2026-10-24T20:31:00-04:00": 1, "2026-10-25T06:30:59+05:30": None,
    }
    stamps = [datetime.fromisoformat(moment) for moment in moments]
    saved = os.environ.get("TZ")
    try:
        for zone in ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Chatham", "NONSENSE"):
            os.environ["TZ"] = zone
            for moment, expected in asked.items():
                # A fraction of a second is left in every time stamp; the moments asked for are not that close.
                version = sum(stamp < datetime.fromisoformat(moment) for stamp in stamps)
                assert expected in (None, version)
                assert text("count", path, "--as-of", moment).strip() == str(101 - version), (zone, moment)
            lancer("count", path, "--as-of", "2026-10-25T00:29:59Z", status=USAGE)
            assert text("versions", path, "--json").count("2026-10-25T") == 4
    finally:
        os.environ.pop("TZ", None)
        if saved is not None:
            os.environ["TZ"] = saved


def test_branches_and_clones_are_read(scratch):
    path = make(scratch / "t.lance", "pylance")
    dataset = lance.dataset(str(path))
    dataset.delete("id < 10")
    branch = dataset.create_branch("feat/x", 2)
    lance.write_dataset(rows(5, 100), branch.uri, mode="append")
    branch = lance.dataset(branch.uri)
    branch.delete("id = 50")
    dataset.tags.create("onbranch", ("feat/x", branch.version))
    out = scratch / "out.arrow"
    assert_tables_equal(lance_to_table(path / "tree" / "feat" / "x", out), branch.to_table())
    assert text("count", path, "--tag", "onbranch").strip() == str(branch.count_rows())
    dataset.tags.create("base", 2)
    clone = dataset.shallow_clone(str(scratch / "clone.lance"), "base")
    out.unlink()
    assert_tables_equal(lance_to_table(scratch / "clone.lance", out), clone.to_table())
    # Written to, as well: the new files are the clone's own.
    change("delete", scratch / "clone.lance", "--rows", "0,60")
    check(scratch / "clone.lance")
    assert lance.dataset(str(path)).count_rows() == 90
    change("delete", path / "tree" / "feat" / "x", "--rows", "0")
    assert lance.dataset(branch.uri).count_rows() == branch.count_rows() - 1


def test_indices_survive_what_they_should(scratch):
    path = make(scratch / "t.lance", "pylance")
    dataset = lance.dataset(str(path))
    dataset.create_scalar_index("id", "BTREE")
    dataset.create_scalar_index("name", "BTREE")
    change("delete", path, "--rows", "5,50")
    change("columns", "rename", path, "id", "key")
    dataset = lance.dataset(str(path))
    assert dataset.to_table(filter="key = 51").num_rows == 1 and dataset.to_table(filter="key = 50").num_rows == 0
    change("columns", "drop", path, "name")
    dataset = lance.dataset(str(path))
    assert [index.name for index in dataset.describe_indices()] == ["id_idx"]
    assert dataset.to_table(filter="key < 10").num_rows == 9
    change("restore", path, 3)
    dataset = lance.dataset(str(path))
    assert sorted(index.name for index in dataset.describe_indices()) == ["id_idx", "name_idx"]
    assert dataset.to_table(filter="id = 50").num_rows == 1
    dataset.optimize.compact_files()
    check(path, rows(100))


def age(path: Path, days: float) -> None:
    """Makes a file look older."""
    stamp = time.time() - days * 86400
    os.utime(path, (stamp, stamp))


def files(path: Path) -> set[str]:
    return {str(f.relative_to(path)) for f in path.rglob("*") if f.is_file() and f.name != "latest_version_hint.json"}


@pytest.mark.parametrize("writer", ["lancer", "pylance"])
def test_compaction(writer, scratch):
    path = make(scratch / "t.lance", writer, count=1000, rows_per_file=100)
    change("delete", path, "--rows", "50-79,500-699,990")
    expected = check(path)
    assert change("compact", path, "--target-rows", 250, "--dry-run")["chosen"] == 8
    result = change("compact", path, "--target-rows", 250, "-m", "tidy")
    assert result["fragmentsBefore"] == 8 and result["fragments"] == 2
    check(path, expected)
    operations = [json.loads(line)["operation"] for line in text("versions", path, "--json").splitlines()]
    assert operations[-2:] == ["ReserveFragments", "Rewrite"]
    assert change("compact", path, "--target-rows", 250)["version"] == result["version"]
    # Only the middle: rows stay in order, and the deletions behind it stay deletions.
    dataset = lance.dataset(str(path))
    last = dataset.count_rows() - 1
    change("delete", path, "--rows", f"260-300,{last}")
    expected = check(path)
    change("compact", path, "--target-rows", 100)
    check(path, expected)
    assert any(fragment.metadata.deletion_file for fragment in lance.dataset(str(path)).get_fragments())
    # pylance goes on with it.
    dataset = lance.dataset(str(path))
    dataset.delete("id < 10")
    dataset.update({"name": "'x'"}, where="id = 20")
    dataset.optimize.compact_files()
    check(path)
    change("restore", path, 1)
    check(path, rows(1000))


def test_compaction_beside_pylance(scratch):
    path = make(scratch / "t.lance", "pylance", count=400, rows_per_file=100)
    stale = lance.dataset(str(path))
    change("compact", path)
    stale.delete("id = 5")  # runs again on the new version
    stale.insert(rows(3, 400))
    after = check(path)
    assert sorted(after["id"].to_pylist()) == [i for i in range(403) if i != 5]


def test_compaction_of_an_indexed_table(scratch):
    path = make(scratch / "t.lance", "pylance", count=400, rows_per_file=100)
    dataset = lance.dataset(str(path))
    dataset.create_scalar_index("id", "BTREE")
    lance.write_dataset(rows(100, 400), str(path), mode="append")
    change("delete", path, "--rows", "120-190")
    change("compact", path, "--target-rows", 100)
    after = check(path)
    assert sorted(after["id"].to_pylist()) == [i for i in range(500) if not 120 <= i <= 190]
    for _ in range(2):
        dataset = lance.dataset(str(path))
        for i in (5, 110, 150, 195, 399, 450):
            found = dataset.to_table(filter=f"id = {i}")["id"].to_pylist()
            assert found == ([] if 120 <= i <= 190 else [i])
        dataset.optimize.optimize_indices()


def test_compaction_of_an_evolved_table(scratch):
    path = make(scratch / "t.lance", "pylance", count=200, rows_per_file=50)
    dataset = lance.dataset(str(path))
    dataset.add_columns({"twice": "id * 2"})
    dataset.alter_columns({"path": "id", "data_type": pa.int32()})
    change("columns", "add", path, "--null", "n: utf8")
    change("columns", "drop", path, "twice")
    expected = check(path)
    high = max(field_ids(path))
    change("compact", path)
    check(path, expected)
    change("columns", "add", path, "--null", "m: int32")
    assert max(field_ids(path)) == high + 1
    check(path)


def test_cleanup(scratch):
    path = make(scratch / "t.lance", "pylance", count=200, rows_per_file=50)
    for _ in range(4):
        change("delete", path, "--rows", "0")
    change("compact", path)
    dataset = lance.dataset(str(path))
    dataset.tags.create("keep", 2)
    before = files(path)
    dry = change("cleanup", path, "--keep", 1)
    assert dry["dryRun"] and files(path) == before
    assert dry["versions"] == [1, 3, 4, 5, 6] and dry["keptVersions"] == [2]
    assert change("cleanup", path, "--older-than", "1h", "--yes")["versions"] == []
    assert change("cleanup", path, "--older-than", "1h", "--keep", 1, "--yes")["versions"] == []
    done = change("cleanup", path, "--older-than", "0s", "--yes")
    assert done["paths"] == dry["paths"] and files(path) == before - set(done["paths"])
    check(path)
    assert lance.dataset(str(path), version="keep").to_table().num_rows == 199
    assert [v["version"] for v in lance.dataset(str(path)).versions()] == [2, 7]
    dataset.tags.delete("keep")
    assert change("cleanup", path, "--keep", 1, "--yes")["versions"] == [2]
    check(path)
    assert len(list((path / "data").iterdir())) == 1 and not list((path / "_deletions").iterdir())


def test_cleanup_finds_orphans_and_spares_commits_in_flight(scratch):
    path = make(scratch / "t.lance", "lancer")
    (path / "_deletions").mkdir()
    old = ["data/old.lance", "data/.tmp123", "_deletions/0-1-5.bin", "_transactions/1-x.txn", "_versions/.tmpabc"]
    young = ["data/young.lance", "data/.tmp456", "_transactions/1-y.txn"]
    foreign = ["data/notes.txt", "_versions/tmp.manifest#1", "readme.md"]
    for name in old + young + foreign:
        (path / name).write_bytes(b"something")
    for name in old + foreign:
        age(path / name, 8)
    for name in files(path) - set(old + young + foreign):
        age(path / name, 30)
    assert sorted(change("cleanup", path)["paths"]) == sorted(old)
    change("cleanup", path, "--yes")
    left = files(path)
    assert not left & set(old) and left >= set(young + foreign)
    check(path)
    change("cleanup", path, "--orphans-older-than", "0s", "--yes")
    assert not files(path) & set(young)
    check(path)


def test_cleanup_keeps_what_branches_need(scratch):
    path = make(scratch / "t.lance", "pylance")
    dataset = lance.dataset(str(path))
    dataset.delete("id < 10")
    branch = dataset.create_branch("b", 2)
    dataset.delete("id < 20")
    change("compact", path)
    done = change("cleanup", path, "--keep", 1, "--yes")
    assert done["keptVersions"] == [2] and done["versions"] == [1, 3, 4]
    assert lance.dataset(branch.uri).to_table().num_rows == 90
    check(path)


def test_cleanup_refuses_what_it_cannot_read(scratch):
    path = make(scratch / "t.lance", "lancer")
    change("delete", path, "--rows", "0")
    change("delete", path, "--rows", "0")
    manifest = sorted((path / "_versions").glob("*.manifest"))[1]
    manifest.write_bytes(b"")
    before = files(path)
    lancer("cleanup", path, "--keep", 1, "--yes", status=3)
    assert files(path) == before


def test_names_in_other_scripts(scratch):
    """Tags and branches are files whose names are percent-encoded; both sides find each other's, and cleanup keeps them."""
    path = scratch / "t.lance"
    dataset = lance.write_dataset(pa.table({"a": [1, 2]}), str(path))
    dataset = lance.write_dataset(pa.table({"a": [3]}), str(path), mode="append")
    dataset.tags.create("übung", 1)
    branch = dataset.create_branch("zweig/ä", 2)
    lance.write_dataset(pa.table({"a": [9]}), branch, mode="append")
    dataset = lance.write_dataset(pa.table({"a": [4]}), str(path), mode="overwrite")
    lancer("tag", "create", path, "日本-1.0", 2)
    # The reference opens such tags, but fails to list even its own.
    assert lance.dataset(str(path)).tags.get_version("日本-1.0") == 2
    assert lance.dataset(str(path), version="日本-1.0").to_table().num_rows == 3
    listed = {t["tag"]: t["version"] for t in map(json.loads, text("tag", "list", path, "--json").splitlines())}
    assert listed == {"übung": 1, "日本-1.0": 2}
    assert text("count", path, "--tag", "übung").strip() == "2"
    lancer("tag", "delete", path, "日本-1.0")
    lancer("tag", "move", path, "übung", 3)
    for bad in ("a b", "a%20b", "a/b", "..", "😀"):
        lancer("tag", "create", path, bad, status=USAGE)
    lancer("cleanup", path, "--keep", 1, "--yes")
    assert lance.dataset(str(path)).checkout_version(("zweig/ä", None)).to_table()["a"].to_pylist() == [1, 2, 3, 9]
