"""Lancer and pylance at the same tasks on the same table, in turns, in one run.

Lancer works in a process of its own (`lancer-bench`), pylance in this one; each measures the work alone. Everything that is
read is compared with the source before anything is timed. Times are medians; a ratio above 1 means that Lancer is faster.

    bench/run [--rows N] [--repeat N] [--only WORD] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import lance
import numpy as np
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "Tests" / "interop")]

from compare import assert_tables_equal  # noqa: E402
from data import bench_table  # noqa: E402
from lancer_cli import lancer, read_arrow, table_to_lance  # noqa: E402

SCANS = {
    "int64 ids": ["id"], "int32 random": ["random_int"], "int64 small, nulls": ["small_int"], "float32": ["float32"],
    "float64, nulls": ["price"], "bool": ["flag"], "short texts": ["name"], "long texts": ["description"],
    "categories": ["category"], "timestamps": ["time"], "lists of int32": ["numbers"], "structs": ["point"],
    "vectors 128 × f32": ["vector"], "all columns": None,
}
TAKES = {
    "scalars": ["id", "price", "category"], "short texts": ["name"], "long texts": ["description"], "lists": ["numbers"],
    "vectors": ["vector"], "all columns": None,
}
WRITES = {
    "scalars": ["id", "random_int", "small_int", "float32", "price", "flag", "time"], "texts": ["name", "description", "category"],
    "nested": ["numbers", "point"], "vectors": ["vector"], "all columns": None,
}


class Worker:
    """The Lancer side."""

    def __init__(self, binary: Path):
        self.process = subprocess.Popen([str(binary)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def __call__(self, task: str, path: Path, **rest) -> dict:
        self.process.stdin.write(json.dumps({"task": task, "path": str(path), **rest}) + "\n")
        answer = json.loads(self.process.stdout.readline())
        if answer.get("error"):
            raise RuntimeError(f"{task} {path}: {answer['error']}")
        return answer

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def timed(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def drain(dataset: lance.LanceDataset, columns) -> None:
    for _ in dataset.to_batches(columns=columns):
        pass


class Report:
    def __init__(self, repeat: int, only: str | None):
        self.repeat, self.only, self.rows = repeat, only, []

    def wanted(self, task: str) -> bool:
        return self.only is None or self.only in task

    def race(self, task: str, ours, theirs, repeat: int | None = None, note: str = "", warm: int = 1, burst: int = 1) -> None:
        """Runs both in turns of `burst` runs, `warm` times before it counts; each callable returns seconds."""
        if not self.wanted(task):
            return
        for _ in range(warm):
            ours(), theirs()
        left, right = [], []
        for turn in range(repeat or self.repeat):
            for side in ((0, 1) if turn % 2 == 0 else (1, 0)):
                for _ in range(burst):
                    (left if side == 0 else right).append((ours if side == 0 else theirs)())
        a, b = statistics.median(left), statistics.median(right)
        self.rows.append({"task": task, "lancer_seconds": a, "pylance_seconds": b, "ratio": b / a, "note": note})
        print(f"{task:<36} {shown(a):>10} {shown(b):>10} {b / a:>7.2f}×  {note}", flush=True)


def shown(seconds: float) -> str:
    for scale, unit in ((1, "s"), (1e3, "ms")):
        if seconds * scale >= 1:
            return f"{seconds * scale:.2f} {unit}"
    return f"{seconds * 1e6:.1f} µs"


def size(path: Path) -> int:
    return sum(p.stat().st_size for p in (path / "data").iterdir())


def verify(table: pa.Table, ours: Path, theirs: Path, scratch: Path) -> None:
    """Both tables read back as the source, by both sides, in scans and in takes."""
    rows = np.random.default_rng(3).integers(0, table.num_rows, 1000).tolist()
    for path in (ours, theirs):
        assert_tables_equal(lance.dataset(str(path)).to_table(), table)
        out = scratch / "verify.arrow"
        lancer("scan", path, "-o", out)
        assert_tables_equal(read_arrow(out), table)
        out.unlink()
        lancer("take", path, "--rows", ",".join(map(str, rows)), "-o", out)
        assert_tables_equal(read_arrow(out), table.take(rows), table_metadata=False)
        out.unlink()
    print("verified: both tables read back as the source, by both sides, whole and by row number", flush=True)


def race_parquet(report: Report, table: pa.Table, scratch: Path) -> None:
    """`lancer convert`, start of the process included, against pylance and pyarrow in this one; neither syncs."""
    source, target, table_path = scratch / "in.parquet", scratch / "out.parquet", scratch / "parquet.lance"
    for name, columns in WRITES.items():
        if not report.wanted(f"Parquet to Lance, {name}") and not report.wanted(f"Lance to Parquet, {name}"):
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
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--only")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--worker", type=Path, required=True)
    options = parser.parse_args()

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
        print(f"{'task':<36} {'Lancer':>10} {'pylance':>10} {'faster':>8}")

        # Each side reads the table it wrote, and then Lancer also the one pylance wrote.
        for name, columns in SCANS.items():
            for suffix, mine in (("", ours), (" (file by pylance)", theirs)):
                report.race(
                    f"scan {name}{suffix}", lambda: worker("scan", mine, columns=columns)["seconds"],
                    lambda: timed(lambda: drain(peer, columns)),
                )
        rng = np.random.default_rng(5)
        for name, columns in TAKES.items():
            for count in (1, 10, 100, 1000):
                def pick() -> list[int]:
                    return rng.integers(0, options.rows, count).tolist()

                repeat = 12 if count < 1000 else 5
                report.race(
                    f"take {count} {name}", lambda: worker("take", ours, columns=columns, rows=pick())["seconds"],
                    lambda: timed(lambda rows=pick(): peer.take(rows, columns=columns)), repeat=repeat,
                    # Both sides keep the search structures of pages that were touched before.
                    warm=max(10, 200 // count),
                    # Several in a row: the caches are not those that the other side left.
                    burst=10,
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
        race_parquet(report, table, scratch)
        report.race("open", lambda: worker("open", ours)["seconds"], lambda: timed(lambda: lance.dataset(str(theirs))), repeat=50)
    finally:
        worker.close()
        shutil.rmtree(scratch, ignore_errors=True)

    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        result = {
            "machine": platform.platform(), "processors": os.cpu_count(), "pylance": lance.__version__, "rows": options.rows,
            "commit": subprocess.run(["git", "-C", str(HERE), "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip(),
            "tasks": report.rows,
        }
        options.json.write_text(json.dumps(result, indent=1) + "\n")
        print(f"written to {options.json}")


if __name__ == "__main__":
    main()
