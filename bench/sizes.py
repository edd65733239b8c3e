"""Bytes on disk, column by column: what Lancer writes against what pylance writes.

    .venv/bin/python bench/sizes.py [--rows N]

The exit status is 1 when a column is more than 5 % (and 1 KiB) larger than pylance's.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

import lance
import numpy as np
import pyarrow as pa
import pyarrow.parquet

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "Tests" / "interop")]

from compare import assert_tables_equal  # noqa: E402
from data import bench_table  # noqa: E402
from lancer_cli import ROOT, table_to_lance  # noqa: E402

DEBIAN = Path(os.environ.get("LANCER_DEBIAN_DATA") or ROOT.parent / "shared" / "data")
LIMIT = 1.05


def debian() -> pa.Table | None:
    parquet, matrix = DEBIAN / "debian-packages.parquet", DEBIAN / "debian-packages.embedding.f16.npy"
    if not (parquet.exists() and matrix.exists()):
        return None
    vectors = np.load(matrix)
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])
    return pyarrow.parquet.read_table(parquet).replace_schema_metadata(None).append_column("embedding", column)


def size(path: Path) -> int:
    return sum(p.stat().st_size for p in (path / "data").iterdir())


def measure(table: pa.Table, version: str, scratch: Path) -> tuple[int, int]:
    ours, theirs = scratch / "ours.lance", scratch / "theirs.lance"
    table_to_lance(table, ours, "--file-version", version)
    lance.write_dataset(table, str(theirs), data_storage_version=version)
    assert_tables_equal(lance.dataset(str(ours)).to_table(), table)
    sizes = size(ours), size(theirs)
    shutil.rmtree(ours)
    shutil.rmtree(theirs)
    return sizes


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="lancer-sizes-"))
    tables = {"bench": bench_table(options.rows), "debian": debian()}
    too_big = 0
    try:
        for name, table in tables.items():
            if table is None:
                print(f"{name}: no data here; set LANCER_DEBIAN_DATA")
                continue
            print(f"\n{name}, {table.num_rows:,} rows\n{'column':<22} {'file':<5} {'memory':>12} {'Lancer':>12} {'pylance':>12} {'ratio':>7}")
            for column in [*table.column_names, None]:
                part = table if column is None else table.select([column])
                for version in ("2.1", "2.2"):
                    ours, theirs = measure(part, version, scratch)
                    bad = ours > theirs * LIMIT and ours > theirs + 1024
                    too_big += bad
                    print(
                        f"{column or 'all columns':<22} {version:<5} {part.nbytes:>12,} {ours:>12,} {theirs:>12,} "
                        f"{ours / theirs:>7.3f}{'  TOO BIG' if bad else ''}", flush=True,
                    )
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return 1 if too_big else 0


if __name__ == "__main__":
    sys.exit(main())
