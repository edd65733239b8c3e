"""How opening, counting, taking and committing grow with the number of fragments: 1 to 10,000, Lancer beside pylance.

    swift build -c release --package-path bench
    .venv/bin/python bench/growth.py [--most N] [--commits N]

Every fragment has one row. Lancer works in a process of its own (`lancer-bench`), pylance in this one; each measures the
call alone, and neither syncs. A take is of one row in the middle by a table just opened, a commit an append of one row by
the handle of the last one. What Lancer reads is compared with the source before, what it has appended afterwards.
"""

from __future__ import annotations

import shutil
import statistics
import sys
from pathlib import Path

import lance
import pyarrow as pa

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "Tests" / "interop")]

from compare import assert_tables_equal  # noqa: E402
from growing import grow, options  # noqa: E402
from lancer_cli import lancer, read_arrow  # noqa: E402
from racing import Worker, timed  # noqa: E402


def rows(count: int) -> pa.Table:
    return pa.table({"id": range(count), "name": [f"row {i}" for i in range(count)]})


def row(number: int) -> pa.Table:
    return pa.table({"id": [number], "name": [f"row {number}"]})


def measure_lancer(worker: Worker, path: Path, count: int, commits: int) -> dict[str, float]:
    one = path.with_name("one.lance")
    lance.write_dataset(row(0), str(one), mode="overwrite")
    worker("load", one)

    def seconds(task: str, **rest: object) -> float:
        return worker(task, path, **rest)["seconds"]

    result = {"open": statistics.median(seconds("open") for _ in range(7))}
    result["count"] = seconds("count")
    takes = []
    for _ in range(7):
        seconds("open")
        takes.append(seconds("take", rows=[count // 2]))
    result["take 1"] = statistics.median(takes)
    result["commit"] = statistics.median(seconds("commit") for _ in range(commits))
    return result


def measure_pylance(path: Path, count: int, commits: int) -> dict[str, float]:
    result = {"open": statistics.median(timed(lambda: lance.dataset(str(path))) for _ in range(7))}
    result["count"] = timed(lance.dataset(str(path)).count_rows)
    takes = []
    for _ in range(7):
        dataset = lance.dataset(str(path))
        takes.append(timed(lambda: dataset.take([count // 2])))
    result["take 1"] = statistics.median(takes)
    dataset = lance.dataset(str(path))
    result["commit"] = statistics.median(timed(lambda: dataset.insert(row(count + i))) for i in range(commits))
    return result


def verify(path: Path, count: int, out: Path) -> None:
    """Lancer reads the table as the source, whole and by row number."""
    lancer("scan", path, "-o", out)
    assert_tables_equal(read_arrow(out), rows(count))
    lancer("take", path, "--rows", str(count // 2), "-o", out, "--overwrite")
    assert_tables_equal(read_arrow(out), row(count // 2), table_metadata=False)
    out.unlink()


def main() -> None:
    parser = options(__doc__, 10_000)
    parser.add_argument("--commits", type=int, default=20, help="commits that are timed (%(default)s)")
    given = parser.parse_args()

    def measure(worker: Worker, folder: Path, count: int) -> dict[str, dict[str, float]]:
        path, copy = folder / "ours.lance", folder / "theirs.lance"
        peer = lance.write_dataset(rows(count), str(path), max_rows_per_file=1)
        assert_tables_equal(peer.to_table(), rows(count))
        verify(path, count, folder / "out.arrow")
        shutil.copytree(path, copy)
        result = {
            "lancer": measure_lancer(worker, path, count, given.commits),
            "pylance": measure_pylance(copy, count, given.commits),
        }
        # The first row was appended over and over.
        expected = pa.concat_tables([rows(count), *[row(0)] * given.commits])
        assert_tables_equal(lance.dataset(str(path)).to_table(), expected)
        return result

    grow(given, "fragments", 1, ["open", "count", "take 1", "commit"], measure)


if __name__ == "__main__":
    main()
