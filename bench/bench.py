"""Lancer and pylance at the same tasks on the same table, in turns, in one run.

Lancer works in a process of its own (`lancer-bench`), pylance in this one; each measures the work alone. Everything that is
read is compared with the source before anything is timed. Times are medians; a ratio above 1 means that Lancer is faster.
Peers besides pylance: Parquet through pyarrow, and Vortex where it is installed.

    bench/run [--rows N] [--repeat N] [--only WORD] [--cores N] [--json FILE]
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path


def arguments() -> argparse.Namespace:
    """The options, read before anything counts processors."""
    def at_least(least: int):
        def number(text: str) -> int:
            if int(text) < least:
                raise argparse.ArgumentTypeError(f"{text} is below {least}")
            return int(text)

        return number

    parser = argparse.ArgumentParser(
        prog="bench/run", description="Lancer and pylance, Parquet and Vortex at the same tasks, in turns.",
        epilog="--everything: all of it on all cores and on one, growth with rows and fragments, compaction",
    )
    parser.add_argument("--rows", type=at_least(1000), default=1_000_000, help="rows of the table (%(default)s)")
    parser.add_argument("--repeat", type=at_least(1), default=7, help="times each side runs (%(default)s)")
    parser.add_argument("--only", metavar="WORD", help="only tasks whose name has this in it, as in 'take 1 '")
    parser.add_argument("--cores", type=at_least(1), metavar="N", help="run both sides on so many cores (Linux)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="file for the results; a plot (.svg) is put beside it")
    parser.add_argument("--worker", type=Path, default=Path(__file__).parent / ".build/release/lancer-bench", help=argparse.SUPPRESS)
    return parser.parse_args()


OPTIONS = arguments()
if OPTIONS.cores:
    if not hasattr(os, "sched_setaffinity"):
        sys.exit("bench/run: this system does not pin processes to cores: leave --cores out")
    # For the processes started from here, too.
    os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[: OPTIONS.cores]))
    os.environ["LANCE_CPU_THREADS"] = os.environ["LANCE_IO_THREADS"] = str(OPTIONS.cores)

try:
    import lance
except ModuleNotFoundError as missing:
    sys.exit(f"bench/run: the Python module {missing.name} is missing: scripts/setup --python installs it into .venv")
import numpy as np
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "Tests" / "interop")]

from compare import assert_tables_equal  # noqa: E402
from data import bench_table  # noqa: E402
from lancer_cli import BINARY, MEASURE, lancer, read_arrow, table_to_lance  # noqa: E402
from peers import race_parquet_takes, race_vortex  # noqa: E402
from plot import svg  # noqa: E402
from racing import Report, Worker, bursts, shown, timed, write_results  # noqa: E402

SCANS = {
    "int64 ids": ["id"], "int32 random": ["random_int"], "int64 small, nulls": ["small_int"], "float32": ["float32"],
    "float64, nulls": ["price"], "bool": ["flag"], "short texts": ["name"], "long texts": ["description"],
    "categories": ["category"], "timestamps": ["time"], "lists of int32": ["numbers"], "structs": ["point"],
    "vectors 128 × f32": ["vector"], "projection of 4 of 13": ["id", "price", "name", "time"], "all columns": None,
}
TAKES = {
    "scalars": ["id", "price", "category"], "short texts": ["name"], "long texts": ["description"], "lists": ["numbers"],
    "vectors": ["vector"], "all columns": None,
}
WRITES = {
    "scalars": ["id", "random_int", "small_int", "float32", "price", "flag", "time"], "texts": ["name", "description", "category"],
    "nested": ["numbers", "point"], "vectors": ["vector"], "all columns": None,
}


def drain(dataset: lance.LanceDataset, columns, where: str | None = None) -> int:
    return sum(batch.num_rows for batch in dataset.to_batches(columns=columns, filter=where))


def bring_to_memory(*paths: Path) -> None:
    """Reads all files once: a machine short of memory gives up what scans left in the page cache, for either side."""
    for path in paths:
        for file in path.rglob("*"):
            if file.is_file():
                with file.open("rb") as source:
                    while source.read(1 << 24):
                        pass


def size(path: Path) -> int:
    return sum(p.stat().st_size for p in (path / "data").iterdir())


def verify(table: pa.Table, ours: Path, theirs: Path, scratch: Path) -> None:
    """Both tables read back as the source, by both sides, in scans and in takes."""
    rows = np.random.default_rng(3).integers(0, table.num_rows, min(1000, table.num_rows)).tolist()
    for path in (ours, theirs):
        dataset = lance.dataset(str(path))
        assert_tables_equal(dataset.to_table(), table)
        assert_tables_equal(dataset.take(rows), table.take(rows), table_metadata=False)
        out = scratch / "verify.arrow"
        lancer("scan", path, "-o", out)
        assert_tables_equal(read_arrow(out), table)
        out.unlink()
        lancer("take", path, "--rows", ",".join(map(str, rows)), "-o", out)
        assert_tables_equal(read_arrow(out), table.take(rows), table_metadata=False)
        out.unlink()
    print("verified: both tables read back as the source, by both sides, whole and by row number", flush=True)


FILTERS = {"0.1 %": "random_int < -2143188679", "10 %": "random_int < -1717986918", "90 %": "random_int < 1717986918"}


def race_filters(report: Report, worker: Worker, table: pa.Table, ours: Path, peer: lance.LanceDataset, out: Path) -> None:
    """Scans and counts with a condition on one column that returns others."""
    for share, where in FILTERS.items():
        chosen = pa.compute.less(table["random_int"], int(where.split("<")[1]))
        expected = int(pa.compute.sum(chosen).as_py())
        if report.wanted(f"count {share}"):
            for rows in (worker("count", ours, where=where)["rowCount"], peer.count_rows(filter=where)):
                assert rows == expected, f"{rows} rows where {where}, not {expected}"
        for name, columns in {"scalars": ["id", "price", "category"], "long texts": ["description"], "vectors": ["vector"]}.items():
            if not report.wanted(f"filter {share}, {name}"):
                continue
            answer = table.select(columns).filter(chosen)
            lancer("scan", ours, "--columns", ",".join(columns), "--where", where, "-o", out)
            for found in (read_arrow(out), peer.to_table(columns=columns, filter=where)):
                assert_tables_equal(found, answer, table_metadata=False)
            out.unlink()
            assert worker("scan", ours, columns=columns, where=where)["rowCount"] == expected
            report.race(
                f"filter {share}, {name}", lambda: worker("scan", ours, columns=columns, where=where)["seconds"],
                lambda: timed(lambda: drain(peer, columns, where)),
            )
        report.race(
            f"count {share}", lambda: worker("count", ours, where=where)["seconds"],
            lambda: timed(lambda: peer.count_rows(filter=where)),
        )
    report.race("count all", lambda: worker("count", ours)["seconds"], lambda: timed(peer.count_rows), repeat=50)


def race_blobs(report: Report, worker: Worker, scratch: Path) -> None:
    """Values of 100 KB that nothing compresses."""
    if not report.wanted("scan blobs of 100 kB", "take 10 blobs of 100 kB", "write blobs of 100 kB"):
        return
    rng = np.random.default_rng(11)
    blobs = pa.table({"id": range(1000), "blob": pa.array([rng.bytes(100_000) for _ in range(1000)], pa.large_binary())})
    ours, theirs = scratch / "blobs-ours.lance", scratch / "blobs-theirs.lance"
    peer = lance.write_dataset(blobs, str(theirs))
    table_to_lance(blobs, ours)
    verify(blobs, ours, theirs, scratch)
    columns = ["blob"]
    report.race(
        "scan blobs of 100 kB", lambda: worker("scan", ours, columns=columns)["seconds"],
        lambda: timed(lambda: drain(peer, columns)),
    )
    report.race(
        "take 10 blobs of 100 kB",
        *bursts(
            worker, ours, columns, lambda: rng.integers(0, 1000, 10).tolist(), lambda rows: peer.take(rows, columns=columns)
        ),
        warm=2,
    )
    worker("load", theirs)
    target = scratch / "blobs-written.lance"

    def fresh(write) -> float:
        shutil.rmtree(target, ignore_errors=True)
        return write()

    report.race(
        "write blobs of 100 kB", lambda: fresh(lambda: worker("write", target, durable=False)["seconds"]),
        lambda: fresh(lambda: timed(lambda: lance.write_dataset(blobs, str(target)))), note=f"{blobs.nbytes / 1e6:.0f} MB",
    )
    for path in (ours, theirs, target):
        shutil.rmtree(path, ignore_errors=True)


EXPORT = """import lance, pyarrow, sys
dataset = lance.dataset(sys.argv[1])
with pyarrow.ipc.new_file(sys.argv[2], dataset.schema) as out:
    for batch in dataset.to_batches(): out.write_batch(batch)"""


def measure_memory(report: Report, table: pa.Table, ours: Path, theirs: Path, out: Path) -> None:
    """Peak memory of a whole process that writes all rows to an Arrow file."""
    task = "memory of an export"
    if not report.wanted(task):
        return
    peaks = []
    for command in ([str(BINARY), "scan", str(ours), "-o", str(out)], [sys.executable, "-c", EXPORT, str(theirs), str(out)]):
        done = subprocess.run([sys.executable, "-c", MEASURE, *command], stdout=subprocess.PIPE, text=True, check=True)
        status, peak = done.stdout.split()[-2:]
        assert status == "0", f"{command} ended with {status}"
        assert_tables_equal(read_arrow(out), table)
        out.unlink()
        peaks.append(int(peak))
    a, b = peaks
    report.rows.append({"task": task, "peer": "pylance", "lancer_bytes": a, "peer_bytes": b, "ratio": b / a, "note": "peak"})
    print(f"{task:<40} {a / 1e6:>7.0f} MB {b / 1e6:>7.0f} MB {b / a:>7.2f}×")


def measure_copy(report: Report, table: pa.Table) -> None:
    """A scan of vectors beside copying as many bytes in memory with numpy, on one core."""
    scans = [row for row in report.rows if row["task"] == "scan vectors 128 × f32"]
    if not scans:
        return
    source = table["vector"].combine_chunks().values.to_numpy()
    target = np.empty_like(source)
    copy = sorted(timed(lambda: np.copyto(target, source)) for _ in range(report.repeat + 2))[(report.repeat + 2) // 2]
    print(f"memory copy of the vectors: {shown(copy)}; their scan takes {scans[0]['lancer_seconds'] / copy:.2f} times as long")


def measure_command(report: Report) -> None:
    """How long the command takes to start, and how large it is."""
    if not report.wanted("start of the command"):
        return
    times = sorted(timed(lambda: subprocess.run([str(BINARY), "--help"], stdout=subprocess.DEVNULL, check=True)) for _ in range(21))
    stripped = Path(tempfile.mkstemp(prefix="lancer-stripped-")[1])
    subprocess.run(["strip", "-o", str(stripped), str(BINARY)], check=True)
    print(f"start of the command: {times[10] * 1e3:.1f} ms; stripped binary {stripped.stat().st_size / 1e6:.1f} MB")
    stripped.unlink()


def race_parquet(report: Report, table: pa.Table, scratch: Path) -> None:
    """`lancer convert`, start of the process included, against pylance and pyarrow in this one; neither syncs."""
    source, target, table_path = scratch / "in.parquet", scratch / "out.parquet", scratch / "parquet.lance"
    for name, columns in WRITES.items():
        if not report.wanted(f"Parquet to Lance, {name}", f"Lance to Parquet, {name}"):
            continue
        chosen = table.select(columns) if columns else table
        pa.parquet.write_table(chosen, source, compression="zstd")

        def to_lance(write) -> float:
            shutil.rmtree(table_path, ignore_errors=True)
            return timed(write)

        repeat = max(3, report.repeat // 2)
        report.race(
            f"Parquet to Lance, {name}", lambda: to_lance(lambda: lancer("convert", "--no-sync", source, table_path)),
            lambda: to_lance(lambda: lance.write_dataset(pa.dataset.dataset(source, format="parquet"), str(table_path))),
            repeat=repeat, note=f"{chosen.nbytes / 1e6:.0f} MB in memory",
        )

        def by_pyarrow() -> None:
            dataset = lance.dataset(str(table_path))
            with pa.parquet.ParquetWriter(target, dataset.schema, compression="zstd") as out:
                for batch in dataset.to_batches():
                    out.write_batch(batch)

        to_lance(lambda: lancer("convert", "--no-sync", source, table_path))
        report.race(
            f"Lance to Parquet, {name}", lambda: timed(lambda: lancer("convert", table_path, target, "--overwrite")),
            lambda: timed(by_pyarrow), repeat=repeat, note="zstd",
        )
        shutil.rmtree(table_path)


def main() -> None:
    options = OPTIONS
    scratch = Path(tempfile.mkdtemp(prefix="lancer-bench-"))
    worker = Worker(options.worker)
    report = Report(options.repeat, options.only)
    try:
        table = bench_table(options.rows)
        theirs, ours = scratch / "theirs.lance", scratch / "ours.lance"
        peer = lance.write_dataset(table, str(theirs))
        table_to_lance(table, ours)
        verify(table, ours, theirs, scratch)
        print(f"{options.rows:,} rows, {table.nbytes / 1e6:.0f} MB in memory; on disk Lancer {size(ours) / 1e6:.0f} MB, pylance {size(theirs) / 1e6:.0f} MB")
        print(f"{'task':<40} {'Lancer':>10} {'pylance':>10} {'faster':>8}")

        # Each side reads the table it wrote, and then Lancer also the one pylance wrote.
        for name, columns in SCANS.items():
            for suffix, mine in (("", ours), (" (file by pylance)", theirs)):
                report.race(
                    f"scan {name}{suffix}", lambda: worker("scan", mine, columns=columns)["seconds"],
                    lambda: timed(lambda: drain(peer, columns)),
                )
        race_filters(report, worker, table, ours, peer, scratch / "filtered.arrow")
        measure_copy(report, table)
        rng = np.random.default_rng(5)

        def pick_sorted() -> list[int]:
            return sorted(rng.choice(options.rows, 100, replace=False).tolist())

        for name, columns in TAKES.items():
            for count in (1, 10, 100, 1000):
                def pick() -> list[int]:
                    return rng.integers(0, options.rows, count).tolist()

                repeat = 12 if count < 1000 else 5
                if report.wanted(f"take {count} {name}"):
                    bring_to_memory(ours, theirs)
                report.race(
                    f"take {count} {name}", *bursts(worker, ours, columns, pick, lambda rows: peer.take(rows, columns=columns)),
                    # Both sides keep the search structures of pages that were touched before.
                    repeat=repeat, warm=max(1, 20 // count),
                )
            report.race(
                f"take 100 sorted {name}",
                *bursts(worker, ours, columns, pick_sorted, lambda rows: peer.take(rows, columns=columns)), repeat=12,
            )
        worker("load", theirs)
        number = iter(range(10**9))
        for name, columns in WRITES.items():
            chosen = table.select(columns) if columns else table

            def write_ours(durable=False) -> float:
                path = scratch / f"w{next(number)}.lance"
                seconds = worker("write", path, columns=columns, durable=durable)["seconds"]
                shutil.rmtree(path)
                return seconds

            def write_theirs() -> float:
                path = scratch / f"w{next(number)}.lance"
                seconds = timed(lambda: lance.write_dataset(chosen, str(path)))
                shutil.rmtree(path)
                return seconds

            report.race(f"write {name}", write_ours, write_theirs, repeat=max(3, options.repeat // 2), note=f"{chosen.nbytes / 1e6:.0f} MB")
        race_blobs(report, worker, scratch)
        race_parquet(report, table, scratch)
        race_parquet_takes(report, worker, table, ours, scratch, TAKES)
        race_vortex(report, worker, table, ours, scratch, SCANS, TAKES)
        report.race("open", lambda: worker("open", ours)["seconds"], lambda: timed(lambda: lance.dataset(str(theirs))), repeat=50)
        measure_memory(report, table, ours, theirs, scratch / "export.arrow")
        measure_command(report)
        report.summary()
    finally:
        worker.close()
        shutil.rmtree(scratch, ignore_errors=True)

    if not report.matched:
        raise SystemExit(f"bench/run: no task has {options.only!r} in its name")
    if options.json and report.rows:
        write_results(options.json, {"rows": options.rows, "tasks": report.rows}, svg)


if __name__ == "__main__":
    main()
