"""The specification: its examples, worked bytes and links are right, its reader reads, and what the sources cite exists."""

from __future__ import annotations

import json
import random
import re
import struct
import subprocess
import sys
from pathlib import Path

import lance
import pyarrow as pa
import pytest

from lancer_cli import BINARY, environment

ROOT = Path(__file__).resolve().parents[2]
SPEC = ROOT / "spec"
READER = SPEC / "reader"


def test_examples_worked_bytes_and_links_of_the_chapters_are_right():
    done = subprocess.run([sys.executable, SPEC / "examples" / "annotate.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def headings(chapter: Path) -> set[str]:
    inside_code, found = False, set()
    for line in chapter.read_text().splitlines():
        inside_code ^= line.startswith("```")
        if not inside_code and line.startswith("#"):
            found.add(line.lstrip("#").strip())
    return found


# `Spec: 03-mini-block.md, "Chunk words"`, also several: `…; 02-levels.md, "Layers"`.
CITATION = re.compile(r'([\w-]+\.md), "([^"]+)"(?:,? and "([^"]+)")?')


def cited() -> list[tuple[str, str, str]]:
    """File and line, chapter, heading of each citation in sources, tests and messages."""
    result = []
    for path in sources():
        # A citation may go on in the next comment line.
        text = re.sub(r"\n\s*(?:///?|#|\*) ?", " ", path.read_text())
        for chapter, *names in CITATION.findall(text):
            result += [(str(path.relative_to(ROOT)), chapter, name) for name in names if name]
    return result


def sources() -> list[Path]:
    """Everything that may cite: Swift, C, Python, messages, scripts."""
    suffixes = (".swift", ".c", ".h", ".py", ".proto", ".sh", "")
    folders = [ROOT / name for name in ("Sources", "Tests", "conformance", "spec", "bench", "scripts", "examples")]
    found = [path for folder in folders for path in folder.rglob("*") if path.suffix in suffixes and path.is_file()]
    ignored = (".build", "__pycache__", "cases", "files", "Vectors")
    return sorted(path for path in found if not set(ignored) & set(path.relative_to(ROOT).parts))


def test_every_cited_chapter_and_heading_exists():
    known = {path.name: headings(path) for path in SPEC.glob("*.md")}
    citations = cited()
    assert len(citations) > 60
    wrong = [c for c in citations if c[1] not in known or c[2] not in known[c[1]]]
    assert not wrong, wrong


def test_every_chapter_that_is_named_exists():
    known = {path.name for path in SPEC.glob("*.md")}
    for path in sources():
        for chapter in re.findall(r"\b[0-9]{2}-[a-z][a-z-]*\.md\b", path.read_text(errors="replace")):
            assert chapter in known, f"{path.relative_to(ROOT)} names {chapter}"


# Sources about other people's formats cite those.
OTHER_FORMATS = ("LancerArrow", "CArrowData", "LancerParquet", "LancerInterchange")
OTHER_SPECIFICATIONS = ("google/snappy", "protocol buffers", "RFC ", "https://")


def test_citations_of_the_sources_name_a_chapter_and_a_heading():
    loose = []
    for path in sorted((ROOT / "Sources").rglob("*.swift")):
        if path.relative_to(ROOT / "Sources").parts[0] in OTHER_FORMATS:
            continue
        for text in re.findall(r"\bSpec: (.*)", path.read_text()):
            if not CITATION.match(text) and not text.startswith(OTHER_SPECIFICATIONS):
                loose.append(f"{path.relative_to(ROOT)}: {text}")
    assert not loose, loose


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


def test_the_writer_is_short_and_uses_only_the_standard_library():
    lines = (SPEC / "writer" / "lance_writer.py").read_text().splitlines()
    assert sum(1 for line in lines if line.strip()) <= 300
    own = {"messages", "tables"}
    for module in re.findall(r"^\s*(?:import|from) (\w+)", "\n".join(lines), flags=re.M):
        assert module in own or module in sys.stdlib_module_names, module


def columns(r: random.Random, rows: int, longest: int, dimension: int, nulls: bool) -> dict:
    """Columns for the writer: type and values."""

    def some(values: list) -> list:
        return [None if nulls and r.random() < 0.2 else value for value in values]

    numbers = [struct.unpack("<f", struct.pack("<f", r.uniform(-9, 9)))[0] for _ in range(7)]
    return {
        "i": ["int64", some([r.randrange(-(1 << 63), 1 << 63) for _ in range(rows)])],
        "s": ["string", some(["é" * r.randrange(longest) for _ in range(rows)])],
        "v": [f"fixed_size_list:float:{dimension}", some([r.choices(numbers, k=dimension) for _ in range(rows)])],
        "n": ["int32", [None] * rows],
    }


@pytest.mark.parametrize("nulls", [True, False], ids=["nulls", "no-nulls"])
@pytest.mark.parametrize("version", ["2.1", "2.2"])
def test_others_read_the_tables_of_the_writer_of_the_specification(tmp_path, version, nulls):
    """The text is enough to write by: create, append, delete, and then others go on with the table."""
    path, listed, expected = tmp_path / "t.lance", tmp_path / "columns.json", []
    seed = random.randrange(1 << 32)
    print("seed", seed)
    r = random.Random(seed)

    def run(verb: str, *arguments: object) -> None:
        command = [sys.executable, SPEC / "writer" / "lance_writer.py", verb, path, *map(str, arguments)]
        subprocess.run(command, check=True)

    def write(verb: str, *arguments: object, **shape) -> None:
        written = columns(r, nulls=nulls, **shape)
        listed.write_text(json.dumps(written))
        run(verb, *arguments, listed)
        expected.extend(dict(zip(written, row)) for row in zip(*(values for _, values in written.values())))

    def delete(count: int) -> None:
        gone = set(r.sample(range(len(expected)), count))
        run("delete", *sorted(gone))
        expected[:] = [row for number, row in enumerate(expected) if number not in gone]

    dimension = r.choice([1, 3, 63, 64, 100])
    write("create", version, rows=3000, longest=127, dimension=dimension)
    write("append", rows=40, longest=1500, dimension=dimension)
    delete(700)
    write("append", rows=1, longest=10, dimension=dimension)
    delete(3)
    dataset = lance.dataset(path)
    dataset.validate()
    assert dataset.version == 5
    assert dataset.to_table().to_pylist() == expected
    assert [lance.dataset(path, version=number).count_rows() for number in (1, 2, 3, 4, 5)] == [3000, 3040, 2340, 2341, 2338]
    verified = subprocess.run([BINARY, "verify", path], capture_output=True, text=True, env=environment())
    assert verified.returncode == 0, verified.stdout + verified.stderr
    read = subprocess.run([BINARY, "conformance", "read", path], capture_output=True, text=True, env=environment())
    answer = json.loads(read.stdout)
    assert answer["columns"][0] == [None if row["i"] is None else str(row["i"]) for row in expected]
    assert answer["columns"][1] == [row["s"] for row in expected]
    bits = [row["v"] and [struct.pack(">f", value).hex() for value in row["v"]] for row in expected]
    assert answer["columns"][2] == bits
    assert answer["columns"][3] == [None] * len(expected)
    # The reference goes on with the table, and then the writer again.
    lance.write_dataset(dataset.to_table().slice(0, 5), path, mode="append")
    lance.dataset(path).optimize.compact_files()
    expected += expected[:5]
    delete(2)
    assert lance.dataset(path).to_table().to_pylist() == expected


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


def test_the_reader_of_the_specification_passes_the_conformance_cases():
    run = ROOT / "conformance" / "runner" / "run.py"
    kinds = [word for kind in ("read", "history", "reject", "survive") for word in ("--kind", kind)]
    command = [sys.executable, run, *kinds, "-j", "2", "--", sys.executable, READER / "lance_reader.py"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    counts = {word: int(count) for count, word in re.findall(r"(\d+) (pass|fail|crash|skip)", done.stdout)}
    assert counts["pass"] > 400 and counts["skip"] == 0, done.stdout[-400:]


# What a cell of the table in the text may say for a rule of the code, notes left out.
CELLS = {
    "fine": {"ok"}, "retry": {"A"}, "never": {"X"}, "fragments": {"F"}, "rows": {"merge"}, "nullability": {"ok"},
    "keys": {"ok", "merge"}, "coverage": {"A"}, "index": {"ok", "A"}, "replacedSchema": {"ok"}, "metadata": {"A"},
    "noMetadata": {"X"}, "sameKey": {"X"}, "tightening": {"ok"},
}  # fmt: skip


def test_the_conflict_matrix_of_the_text_is_that_of_the_code():
    code = (ROOT / "Sources/LancerTable/Commit/ConflictMatrix.swift").read_text()
    columns = re.findall(r"\.(\w+)", re.search(r"columns: \[ChangeKind\] = \[(.*?)\]", code, re.S)[1])
    body = code[code.index("rows: [ChangeKind: [Rule]]") :]
    rules = {row: re.findall(r"\.(\w+)", cells) for row, cells in re.findall(r"\.(\w+): \[(.*?)\]", body, re.S)}
    text = (SPEC / "11-commits.md").read_text()
    lines = [line.strip("|").split("|") for line in text[text.index("| ours \\ theirs") :].split("\n\n")[0].splitlines()]
    names = [name.strip().lower().removesuffix("fragments") for name in lines[0][1:]]
    compared = 0
    for row, *cells in lines[2:]:
        kind = next((kind for kind in rules if kind.lower() == row.strip().lower()), None)
        if kind is None:
            assert row.strip() == "DataReplacement", row  # which Lancer does not commit
            continue
        for name, cell in zip(names, cells):
            column = next(i for i, column in enumerate(columns) if column.lower().removesuffix("fragments") == name)
            rule = rules[kind][column]
            assert re.sub(r"[⁰¹²³⁴⁵⁶⁷⁸⁹]", "", cell).strip() in CELLS[rule], (kind, name, cell, rule)
            compared += 1
    assert compared == len(rules) * len(names)
