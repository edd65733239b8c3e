"""Races against other formats: Parquet through pyarrow, and Vortex."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet

from compare import assert_tables_equal
from racing import Report, Worker, bursts, timed


def take_from_row_groups(file: pa.parquet.ParquetFile, starts: np.ndarray, rows: np.ndarray, columns) -> pa.Table:
    """Rows by number: the row groups that hold them, and the rows out of these."""
    groups = np.searchsorted(starts, rows, side="right") - 1
    wanted = np.unique(groups)
    table = file.read_row_groups(wanted.tolist(), columns=columns)
    lengths = np.diff(starts)[wanted]
    begins = np.concatenate([[0], np.cumsum(lengths)])[:-1]
    return table.take(begins[np.searchsorted(wanted, groups)] + rows - starts[groups])


def race_parquet_takes(report: Report, worker: Worker, table: pa.Table, ours: Path, scratch: Path, takes: dict) -> None:
    """Takes of 1 and 100 rows: row groups as pyarrow makes them, and of 1,000 rows for the sake of takes."""
    tasks = [f"take {count} {name}, Parquet {how}" for count in (1, 100) for name in takes for how in ("default", "tuned")]
    if not report.wanted(*tasks):
        return
    for how, options in (("default", {}), ("tuned", {"row_group_size": 1000, "write_page_index": True})):
        path = scratch / f"{how}.parquet"
        pa.parquet.write_table(table, path, **options)
        # Kept open, as our table is.
        file = pa.parquet.ParquetFile(path, memory_map=True, pre_buffer=False)
        counts = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
        starts = np.concatenate([[0], np.cumsum(counts)])
        rng = np.random.default_rng(17)
        sample = rng.integers(0, table.num_rows, 50)
        assert_tables_equal(
            # Parquet names the items of lists its own way.
            take_from_row_groups(file, starts, sample, table.column_names).cast(table.schema), table.take(sample),
            table_metadata=False,
        )
        for name, columns in takes.items():
            for count in (1, 100):
                def pick() -> list[int]:
                    return rng.integers(0, table.num_rows, count).tolist()

                report.race(
                    f"take {count} {name}, Parquet {how}",
                    *bursts(
                        worker, ours, columns, pick,
                        lambda rows: take_from_row_groups(file, starts, np.asarray(rows), columns), 3,
                    ),
                    repeat=2, peer=f"Parquet, {how}",
                )
        path.unlink()


def race_vortex(report: Report, worker: Worker, table: pa.Table, ours: Path, scratch: Path, scans: dict, takes: dict) -> None:
    """Scans and takes of a Vortex file with the same rows."""
    tasks = [f"scan {name}, Vortex" for name in scans] + [f"take {count} {name}, Vortex" for name in takes for count in (1, 100)]
    if not report.wanted(*tasks):
        return
    try:
        import vortex
    except ImportError:
        print("Vortex is not installed (bench/requirements.txt): left out")
        return
    path = scratch / "table.vortex"
    vortex.io.write(vortex.array(table.combine_chunks()), str(path))
    file = vortex.open(str(path))
    rng = np.random.default_rng(19)

    def scan(columns) -> int:
        return sum(batch.num_rows for batch in file.to_arrow(projection=columns))

    def take(rows, columns) -> pa.Table:
        indices = vortex.array(pa.array(sorted(set(rows)), pa.uint64()))
        return file.scan(projection=columns, indices=indices).read_all().to_arrow_table()

    rows = sorted(set(rng.integers(0, table.num_rows, 50).tolist()))
    assert_tables_equal(take(rows, None).cast(table.schema), table.take(rows), table_metadata=False)
    for name, columns in scans.items():
        if not report.wanted(f"scan {name}, Vortex"):
            continue
        source = table.select(columns) if columns else table
        # Vortex gives text and lists as views.
        assert_tables_equal(pa.Table.from_batches(file.to_arrow(projection=columns)).cast(source.schema), source, table_metadata=False)
        report.race(
            f"scan {name}, Vortex", lambda: worker("scan", ours, columns=columns)["seconds"],
            lambda: timed(lambda: scan(columns)), peer="Vortex",
        )
    for name, columns in takes.items():
        for count in (1, 100):
            def pick() -> list[int]:
                return sorted(set(rng.integers(0, table.num_rows, count).tolist()))

            report.race(
                f"take {count} {name}, Vortex", *bursts(worker, ours, columns, pick, lambda rows: take(rows, columns)),
                repeat=5, peer="Vortex",
            )
    path.unlink()
