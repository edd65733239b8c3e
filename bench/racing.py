"""What the benchmarks share: the process that is Lancer, times, and races of two sides in turns."""

from __future__ import annotations

import json
import statistics
import subprocess
import time
from pathlib import Path


class Worker:
    """The Lancer side."""

    def __init__(self, binary: Path):
        self.process = subprocess.Popen([str(binary)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def __call__(self, task: str, path: Path, **rest) -> dict:
        self.process.stdin.write(json.dumps({"task": task, "path": str(path), **rest}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if answer.get("error"):
            raise RuntimeError(f"{task} {path}: {answer['error']}")
        return answer

    def peak_bytes(self) -> int:
        """Most memory the process has had."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        return 0

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


def shown(seconds: float) -> str:
    for scale, unit in ((1, "s"), (1e3, "ms")):
        if seconds * scale >= 1:
            return f"{seconds * scale:.2f} {unit}"
    return f"{seconds * 1e6:.1f} µs"


class Report:
    """Races, printed as they are run; a ratio above 1 means that Lancer is faster."""

    def __init__(self, repeat: int, only: str | None):
        self.repeat, self.only, self.rows = repeat, only, []

    def wanted(self, *tasks: str) -> bool:
        return self.only is None or any(self.only in task for task in tasks)

    def race(
        self, task: str, ours, theirs, repeat: int | None = None, note: str = "", warm: int = 1,
        peer: str = "pylance",
    ) -> None:
        """Runs both in turns, `warm` times before it counts; each callable returns seconds, or a list of them."""
        if not self.wanted(task):
            return
        for _ in range(warm):
            ours(), theirs()
        left, right = [], []
        for turn in range(repeat or self.repeat):
            for times, run in ((left, ours), (right, theirs))[:: 1 if turn % 2 == 0 else -1]:
                result = run()
                times.extend(result if isinstance(result, list) else [result])
        a, b = statistics.median(left), statistics.median(right)
        self.rows.append({"task": task, "peer": peer, "lancer_seconds": a, "peer_seconds": b, "ratio": b / a, "note": note})
        print(f"{task:<40} {shown(a):>10} {shown(b):>10} {b / a:>7.2f}×  {note}", flush=True)

    def summary(self) -> None:
        """The geometric mean of each kind of task."""
        kinds: dict[str, list[float]] = {}
        for row in self.rows:
            kinds.setdefault(row["task"].split(",")[0].split(" ")[0] + f" against {row['peer']}", []).append(row["ratio"])
        for kind, ratios in kinds.items():
            print(f"{kind + ', geometric mean':<62} {statistics.geometric_mean(ratios):>7.2f}×  of {len(ratios)}, least {min(ratios):.2f}×")
