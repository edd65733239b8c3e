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


PACKED = 'out += field(key, b"".join(map(number, values[title])))  # packed; enums, too'
CUT = """            layout, buffers = page(type_, values, version)
            places = {"buffer_offsets": [put(buffer) for buffer in buffers], "buffer_sizes": list(map(len, buffers))}
            encoding = direct("/lance.encodings21.PageLayout", layout)
            pages.append(encode("lance.file.v2.ColumnMetadata.Page", length=len(values), encoding=encoding, **places))
"""
# What the text leaves to writers (or says that readers pass over), as changes of the small writer.
LIBERTIES = {
    "the last chunk word has its exact logarithm": [("(0 if is_last else count.bit_length() - 1)", "(count.bit_length() - 1 if len(part) == count else 0)")],
    "any bytes as padding": [("return data + bytes(-len(data) % size)", "return data + os.urandom(-len(data) % size)")],
    "gaps between buffers": [("out = padded(out, 64)", "out = padded(out + os.urandom(100), 64)")],
    "a row index of four bytes": [('f"<{len(starts) + 1}Q"', 'f"<{len(starts) + 1}I"')],
    "control words with bits to spare": [('{"bits_def": 1}', '{"bits_def": 5}')],
    "no counts in full-zip pages": [("num_items=len(data),\n        num_visible_items=len(data), value", "value")],
    "no number of rows in the descriptor": [(", length=rows)\n", ")\n")],
    "a global buffer that nobody knows": [
        ('table + struct.pack("<QQ", at, len(descriptor))', 'table + struct.pack("<QQQQ", at, len(descriptor), 0, 5)'),
        ("first, cmo, gbo, 1,", "first, cmo, gbo, 2,"),
    ],
    "numbers that are not packed": [(PACKED, 'out += b"".join(number(key << 3) + number(each) for each in values[title])')],
    "fields that nobody knows": [("return out\n\n\ndef fields_of", 'return out + field(777, b"new")\n\n\ndef fields_of')],
    "chunks of two values": [("count = 64 ", "count = 2 "), ("max(1 << k for k in range(1, 13) if width << k < 8192)", "2")],
    "one chunk for all numbers": [("max(1 << k for k in range(1, 13) if width << k < 8192)", "(1 << 20) if width == 4 else 16")],
    "nullable layers where nothing is null": [("levels = is_null if any(is_null) else None", "levels = is_null")],
    "nullable layers without levels": [("[NULLABLE if levels else ALL_VALID], **said", "[NULLABLE], **said")],
    "nullable layers without bits for levels": [("encoding, layers=[NULLABLE if levels else ALL_VALID],\n", "encoding, layers=[NULLABLE],\n")],
    "no size of the file": [("file_size_bytes=len(data),", "")],
    "full-zip pages of small values": [("if max(map(len, data)) > 255:", "if True:")],
    "mini-block pages of large values": [("if max(map(len, data)) > 255:", "if False:"), ("count = 64 ", "count = 8 ")],
    "pages that begin at other rows in each column": [
        (CUT, "            cut = 70 + 7 * len(metadata)\n            for values in (values[:cut], values[cut : cut + 1], values[cut + 1 :]):\n" + re.sub("(?m)^", "    ", CUT).rstrip(" ")),
    ],
    "priorities that are wrong": [("length=len(values), encoding", "length=len(values), priority=99, encoding")],
    "history in the schema": [("nullable=1, **", 'nullable=1, type=2, encoding=4, extension_name="x", **')],
    "a host in front of types": [('direct("/lance.encodings21', 'direct("type.googleapis.com/lance.encodings21')],
}  # fmt: skip


@pytest.mark.parametrize("number, name", list(enumerate(LIBERTIES)), ids=[name.replace(" ", "-") for name in LIBERTIES])
def test_everybody_reads_what_the_text_allows(tmp_path, number, name):
    path = SPEC / "writer" / "lance_writer.py"
    text = path.read_text()
    for old, new in LIBERTIES[name]:
        assert old in text, old
        text = text.replace(old, new)
    writer = {"__file__": str(path), "__name__": "writer"}
    exec(compile(text, str(path), "exec"), writer)
    some = (lambda i, value: value) if "nothing" in name or "without" in name else (lambda i, value: None if i % 7 == 3 else value)
    written = {
        "i": ["int32", [some(i, i * i) for i in range(300)]], "s": ["string", [some(i, "x" * (i % 90)) for i in range(300)]],
        "l": ["string", [some(i, "y" * (i % 600)) for i in range(300)]], "v": ["fixed_size_list:float:80", [some(i, [float(i)] * 80) for i in range(300)]],
    }  # fmt: skip
    table = tmp_path / "t.lance"
    writer["create"](table, ("2.1", "2.2")[number % 2], written)
    assert lance.dataset(table).to_table().to_pydict() == {column: values for column, (_, values) in written.items()}
    wanted = [[None if value is None else str(value) for value in written["i"][1]], written["s"][1], written["l"][1]]
    for command in ([BINARY, "conformance"], [sys.executable, READER / "lance_reader.py"]):
        done = subprocess.run([*command, "read", table], capture_output=True, text=True, env=environment())
        assert done.returncode == 0, done.stdout + done.stderr
        assert json.loads(done.stdout)["columns"][:3] == wanted, command


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
