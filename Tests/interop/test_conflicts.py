"""Every ordered pair of changes, the second by a pylance handle that is stale: whether Lancer or pylance made the first, the
second ends the same way, with the same rows."""

from __future__ import annotations

import array
import fcntl
import shutil
import subprocess
import termios
import time
from pathlib import Path

import lance
import pyarrow as pa
import pytest

from lancer_cli import BINARY, CONFLICT, environment, lancer, write_arrow

# Four fragments of ten rows, the last one with three rows deleted. `here` and `beside` are different rows of the last
# fragment, the one that a compaction rewrites; `there` is in the first.
PLACES = {"here": (31, 32), "beside": (33, 34), "there": (1, 2)}


def rows(ids: range, step: int = 0) -> pa.Table:
    return pa.table(
        {
            "id": pa.array(ids, pa.int32()),
            "v": pa.array([i * 10 + step for i in ids], pa.int32()),
            "w": pa.array([f"w{i}" for i in ids]),
            "spare": pa.array([float(i) for i in ids]),
        }
    )


def source(place: str) -> pa.Table:
    """Two rows of the table with other values, and a new one."""
    table = rows(range(0, 400), 5)
    return table.take([*PLACES[place], {"here": 300, "beside": 301, "there": 302}[place]])


@pytest.fixture(scope="module", params=["lancer", "pylance"])
def base(request, tmp_path_factory) -> Path:
    """Two versions, made by either."""
    folder = tmp_path_factory.mktemp("conflicts")
    path = folder / "base.lance"
    if request.param == "pylance":
        lance.write_dataset(rows(range(40)), str(path), max_rows_per_file=10)
        lance.dataset(str(path)).delete("id in (37, 38, 39)")
    else:
        lancer("convert", write_arrow(rows(range(40)), folder / "a.arrow"), path, "--max-rows-per-file", 10)
        lancer("delete", path, "--rows", "37-39")
    return path


def listed(place: str) -> str:
    return ", ".join(map(str, PLACES[place]))


def by_lancer(path: Path, change: str) -> None:
    kind, _, detail = change.partition(" ")
    new = path.with_suffix(".new.arrow")
    if kind == "append":
        lancer("append", path, write_arrow(rows(range(100, 105)), new))
    elif kind == "delete":
        lancer("delete", path, "--where", f"id in ({listed(detail)})")
    elif kind == "update":
        lancer("update", path, "--set", "v=v + 1", "--where", f"id in ({listed(detail)})")
    elif kind == "merge":
        lancer("merge", path, write_arrow(source(detail), new), "--on", "id")
    elif kind == "overwrite":
        lancer("convert", write_arrow(rows(range(200, 205)), new), path, "--mode", "overwrite")
    elif kind == "compact":
        lancer("compact", path, "--target-rows", 10)
    elif change == "add c":
        lancer("columns", "add", path, "c=v + 1")
    elif kind == "add":
        lancer("columns", "add", path, "--null", f"{detail}: int32")
    elif kind == "drop":
        lancer("columns", "drop", path, detail)
    elif kind == "restore":
        lancer("restore", path, 1)
    else:
        lancer("config", path, f"{detail}=lancer")


def by_pylance(stale: lance.LanceDataset, first: lance.LanceDataset, change: str) -> None:
    kind, _, detail = change.partition(" ")
    if kind == "append":
        lance.write_dataset(rows(range(100, 105)), stale, mode="append")
    elif kind == "delete":
        stale.delete(f"id in ({listed(detail)})", conflict_retries=0)
    elif kind == "update":
        stale.update({"v": "v + 1"}, f"id in ({listed(detail)})", conflict_retries=0)
    elif kind == "merge":
        builder = stale.merge_insert("id").when_matched_update_all().when_not_matched_insert_all()
        builder.conflict_retries(0).execute(source(detail))
    elif kind == "overwrite":
        lance.write_dataset(rows(range(200, 205)), stale, mode="overwrite")
    elif kind == "compact":
        stale.optimize.compact_files(target_rows_per_fragment=10)
    elif kind == "add":
        stale.add_columns({"c": "v + 1"} if detail == "c" else pa.field(detail, pa.int32()))
    elif kind == "drop":
        stale.drop_columns([detail])
    elif kind == "restore":
        first.restore()
    else:
        stale.update_config({detail: "pylance"})


CHANGES = [
    "append", *(f"{kind} {place}" for kind in ("delete", "update", "merge") for place in PLACES), "overwrite", "compact",
    "add a", "add b", "add c", "drop w", "drop spare", "restore", "config k", "config l",
]


def verdict(change: str, stale: lance.LanceDataset, first: lance.LanceDataset) -> str:
    try:
        by_pylance(stale, first, change)
    except Exception as error:
        text = str(error)
        if "Too many concurrent writers" in text or "Retryable commit conflict" in text:
            return "retry"
        if "Incompatible transaction" in text:
            return "never"
        return f"{type(error).__name__}: {text[:200]}"
    return "fine"


def state(path: Path) -> tuple[list[str], dict[str, str]]:
    dataset = lance.dataset(str(path))
    dataset.validate()
    config = {key: value for key, value in dataset.config().items() if key in ("k", "l")}
    return sorted(map(repr, dataset.to_table().to_pylist())), {key: "set" for key in config}


