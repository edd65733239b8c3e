"""The frame of benchmarks that grow a table tenfold at a time, Lancer beside pylance: a line for each side and size, a
results file and a plot."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from plot import growth_svg
from racing import Worker, shown, write_results

# What is measured, in seconds, by name.
Times = dict[str, float]


def options(doc: str, most: int) -> argparse.ArgumentParser:
    """The options they share."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=most, help="size of the largest table (%(default)s)")
    parser.add_argument("--worker", type=Path, default=Path(__file__).parent / ".build" / "release" / "lancer-bench")
    parser.add_argument("--json", type=Path, help="file for the results, a plot (.svg) is put beside it")
    return parser


def grow(
    given: argparse.Namespace, unit: str, least: int, tasks: list[str], measure: Callable[[Worker, Path, int], dict[str, Times]]
) -> None:
    """Calls `measure` for each size with an empty folder; it returns the times of `tasks` of either side."""
    if given.most < least:
        raise SystemExit(f"--most {given.most} is below the smallest table, {least}")
    scratch = Path(tempfile.mkdtemp(prefix="lancer-bench-"))
    worker = Worker(given.worker)
    results: dict[int, dict[str, Times]] = {}
    print(f"{unit:>11}  {'':8} " + " ".join(f"{task:>12}" for task in tasks))
    try:
        count = least
        while count <= given.most:
            folder = scratch / str(count)
            folder.mkdir()
            results[count] = measure(worker, folder, count)
            for side, (who, times) in enumerate(results[count].items()):
                left = f"{count:>11,}" if side == 0 else " " * 11
                print(f"{left}  {who:8} " + " ".join(f"{shown(times[task]):>12}" for task in tasks), flush=True)
            ratios = {task: results[count]["pylance"][task] / results[count]["lancer"][task] for task in tasks}
            print(f"{'':11}  {'faster':8} " + " ".join(f"{ratios[task]:>11.2f}×" for task in tasks), flush=True)
            shutil.rmtree(folder)
            count *= 10
    finally:
        worker.close()
        shutil.rmtree(scratch, ignore_errors=True)
    if given.json:
        write_results(given.json, {"unit": unit, "sizes": results}, growth_svg)


def sides(pairs: dict[str, tuple[float, float]]) -> dict[str, Times]:
    """Times by side from pairs by task."""
    return {who: {task: pair[side] for task, pair in pairs.items()} for side, who in enumerate(("lancer", "pylance"))}
