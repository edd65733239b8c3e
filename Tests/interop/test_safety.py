"""What keeps a table safe: checksums that pylance ignores, verify and repair, damaged manifests, the order of syncs, stops at
every system call, real kills, and many writers of both kinds at once.

A seeded part is run by default; LANCER_FULL=1 runs everything.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import lance
import numpy as np
import pyarrow as pa
import pytest

from conftest import FULL
from lancer_cli import BINARY, CORRUPT, FINDING, UNSUPPORTED, environment, lance_to_table, lancer, text, write_arrow

SEED = int(os.environ.get("LANCER_SEED") or random.SystemRandom().randrange(1 << 32))


def rows(first: int, count: int) -> pa.Table:
    ids = np.arange(first, first + count)
    return pa.table(
        {
            "id": pa.array(ids, pa.int64()),
            "word": pa.array([f"word {i % 97}" for i in ids]),
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(np.repeat(ids, 8).astype(np.float32)), 8),
        }
    )


def append(path: Path, table: pa.Table, *options: str) -> None:
    source = path.parent / f"{random.getrandbits(60):x}.arrow"
    write_arrow(table, source)
    lancer("append" if path.exists() else "convert", *((path, source) if path.exists() else (source, path)), *options)
    source.unlink()


def ids(path: Path) -> list[int]:
    return lance.dataset(str(path)).to_table(columns=["id"])["id"].to_pylist()


def verify(path: Path, *options: str, status: int = 0) -> dict:
    return json.loads(text("verify", path, "--json", *options, status=status))


# --- Checksums ---


@pytest.mark.parametrize("version", ["2.1", "2.2"])
def test_pylance_works_with_checksummed_tables(scratch, version):
    path = scratch / "t.lance"
    write_arrow(rows(0, 20_000), scratch / "a.arrow")
    lancer("convert", scratch / "a.arrow", path, "--file-version", version)
    append(path, rows(20_000, 20_000))
    assert verify(path, "--deep")["checksummedDataFiles"] == 2
    both = pa.concat_tables([rows(0, 20_000), rows(20_000, 20_000)])
    dataset = lance.dataset(str(path))
    dataset.validate()
    assert dataset.to_table() == both
    assert dataset.take([39_999, 0, 20_000]) == both.take([39_999, 0, 20_000])
    assert dataset.to_table(filter="id >= 19999 and id < 20002")["id"].to_pylist() == [19_999, 20_000, 20_001]
    assert [v["version"] for v in dataset.versions()] == [1, 2]
    dataset.tags.create("first", 1)
    dataset.delete("id < 5")
    lance.write_dataset(rows(40_000, 10), str(path), mode="append")
    append(path, rows(50_000, 10))
    dataset = lance.dataset(str(path))
    dataset.optimize.compact_files()
    assert sorted(ids(path)) == [*range(5, 40_010), *range(50_000, 50_010)]
    assert verify(path, "--deep")["ok"]
    old = lance.dataset(str(path), version=2)
    old.restore()
    assert lance.dataset(str(path)).to_table() == both
    append(path, rows(60_000, 3))
    with pytest.raises(Exception, match="tagged"):
        lance.dataset(str(path)).cleanup_old_versions(older_than=timedelta(0), delete_unverified=True)
    lance.dataset(str(path)).cleanup_old_versions(
        older_than=timedelta(0), delete_unverified=True, error_if_tagged_old_versions=False
    )
    assert lance.dataset(str(path), version="first").to_table() == rows(0, 20_000)
    assert lance.dataset(str(path)).count_rows() == 40_003
    assert verify(path, "--deep")["ok"]


def test_output_is_the_same_from_run_to_run(scratch):
    write_arrow(rows(0, 30_000), scratch / "a.arrow")
    contents = []
    for name in ("x.lance", "y.lance"):
        lancer("convert", scratch / "a.arrow", scratch / name)
        contents.append([file.read_bytes() for file in (scratch / name / "data").iterdir()])
    assert contents[0] == contents[1]


def test_a_flipped_bit_is_found_by_scan_compact_and_verify(scratch):
    path = scratch / "t.lance"
    append(path, rows(0, 50_000))
    file = next((path / "data").iterdir())
    whole = file.read_bytes()
    generator = random.Random(SEED)
    print("seed", SEED)
    for _ in range(40):
        position = generator.randrange(len(whole))
        damaged = bytearray(whole)
        damaged[position] ^= 1 << generator.randrange(8)
        file.write_bytes(damaged)
        done = lancer("scan", path, "-o", scratch / "out.arrow", status=None)
        assert done.returncode == CORRUPT, f"seed {SEED}, byte {position}: scan ended with {done.returncode}"
        report = verify(path, status=FINDING)
        assert {finding["problem"] for finding in report["findings"]} <= {"checksum", "dataFile", "page"}
    file.write_bytes(whole)
    assert verify(path, "--deep")["ok"]


def flip_kinds(folder: Path) -> list[tuple[Path, Path]]:
    """Small tables by pylance, and one file of each kind in them."""
    path = folder / "p.lance"
    table = pa.table({"id": pa.array([1, None, 3], pa.int32()), "t": ["a", "bb", None], "l": [[1], [], None]})
    lance.write_dataset(table, str(path))
    lance.write_dataset(table, str(path), mode="append")
    lance.dataset(str(path)).delete("t = 'bb'")
    return [(path, next(path.glob(pattern))) for pattern in ("data/*.lance", "_deletions/*", "_transactions/2*.txn")] + [
        (path, min(path.glob("_versions/*.manifest")))
    ]


def test_flipped_bits_of_files_by_pylance_never_trap_or_hang(scratch):
    generator = random.Random(SEED)
    print("seed", SEED)
    for number, (path, file) in enumerate(flip_kinds(scratch)):
        bits = range(file.stat().st_size * 8)
        chosen = bits if FULL else sorted(generator.sample(bits, min(150, len(bits))))
        inside = file.relative_to(path)
        whole = file.read_bytes()

        def run(worker: int) -> list[str]:
            copy = scratch / f"copy{number}.{worker}.lance"
            shutil.copytree(path, copy)
            bad = []
            for bit in chosen[worker::4]:
                damaged = bytearray(whole)
                damaged[bit // 8] ^= 1 << bit % 8
                (copy / inside).write_bytes(damaged)
                for command in (["verify", copy, "--deep"], ["scan", copy, "--json"]):
                    try:
                        status = lancer(*command, status=None, timeout=20, memory=8 << 30).returncode
                    except subprocess.TimeoutExpired:
                        status = "hang"
                    if status not in (0, FINDING, CORRUPT, UNSUPPORTED):
                        bad.append(f"{inside}, bit {bit}, {command[0]}: {status}")
            shutil.rmtree(copy)
            return bad

        with ThreadPoolExecutor(4) as pool:
            bad = [line for lines in pool.map(run, range(4)) for line in lines]
        assert not bad, f"seed {SEED}: {bad[:10]}"


# --- Damaged manifests, verify, repair ---


def newest_manifest(path: Path) -> Path:
    return min(path.glob("_versions/*.manifest"))


@pytest.mark.parametrize("writer", ["lancer", "pylance"])
@pytest.mark.parametrize("damage", ["empty", "cut", "garbage"])
def test_a_damaged_newest_manifest(scratch, writer, damage):
    path = scratch / "t.lance"
    for first in (0, 100, 200):
        if writer == "lancer":
            append(path, rows(first, 100))
        else:
            lance.write_dataset(rows(first, 100), str(path), mode="append" if first else "create")
    file = newest_manifest(path)
    whole = file.read_bytes()
    file.write_bytes({"empty": b"", "cut": whole[:-5], "garbage": os.urandom(500)}[damage])
    done = lancer("count", path)
    assert done.stdout.strip() == b"200"
    assert b"warning" in done.stderr and b"version 3" in done.stderr and b"version 2" in done.stderr
    write_arrow(rows(300, 1), scratch / "b.arrow")
    assert b"repair" in lancer("append", path, scratch / "b.arrow", status=CORRUPT).stderr
    lancer("count", path, "--version", 3, status=CORRUPT)
    assert verify(path, status=FINDING)["findings"][0]["problem"] == "manifest"
    # A dry run changes nothing.
    lancer("repair", path)
    assert file.exists()
    lancer("repair", path, "--yes")
    assert verify(path, "--deep")["ok"]
    assert lancer("count", path).stderr == b""
    dataset = lance.dataset(str(path))
    assert dataset.version == 4 and dataset.count_rows() == 200
    assert [v["version"] for v in dataset.versions()] == [1, 2, 4]
    lancer("append", path, scratch / "b.arrow")
    assert ids(path) == [*range(200), 300]
    # It can be taken back: the damaged manifest is still there.
    assert (path / "_damaged" / file.name).exists()


def test_verify_and_repair_missing_files(scratch):
    path = scratch / "t.lance"
    for first in (0, 100, 200):
        append(path, rows(first, 100))
    victim = lance.dataset(str(path)).get_fragments()[1].data_files()[0].path
    (path / "data" / victim).unlink()
    report = verify(path, status=FINDING)
    assert [finding["file"] for finding in report["findings"]] == [f"data/{victim}"]
    assert "100 rows" in text("repair", path)
    lancer("repair", path, "--yes")
    assert ids(path) == [*range(100), *range(200, 300)]
    assert lance.dataset(str(path)).to_table().num_rows == 200


def test_verify_finds_what_nobody_names_and_is_content(scratch):
    path = scratch / "t.lance"
    append(path, rows(0, 10))
    (path / "data" / "left-over.lance").write_bytes(b"x")
    report = verify(path)
    assert report["ok"] and report["orphans"] == ["data/left-over.lance"]
    lancer("verify", scratch / "nothing.lance", status=2)


def test_verify_reads_tables_of_pylance(scratch):
    path = scratch / "t.lance"
    dataset = lance.write_dataset(rows(0, 5000), str(path), enable_stable_row_ids=True)
    dataset.create_scalar_index("id", "BTREE")
    dataset.update({"word": "'x'"}, where="id < 10")
    dataset.delete("id > 4000")
    dataset = lance.write_dataset(rows(9000, 10), str(path), mode="append")
    dataset.optimize.compact_files()
    dataset.tags.create("t", dataset.version)
    dataset.create_branch("side")
    report = verify(path, "--deep")
    assert report["ok"], report["findings"]
    assert report["checksummedDataFiles"] == 0 and report["dataFiles"] >= 3


# --- Stops at every system call ---


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    if not sys.platform.startswith("linux"):
        pytest.skip("LD_PRELOAD is Linux only")
    compiler = shutil.which("cc") or shutil.which("clang") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("there is no C compiler")
    library = tmp_path_factory.mktemp("shim") / "shim.so"
    source = Path(__file__).with_name("crash_shim.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"], check=True)
    return library


def with_shim(shim: Path, root: Path, *command: object, **settings: object) -> int:
    extra = {f"SHIM_{key.upper()}": str(value) for key, value in settings.items()}
    variables = {**environment(), "LD_PRELOAD": str(shim), "SHIM_ROOT": str(root), **extra}
    return subprocess.run(
        [str(BINARY), *map(str, command)], env=variables, capture_output=True, stdin=subprocess.DEVNULL, timeout=60
    ).returncode


def test_everything_is_synced_in_order_before_a_commit_returns(shim, scratch):
    path = scratch / "t.lance"
    append(path, rows(0, 10))
    write_arrow(rows(10, 10), scratch / "b.arrow")
    for command in (["append", path, scratch / "b.arrow"], ["delete", path, "--rows", "3"]):
        log = scratch / "log"
        log.unlink(missing_ok=True)
        assert with_shim(shim, path, *command, log=log) == 0
        calls = [line.split("\t") for line in log.read_text().splitlines()]
        named = [(index, call, a, b) for index, (call, a, b) in enumerate(calls) if call in ("rename", "link")]
        kinds = []
        for index, _, temporary, final in named:
            if final.endswith("latest_version_hint.json"):
                continue
            before = [call for call, a, _ in calls[:index] if a == temporary]
            # All bytes are written, then synced, then named; then the directory is synced, before anything else is made.
            assert before[0] == "create" and before[-1] == "fsync" and "write" in before, (final, before)
            later = [(call, a) for call, a, _ in calls[index + 1 :] if call != "unlink"]
            assert later[0] == ("fsync", str(Path(final).parent)), (final, later[:3])
            kinds.append(Path(final).parent.name)
        assert kinds[-2:] == ["_transactions", "_versions"], kinds
        assert kinds[0] == ("data" if command[0] == "append" else "_deletions")
    # New directories are synced into the one above.
    fresh, log = scratch / "new.lance", scratch / "log2"
    assert with_shim(shim, scratch, "convert", scratch / "b.arrow", fresh, log=log) == 0
    calls = [line.split("\t") for line in log.read_text().splitlines()]
    for index, (call, made, _) in enumerate(calls):
        if call == "mkdir":
            assert ["fsync", str(Path(made).parent), ""] in calls[index:]
    # And one option turns all of it off.
    log = scratch / "log3"
    assert with_shim(shim, path, "append", path, scratch / "b.arrow", "--no-sync", log=log) == 0
    assert "fsync" not in log.read_text()


CHANGES = {
    "append": ["append", "{t}", "{source}"],
    "delete": ["delete", "{t}", "--rows", "3,104"],
    "merge": ["merge", "{t}", "{source}", "--on", "id"],
    "add columns": ["columns", "add", "{t}", "--null", "more:int32"],
    "drop column": ["columns", "drop", "{t}", "word"],
    "config": ["config", "{t}", "a=b"],
    "compact": ["compact", "{t}"],
    "cleanup": ["cleanup", "{t}", "--keep", "1", "--yes"],
    "tag": ["tag", "create", "{t}", "new", "2"],
    "restore": ["restore", "{t}", "2"],
    "overwrite": ["convert", "{source}", "{t}", "--mode", "overwrite"],
    "create": ["convert", "{source}", "{t}"],
}


def state(path: Path):
    if not path.exists() or not list(path.glob("_versions/*.manifest")):
        return None
    dataset = lance.dataset(str(path))
    table = dataset.to_table()
    for version in dataset.versions():
        lance.dataset(str(path), version=version["version"]).to_table()
    return sorted(map(str, table.to_pylist())), table.schema.names


@pytest.mark.parametrize("change", CHANGES)
def test_a_stop_in_any_system_call_leaves_the_old_or_the_new_table(shim, scratch, change):
    original = scratch / "original.lance"
    if change != "create":
        for first in (0, 100, 200):
            append(original, rows(first, 100))
        lancer("delete", original, "--rows", "7")
    source = scratch / "source.arrow"
    write_arrow(rows(250, 100), source)

    def run(copy: Path, **settings) -> int:
        command = [part.format(t=copy, source=source) for part in CHANGES[change]]
        return with_shim(shim, copy, *command, **settings)

    def copied(name: str) -> Path:
        copy = scratch / name
        shutil.rmtree(copy, ignore_errors=True)
        if original.exists():
            shutil.copytree(original, copy)
        return copy

    before = state(original)
    done = copied("done.lance")
    assert run(done, log=scratch / "log") == 0
    after = state(done)
    calls = len((scratch / "log").read_text().splitlines())
    cases = [(stop, moment) for stop in range(calls) for moment in (0, 1, 2)]
    generator = random.Random(SEED)
    if not FULL:
        cases = sorted(generator.sample(cases, min(18, len(cases))))
    print(f"seed {SEED}, {calls} calls, {len(cases)} stops")
    for stop, moment in cases:
        copy = copied("copy.lance")
        assert run(copy, stop=stop, moment=moment) == 137, (SEED, stop, moment)
        found = state(copy)
        assert found in (before, after), (SEED, stop, moment)
        if found is None:
            lancer("convert", source, copy, "--mode", "overwrite")
            continue
        assert verify(copy, "--deep")["ok"], (SEED, stop, moment)
        if len(found[1]) == 3 and "word" in found[1]:
            lancer("append", copy, source)
            assert len(state(copy)[0]) == len(found[0]) + 100
        else:
            lancer("config", copy, "next=yes")
            assert state(copy)[0] == found[0]


# --- Real kills ---


def test_killed_writers_lose_nothing_they_reported(scratch):
    """A shell loop appends one row after the other and notes each that was reported; it is killed at random moments."""
    kills = 300 if FULL else 25
    generator = random.Random(SEED)
    path = scratch / "t.lance"
    append(path, rows(0, 1).select(["id", "word"]))
    noted = scratch / "noted"
    loop = scratch / "loop.sh"
    loop.write_text(
        'n=$1; while :; do printf \'{"id": %d, "word": "w"}\\n\' "$n" > "$2.jsonl"\n'
        f'"{BINARY}" append "$3" "$2.jsonl" >/dev/null 2>&1 && echo "$n" >> "{noted}"; n=$((n+1)); done\n'
    )
    known: set[int] = {0}
    for kill in range(kills):
        first = 1_000_000 * (kill + 1)
        process = subprocess.Popen(
            ["sh", str(loop), str(first), str(scratch / f"row{kill}"), str(path)],
            env=environment(), start_new_session=True, stdin=subprocess.DEVNULL,
        )
        time.sleep(generator.uniform(0.02, 0.4))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        reported = {0} | ({int(line) for line in noted.read_text().split()} if noted.exists() else set())
        if kill % 5 == 4 or kill == kills - 1:
            present = ids(path)
            assert len(present) == len(set(present)), f"seed {SEED}, kill {kill}: a row is there twice"
            assert reported <= set(present), f"seed {SEED}, kill {kill}: {len(reported - set(present))} rows are lost"
            # At most the one row in flight at each kill was not reported.
            assert len(set(present) - reported) <= kill + 1
        known = reported
    assert len(known) > kills // 4, "hardly any append got through between the kills"
    assert verify(path, "--deep")["ok"]
    print(f"seed {SEED}: {kills} kills, {len(known)} rows reported, {lance.dataset(str(path)).count_rows()} there")


# --- Many writers ---


def append_many(arguments) -> int:
    path, writer, count, kind = arguments
    folder = Path(path).parent
    done = 0
    for step in range(count):
        table = rows(writer * 1_000_000 + step, 1)
        if kind == "lancer":
            source = folder / f"w{writer}.arrow"
            write_arrow(table, source)
            status = subprocess.run(
                [str(BINARY), "append", path, str(source)], env=environment(), capture_output=True, stdin=subprocess.DEVNULL
            )
            assert status.returncode == 0, status.stderr
        else:
            lance.write_dataset(table, path, mode="append")
        done += 1
    return done


def run_processes(function, jobs) -> list:
    with multiprocessing.get_context("spawn").Pool(len(jobs)) as pool:
        return pool.map(function, jobs, chunksize=1)


def test_eight_processes_append(scratch):
    count = 100 if FULL else 12
    path = scratch / "t.lance"
    append(path, rows(0, 1))
    begin = time.monotonic()
    run_processes(append_many, [(str(path), writer, count, "lancer") for writer in range(1, 9)])
    seconds = time.monotonic() - begin
    present = ids(path)
    expected = [0] + [writer * 1_000_000 + step for writer in range(1, 9) for step in range(count)]
    assert sorted(present) == sorted(expected)
    assert lance.dataset(str(path)).version == 1 + 8 * count
    print(f"8 processes x {count} appends: {8 * count / seconds:.0f} commits/s")
    assert verify(path)["ok"]


def append_and_delete(arguments) -> list[int]:
    """Appends rows and deletes some of its own again; returns the ids that must be left."""
    path, writer, count, kind = arguments
    left = []
    for step in range(count):
        identity = writer * 1_000_000 + step
        append_many_step(path, writer, identity, kind)
        left.append(identity)
        if step % 3 == 2:
            victim = left.pop(0)
            if kind == "lancer":
                # By row number: what the number means must be looked up on the version it is used on, so a merge by key
                # does it.
                source = Path(path).parent / f"d{writer}.arrow"
                write_arrow(pa.table({"id": pa.array([victim], pa.int64())}), source)
                for _ in range(50):
                    status = subprocess.run(
                        [str(BINARY), "merge", path, str(source), "--on", "id", "--when-matched", "delete",
                         "--when-not-matched", "nothing"],
                        env=environment(), capture_output=True, stdin=subprocess.DEVNULL,
                    )
                    if status.returncode == 0:
                        break
                    assert status.returncode == 4, status.stderr
                assert status.returncode == 0, status.stderr
            else:
                for attempt in range(50):
                    try:
                        lance.dataset(path).delete(f"id = {victim}")
                        break
                    except OSError as error:
                        if "onflict" not in str(error) and "concurrent" not in str(error):
                            raise
    return left


def append_many_step(path: str, writer: int, identity: int, kind: str) -> None:
    table = rows(identity, 1)
    if kind == "lancer":
        source = Path(path).parent / f"w{writer}.arrow"
        write_arrow(table, source)
        status = subprocess.run(
            [str(BINARY), "append", path, str(source)], env=environment(), capture_output=True, stdin=subprocess.DEVNULL
        )
        assert status.returncode == 0, status.stderr
    else:
        lance.write_dataset(table, path, mode="append")


def test_lancer_and_pylance_append_and_delete_at_once(scratch):
    count = 60 if FULL else 9
    path = scratch / "t.lance"
    append(path, rows(0, 100))
    kinds = ["lancer", "pylance"] * 4
    jobs = [(str(path), writer, count, kind) for writer, kind in enumerate(kinds, start=1)]
    left = run_processes(append_and_delete, jobs)
    present = ids(path)
    assert sorted(present) == sorted([*range(100), *(identity for rest in left for identity in rest)])
    assert sorted(lance_to_table(path, scratch / "out.arrow")["id"].to_pylist()) == sorted(present)
    assert verify(path, "--deep")["ok"]


def increment(arguments) -> None:
    path, count = arguments
    for _ in range(count):
        for _ in range(200):
            done = subprocess.run(
                [str(BINARY), "update", path, "--set", "n=n + 1", "--where", "id = 1", "--no-sync"],
                env=environment(), capture_output=True, stdin=subprocess.DEVNULL,
            )
            if done.returncode == 0:
                break
            # Another writer was faster ten times in a row: nothing was changed.
            assert done.returncode == 4, done.stderr
        assert done.returncode == 0, done.stderr


def test_eight_processes_increment_one_row(scratch):
    count = 50 if FULL else 5
    path = scratch / "t.lance"
    append(path, pa.table({"id": pa.array([0, 1, 2], pa.int64()), "n": pa.array([0, 0, 0], pa.int64())}))
    run_processes(increment, [(str(path), count)] * 8)
    found = {row["id"]: row["n"] for row in lance.dataset(str(path)).to_table().to_pylist()}
    assert found == {0: 0, 1: 8 * count, 2: 0}
    assert lance.dataset(str(path)).count_rows() == 3
