"""Runs the `lancer` binary."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("LANCER_BIN") or ROOT / ".build" / "release" / "lancer")

# Exit statuses of the command.
FINDING, USAGE, CORRUPT, CONFLICT, UNSUPPORTED = 1, 2, 3, 4, 5


class CommandFailed(AssertionError):
    """The command ended with another status than the test asked for."""


def lancer(
    *arguments: object, status: int | None = 0, input: bytes | None = None, timeout: float = 120, memory: int | None = None
) -> subprocess.CompletedProcess:
    """Runs `lancer`, and raises `CommandFailed` when it does not end with `status` (None: whatever it likes), or
    says nothing of what is not supported.

    `memory` limits the address space, in bytes.
    """
    command = [str(BINARY), *map(str, arguments)]
    started = command if memory is None else ["sh", "-c", f'ulimit -v {memory // 1024} 2>/dev/null; exec "$@"', "sh", *command]
    done = subprocess.run(
        started, input=input, stdin=None if input is not None else subprocess.DEVNULL, capture_output=True,
        timeout=timeout, env=environment(), close_fds=False,
    )
    if status is not None and done.returncode != status:
        shown = " ".join(part if len(part) < 200 else part[:200] + "…" for part in command)
        raise CommandFailed(
            f"exit status {done.returncode}, expected {status}\n$ {shown}\n{done.stderr.decode(errors='replace')[-1500:]}"
        )
    if done.returncode == UNSUPPORTED and b"not supported: " not in done.stdout + done.stderr:
        raise CommandFailed(f"does not say that something is not supported: {done.stderr.decode(errors='replace')}")
    return done


def environment() -> dict[str, str]:
    return {**os.environ, "SWIFT_BACKTRACE": "enable=no", "NO_COLOR": "1"}


# A process started from this one inherits its peak memory in the books of Linux, so a small one starts the command.
MEASURE = """
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL).returncode
print(status, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024))
"""


def peak_memory(*arguments: object, timeout: float = 540) -> int:
    """Runs `lancer`, which must succeed, and returns its peak resident memory in bytes."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(BINARY), *map(str, arguments)], capture_output=True, timeout=timeout, env=environment()
    )
    status, peak = done.stdout.decode().split()[-2:]
    if status != "0":
        raise CommandFailed(f"exit status {status}\n{done.stderr.decode(errors='replace')[-1500:]}")
    return int(peak)


def text(*arguments: object, **options) -> str:
    return lancer(*arguments, **options).stdout.decode()


def write_arrow(table: pa.Table, path: Path, batch_rows: int | None = None, stream: bool = False, compression: str | None = None) -> Path:
    new = pa.ipc.new_stream if stream else pa.ipc.new_file
    options = pa.ipc.IpcWriteOptions(compression=compression, unify_dictionaries=not stream)
    with new(str(path), table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=batch_rows)
    return path


def read_arrow(path: Path) -> pa.Table:
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).read_all()


def lance_to_table(dataset: Path, out: Path, *options: object) -> pa.Table:
    """What `lancer convert` makes of a dataset."""
    lancer("convert", dataset, out, *options)
    return read_arrow(out)


def table_to_lance(table: pa.Table, dataset: Path, *options: object, **arrow_options) -> Path:
    """Writes the table with `lancer convert`."""
    source = dataset.with_suffix(".arrows" if arrow_options.get("stream") else ".arrow")
    write_arrow(table, source, **arrow_options)
    lancer("convert", source, dataset, *options)
    source.unlink()
    return dataset
