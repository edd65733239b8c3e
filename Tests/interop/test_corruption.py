"""Damaged files: the command must end by itself, soon, in little memory, with one line and a documented status.

Every kind of file is cut at every byte and has each single byte inverted. That is thousands of runs, so by default a seeded
part of them is made; LANCER_FULL=1 makes all. The library's own tests do the same in process.
"""

from __future__ import annotations

import random
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import lance
import numpy as np
import pyarrow as pa
import pytest

from conftest import FULL
from lancer_cli import CORRUPT, UNSUPPORTED, USAGE, lancer, read_arrow, write_arrow

MEMORY = 3 << 30
SECONDS = 20
DAMAGES_PER_KIND = 10**9 if FULL else 90


def small_table() -> pa.Table:
    return pa.table(
        {
            "i": pa.array([1, None, 3, 4, 5, 60, 7, 8], pa.int32()),
            "t": pa.array(["a", "", None, "some words", "more words", "x", "y", "z"]),
            "l": pa.array([[1], [], None, [2, 3], [None], [4, 5, 6], [7], [8]], pa.list_(pa.int16())),
            "s": pa.array([{"x": 1.5}, None, {"x": None}, {"x": 2.5}] * 2, pa.struct([("x", pa.float64())])),
            "v": pa.array([[1.0, 2.0]] * 8, pa.list_(pa.float32(), 2)),
            "k": pa.array(["p", "q"] * 4).dictionary_encode(),
        }
    )


def dataset_kind(folder: Path, version: str, pattern: str, **changes) -> tuple[Path, list[str]]:
    """A dataset by pylance, which of its files to damage, and how to read it."""
    path = folder / "t.lance"
    table = small_table()
    if changes.get("rows"):
        table = pa.table({"i": range(changes["rows"])})
    dataset = lance.write_dataset(table, str(path), data_storage_version=version)
    if where := changes.get("delete"):
        dataset.delete(where)
    target = max(path.glob(pattern), key=lambda p: p.stat().st_size)
    if pattern.startswith("_versions"):
        target = min(path.glob("_versions/*.manifest"))
    return target, ["scan", str(path), "-o", "{out}"]


def lancer_kind(folder: Path, version: str) -> tuple[Path, list[str]]:
    write_arrow(small_table(), folder / "x.arrow")
    lancer("convert", folder / "x.arrow", folder / "t.lance", "--file-version", version)
    return next((folder / "t.lance" / "data").iterdir()), ["scan", str(folder / "t.lance"), "-o", "{out}"]


def take_kind(folder: Path, version: str) -> tuple[Path, list[str]]:
    path = folder / "t.lance"
    rng = np.random.default_rng(4)
    words = [f"word {i} " * 4 for i in range(30)]
    table = pa.table(
        {
            "i": pa.array(rng.integers(0, 200, 1500)),
            "t": pa.array([words[i] for i in rng.integers(0, 30, 1500)]),
            "l": pa.array([[int(j) for j in range(i % 3)] for i in range(1500)], pa.list_(pa.int64())),
        }
    )
    lance.write_dataset(table, str(path), data_storage_version=version)
    return next((path / "data").iterdir()), ["take", str(path), "--rows", "1499,3,700,3", "-o", "{out}"]


def input_kind(name: str, folder: Path) -> tuple[Path, list[str]]:
    path = folder / name
    table = small_table()
    if name.endswith(".npy"):
        np.save(path, np.arange(24, dtype=np.float16).reshape(8, 3))
    elif name.endswith(".csv"):
        path.write_text('id,name,"quo""ted"\n1,a,"x, y"\n2,,"line\nbreak"\n3,é,z\n-4.5,b,""\n')
    elif name.endswith(".jsonl"):
        path.write_text('{"a": 1, "b": [1, 2.5, null], "c": {"d": "\\u00e9\\ud83d\\ude00"}}\n{"a": null, "b": [], "c": {}}\n{"a": -7}\n')
    else:
        write_arrow(table, path, stream="stream" in name, compression="lz4" if "lz4" in name else "zstd" if "zstd" in name else None)
    return path, ["convert", str(path), "{out}.lance"]


