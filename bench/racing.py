"""What the benchmarks share: the process that is Lancer, times, races of two sides in turns, and files of results."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import lance


class Worker:
    """The Lancer side."""

    def __init__(self, binary: Path):
        if not binary.exists():
            raise SystemExit(f"{binary} is missing; swift build -c release --package-path bench makes it")
        self.process = subprocess.Popen([str(binary)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def __call__(self, task: str, path: Path, **rest) -> dict:
        self.process.stdin.write(json.dumps({"task": task, "path": str(path), **rest}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{task} {path}: the process of Lancer ended with {self.process.wait()}")
        answer = json.loads(line)
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


def bursts(worker: Worker, path: Path, columns, pick, peer_take, count: int = 10):
    """Takes of rows that `pick` gives, `count` in a row on either side, so that neither meets the other's caches."""
    return (
        lambda: worker("take", path, columns=columns, takes=[pick() for _ in range(count)])["each"],
        lambda: [timed(lambda rows=pick(): peer_take(rows)) for _ in range(count)],
    )


def medians(ours, theirs, repeat: int, warm: int = 1) -> tuple[float, float]:
    """The middle of both sides' times in turns, after some that do not count; each callable returns seconds, or a list."""
    for _ in range(warm):
        ours(), theirs()
    left, right = [], []
    for turn in range(repeat):
        for times, run in ((left, ours), (right, theirs))[:: 1 if turn % 2 == 0 else -1]:
            result = run()
            times.extend(result if isinstance(result, list) else [result])
    return statistics.median(left), statistics.median(right)


def shown(seconds: float) -> str:
    for scale, unit in ((1, "s"), (1e3, "ms")):
        if seconds * scale >= 1:
            return f"{seconds * scale:.2f} {unit}"
    return f"{seconds * 1e6:.1f} µs" if seconds >= 1e-6 else f"{seconds * 1e9:.1f} ns"


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def write_results(path: Path, results: dict, plot: Callable[[dict], str] | None = None) -> None:
    """Writes what was measured, where and by which commit as JSON, and a plot of it (.svg) beside it, if there is one."""
    here = Path(__file__).resolve().parent
    commit = subprocess.run(["git", "-C", str(here), "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    whole = {
        "machine": platform.platform(), "processor": processor_name(), "processors": processors(),
        "pylance": lance.__version__, "commit": commit.stdout.strip(), **results,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(whole, indent=1) + "\n")
    if plot:
        path.with_suffix(".svg").write_text(plot(whole))
    print(f"written to {path}" + (", with a plot beside it" if plot else ""))


def processor_name() -> str:
    """The model of the processor, as far as the system tells."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


class Report:
    """Races, printed as they are run; a ratio above 1 means that Lancer is faster."""

    def __init__(self, repeat: int, only: str | None):
        self.repeat, self.only, self.rows = repeat, only, []
        # Whether any task was wanted.
        self.matched = False

    def wanted(self, *tasks: str) -> bool:
        found = self.only is None or any(self.only in task for task in tasks)
        self.matched = self.matched or found
        return found

    def race(
        self, task: str, ours, theirs, repeat: int | None = None, note: str = "", warm: int = 1,
        peer: str = "pylance",
    ) -> None:
        """Runs both in turns, `warm` times before it counts; each callable returns seconds, or a list of them."""
        if not self.wanted(task):
            return
        a, b = medians(ours, theirs, repeat or self.repeat, warm)
        self.rows.append({"task": task, "peer": peer, "lancer_seconds": a, "peer_seconds": b, "ratio": b / a, "note": note})
        print(f"{task:<40} {shown(a):>10} {shown(b):>10} {b / a:>7.2f}×  {note}", flush=True)

    def summary(self) -> None:
        """The geometric mean of each kind of task."""
        kinds: dict[str, list[float]] = {}
        for row in self.rows:
            kinds.setdefault(row["task"].split(",")[0].split(" ")[0] + f" against {row['peer']}", []).append(row["ratio"])
        for kind, ratios in kinds.items():
            print(f"{kind + ', geometric mean':<62} {statistics.geometric_mean(ratios):>7.2f}×  of {len(ratios)}, least {min(ratios):.2f}×")
