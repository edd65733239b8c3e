"""The specification: its examples, worked bytes and links are right, and its reader reads."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import lance
import pyarrow as pa
import pytest

ROOT = Path(__file__).resolve().parents[2]
SPEC = ROOT / "spec"
READER = SPEC / "reader"


def test_examples_worked_bytes_and_links_of_the_chapters_are_right():
    done = subprocess.run([sys.executable, SPEC / "examples" / "annotate.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_reader_is_short_and_uses_only_the_standard_library():
    files = sorted(READER.glob("*.py"))
    lines = {path.name: path.read_text().splitlines() for path in files}
    assert sum(1 for text in lines.values() for line in text if line.strip()) < 1000
    # Without what speaks the conformance suite's protocol: blank lines counted, too.
    assert sum(len(text) for name, text in lines.items() if name != "lance_reader.py") < 1000
    own = {path.stem for path in files}
    for path in files:
        for module in re.findall(r"^\s*(?:import|from) (\w+)", path.read_text(), flags=re.M):
            assert module in own or module in sys.stdlib_module_names, f"{path.name} imports {module}"


def test_the_headings_of_chapters_are_unique():
    for path in SPEC.glob("[0-9]*.md"):
        names = re.findall(r"^## (.*)$", re.sub(r"```.*?```", "", path.read_text(), flags=re.S), flags=re.M)
        assert len(names) == len(set(names)), path.name


@pytest.mark.parametrize("version", ["2.1", "2.2"])
def test_the_reader_of_the_specification_reads_the_history_of_a_table(tmp_path, version):
    path = tmp_path / "t.lance"
    table = pa.table({"i": pa.array(range(3000), pa.int32()), "s": [f"row {i % 7}" if i % 5 else None for i in range(3000)]})
    lance.write_dataset(table, path, data_storage_version=version, max_rows_per_file=1200)
    lance.dataset(path).delete("i % 3 = 1 and i < 2000")
    lance.dataset(path).update({"i": "i + 10000"}, where="i < 30")
    lance.dataset(path).add_columns({"d": "i * 2"})
    lance.dataset(path).optimize.compact_files()
    for number in range(1, lance.dataset(path).version + 1):
        expected = lance.dataset(path, version=number).to_table()
        ask = tmp_path / "ask.json"
        ask.write_text(f'{{"version": {number}}}')
        command = [sys.executable, READER / "lance_reader.py", "read", path, ask]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        answer = json.loads(done.stdout)
        columns = [[None if v is None else str(v) for v in column.to_pylist()] for column in expected.columns]
        assert answer["columns"] == columns, number
