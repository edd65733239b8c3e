"""Indexes of tables larger than the memory their making may take, and what is left when it is stopped."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import lance
import numpy as np
import pyarrow as pa
import pytest

from index_cases import FULL, assert_same, lancer_search
from lancer_cli import BINARY, environment, lancer, peak_memory

ROWS, WIDTH = (500_000 if FULL else 250_000), 128
#: What the program takes besides what it was given: itself, and what it reads ahead.
BASE = 64 << 20


@pytest.fixture(scope="module")
def path():
    """A table of 128 or 256 MB on a disk: scratch files in memory would hide what they save."""
    folder = Path(tempfile.mkdtemp(prefix="lancer-test-"))
    random = np.random.default_rng(12)
    centres = random.standard_normal((500, WIDTH)).astype(np.float32)
    rows = centres[random.integers(0, 500, ROWS)] + 0.5 * random.standard_normal((ROWS, WIDTH)).astype(np.float32)
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(rows.reshape(-1).astype(np.float32)), WIDTH)
    lance.write_dataset(pa.table({"id": np.arange(ROWS), "v": vectors}), folder / "t.lance")
    yield folder / "t.lance"
    shutil.rmtree(folder, ignore_errors=True)


def left_behind(path: Path) -> set[str]:
    """Names of all files of indexes."""
    return {str(file.relative_to(path)) for file in path.glob("_indices/*/*")}


@pytest.mark.skipif(sys.platform != "linux", reason="peaks of memory are measured on Linux")
@pytest.mark.parametrize("kind", ["ivf-flat", "ivf-sq", "ivf-pq", "ivf-hnsw-sq"])
def test_bounded_memory(path, kind):
    """The peak is the memory given and a base that does not depend on the table."""
    more = ["--m", 8, "--ef-construction", 20] if "hnsw" in kind else ["--partitions", 64]
    for memory in (32, 64):
        peak = peak_memory("index", "create", path, "v", "--type", kind, "--memory", f"{memory}MiB", "--replace", *more)
        print(f"{kind} with {memory} MiB: {peak >> 20} MiB")
        assert peak < (memory << 20) + BASE, f"{peak >> 20} MiB"
    assert not [name for name in left_behind(path) if not name.endswith(".idx")]
    query = np.random.default_rng(3).standard_normal((5, WIDTH)).astype(np.float32)
    if kind == "ivf-flat":
        assert_same(lancer_search(path, query, "--nprobes", 64), lancer_search(path, query, "--exact"))


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_stopped(path, how):
    """A build that is stopped leaves the table as it was; what a kill leaves is seen by nobody, and cleaned up later."""
    before = lance.dataset(path).version
    files = left_behind(path)
    command = [str(BINARY), "index", "create", str(path), "v", "--type", "ivf-flat", "--memory", "32MiB", "--partitions", "64", "--replace"]
    for delay in (0.2, 0.5, 0.9):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment())
        time.sleep(delay)
        process.send_signal(how)
        _, error = process.communicate(timeout=60)
        if process.returncode == 0:
            pytest.skip("made before it was stopped")
        assert lance.dataset(path).version == before
        if how != signal.SIGKILL:
            assert left_behind(path) == files
            assert process.returncode > 0 and error.count(b"\n") == 1 and b"interrupted" in error
    lancer("verify", path)
    lancer("search", path, "v", "--like-row", 1, "-c", "id")