KINDS = {
    "data file 2.1": lambda f: dataset_kind(f, "2.1", "data/*"),
    "data file 2.2": lambda f: dataset_kind(f, "2.2", "data/*"),
    "data file 2.1 by Lancer": lambda f: lancer_kind(f, "2.1"),
    "data file 2.2 by Lancer": lambda f: lancer_kind(f, "2.2"),
    "data file 2.1, take": lambda f: take_kind(f, "2.1"),
    "data file 2.2, take": lambda f: take_kind(f, "2.2"),
    "manifest": lambda f: dataset_kind(f, "2.2", "_versions/*"),
    "manifest after a delete": lambda f: dataset_kind(f, "2.1", "_versions/*", delete="i = 4"),
    "deletion file, array": lambda f: dataset_kind(f, "2.2", "_deletions/*.arrow", delete="i = 4 or i = 60"),
    "deletion file, bitmap": lambda f: dataset_kind(f, "2.2", "_deletions/*.bin", rows=20_000, delete="i > 90 and i % 8000 > 2"),
    **{
        name: (lambda f, name=name: input_kind(name, f))
        for name in ("file.arrow", "lz4.arrow", "zstd.arrow", "stream.arrows", "stream-lz4.arrows", "x.npy", "x.csv", "x.jsonl")
    },
}


def damages(raw: bytes, seed: str) -> list[tuple[str, int]]:
    """Each cut and each inverted byte, or a seeded part of them."""
    every = [("cut", i) for i in range(len(raw))] + [("flip", i) for i in range(len(raw))]
    if len(every) > DAMAGES_PER_KIND:
        every = random.Random(seed).sample(every, DAMAGES_PER_KIND)
    return every


def apply(raw: bytes, damage: tuple[str, int]) -> bytes:
    kind, at = damage
    return raw[:at] if kind == "cut" else raw[:at] + bytes([raw[at] ^ 0xFF]) + raw[at + 1 :]


@pytest.mark.parametrize("kind", KINDS)
def test_damaged(kind, scratch):
    folder = scratch / "original"
    folder.mkdir()
    target, arguments = KINDS[kind](folder)
    raw = target.read_bytes()
    relative = target.relative_to(folder)
    problems: list[str] = []

    def worker(number: int, share: list[tuple[str, int]]) -> None:
        mine = scratch / f"worker-{number}"
        shutil.copytree(folder, mine)
        command = [part.replace(str(folder), str(mine)).replace("{out}", str(mine / "out.arrow")) for part in arguments]
        for damage in share:
            (mine / relative).write_bytes(apply(raw, damage))
            problem = run_once(command, mine / "out.arrow")
            if problem:
                problems.append(f"{damage[0]} at {damage[1]} of {len(raw)}: {problem}")
            for left in mine.glob("out.arrow*"):
                shutil.rmtree(left) if left.is_dir() else left.unlink()

    share = damages(raw, kind)
    workers = 4 if FULL else 2
    with ThreadPoolExecutor(workers) as pool:
        for done in [pool.submit(worker, number, share[number::workers]) for number in range(workers)]:
            done.result()
    assert not problems, f"{kind}: {len(problems)} of {len(share)} damages\n" + "\n".join(sorted(problems)[:12])


def run_once(command: list[str], out: Path) -> str | None:
    """What is wrong with how the command took a damaged file, if anything."""
    try:
        done = lancer(*command, status=None, timeout=SECONDS, memory=MEMORY)
    except subprocess.TimeoutExpired:
        return f"still running after {SECONDS} s"
    error = done.stderr.decode(errors="replace").strip()
    if done.returncode == 0:
        if out.exists():
            try:
                read_arrow(out).validate(full=True)
            except Exception as problem:
                return f"wrote an invalid table: {str(problem)[:200]}"
        return None
    if done.returncode < 0 or done.returncode > 128:
        return f"killed by a signal ({done.returncode}): {error[-200:]}"
    if done.returncode not in (USAGE, CORRUPT, UNSUPPORTED):
        return f"status {done.returncode}: {error[-200:]}"
    if len(error.splitlines()) != 1:
        return f"{len(error.splitlines())} lines on standard error: {error[:200]}"
    return None


def test_a_damaged_transaction_file_hurts_nobody_who_reads(scratch):
    path = scratch / "t.lance"
    lance.write_dataset(small_table(), str(path))
    lance.write_dataset(small_table(), str(path), mode="append")
    target = next((path / "_transactions").glob("1-*.txn"))
    raw = target.read_bytes()
    for damage in damages(raw, "txn")[:60]:
        target.write_bytes(apply(raw, damage))
        assert lancer("count", path, memory=MEMORY, timeout=SECONDS).stdout.strip() == b"16"
        done = lancer("versions", path, memory=MEMORY, timeout=SECONDS, status=None)
        assert done.returncode in (0, CORRUPT), (damage, done)