# What becomes of the row's change, made by a stale pylance handle, after the column's: `.` both are kept, `R` to be made
# again, `X` impossible. As commit-behaviour of the reference was found to be; the order is that of CHANGES.
TABLE = """
append         .  .  .  .  .  .  .  .  .  .  X  .  .  .  .  .  .  X  .  .
delete here    .  R  .  .  R  .  .  R  .  .  X  R  R  R  R  .  .  X  .  .
delete beside  .  .  R  .  .  R  .  .  R  .  X  R  R  R  R  .  .  X  .  .
delete there   .  .  .  R  .  .  R  .  .  R  X  .  R  R  R  .  .  X  .  .
update here    .  R  .  .  R  .  .  R  .  .  X  R  R  R  R  .  .  X  .  .
update beside  .  .  R  .  .  R  .  .  R  .  X  R  R  R  R  .  .  X  .  .
update there   .  .  .  R  .  .  R  .  .  R  X  .  R  R  R  .  .  X  .  .
merge here     .  R  .  .  R  .  .  R  .  .  X  R  R  R  R  .  .  X  .  .
merge beside   .  .  R  .  .  R  .  .  R  .  X  R  R  R  R  .  .  X  .  .
merge there    .  .  .  R  .  .  R  .  .  R  X  .  R  R  R  .  .  X  .  .
overwrite      .  .  .  .  .  .  .  .  .  .  R  .  .  .  .  .  .  .  .  .
compact        .  R  R  .  R  R  .  R  R  .  X  R  R  R  R  .  .  X  .  .
add a          R  R  R  R  R  R  R  R  R  R  X  R  R  R  R  X  X  X  .  .
add b          R  R  R  R  R  R  R  R  R  R  X  R  R  R  R  X  X  X  .  .
add c          R  R  R  R  R  R  R  R  R  R  X  R  R  R  R  X  X  X  .  .
drop w         .  .  .  .  .  .  .  .  .  .  X  .  R  R  R  R  R  X  .  .
drop spare     .  .  .  .  .  .  .  .  .  .  X  .  R  R  R  R  R  X  .  .
restore        .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
config k       .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  X  .
config l       .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  X
"""
VERDICTS = {
    (first, line[:15].strip()): {".": "fine", "R": "retry", "X": "never"}[cell]
    for line in TABLE.strip().splitlines()
    for first, cell in zip(CHANGES, line[15:].split(), strict=True)
}


@pytest.mark.parametrize("first", CHANGES)
def test_pylance_second(first, base, scratch):
    wrong = []
    for second in CHANGES:
        outcomes = {}
        for writer in ("lancer", "pylance"):
            path = scratch / f"{writer} {second}.lance"
            shutil.copytree(base, path)
            stale = lance.dataset(str(path))
            older = stale.checkout_version(1)
            if writer == "lancer":
                by_lancer(path, first)
            else:
                by_pylance(lance.dataset(str(path)), lance.dataset(str(path), version=1), first)
            outcomes[writer] = (verdict(second, stale, older), state(path))
            shutil.rmtree(path)
        if outcomes["lancer"] != outcomes["pylance"] or outcomes["lancer"][0] != VERDICTS[first, second]:
            wrong.append((second, VERDICTS[first, second], outcomes))
    assert wrong == []


# Where Lancer as the second writer is safer than the table says: the column that the rows were written for is gone; a merge
# that may have inserted a key that is there now, or whose column is gone, is worked out again, which ends well.
SAFER = {("drop w", "append"): "retry", ("drop spare", "append"): "retry"}


@pytest.mark.parametrize("first", CHANGES)
@pytest.mark.parametrize("second", ["append", "merge here", "merge beside", "merge there"])
def test_lancer_second(first, second, base, scratch):
    """Appends and merges, which a source that takes its time makes stale; merges are made again by themselves."""
    path = scratch / "t.lance"
    shutil.copytree(base, path)
    new = source(second.split()[1]).select(["id", "v"]) if second != "append" else rows(range(110, 115))
    stream = write_arrow(new, scratch / "new.arrows", stream=True).read_bytes()
    options = ["append", path, "-"] if second == "append" else ["merge", path, "-", "--on", "id"]
    process = subprocess.Popen(
        [str(BINARY), *map(str, options), "--from", "arrows"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(),
    )
    # All but the end of the stream. An append begins its data file when it has rows; a merge has opened the table before
    # it reads.
    process.stdin.write(stream[:-8])
    process.stdin.flush()
    files = len(list((path / "data").iterdir()))
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if second == "append" and len(list((path / "data").iterdir())) > files:
            break
        if second != "append" and unread(process.stdin) == 0:
            break
        time.sleep(0.005)
    else:
        pytest.fail("the command did not begin to read")
    by_pylance(lance.dataset(str(path)), lance.dataset(str(path), version=1), first)
    out, error = process.communicate(stream[-8:], timeout=60)
    expected = SAFER.get((first, second), VERDICTS[first, second])
    if second != "append" and expected == "retry":
        expected = "fine"
    if expected == "fine":
        assert process.returncode == 0, error
    else:
        assert process.returncode == CONFLICT, error
    values = {row["id"]: row["v"] for row in lance.dataset(str(path)).to_table(columns=["id", "v"]).to_pylist()}
    assert lance.dataset(str(path)).count_rows() == len(values)
    if expected == "fine":
        assert {i: values.get(i) for i in new["id"].to_pylist()} == dict(zip(new["id"].to_pylist(), new["v"].to_pylist()))
    state(path)


def unread(pipe) -> int:
    buffer = array.array("i", [0])
    fcntl.ioctl(pipe.fileno(), termios.FIONREAD, buffer)
    return buffer[0]
