"""The conformance suite: Lancer passes it, and the suite notices faults, in implementations and in itself."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lancer_cli import BINARY, environment

ROOT = Path(__file__).resolve().parents[2]
SUITE = ROOT / "conformance"
READER = f"{sys.executable} {ROOT / 'spec' / 'reader' / 'lance_reader.py'}"
PYLANCE = f"{sys.executable} {SUITE / 'runner' / 'pylance_adapter.py'}"


def python(script: Path, *arguments: object) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, script, *map(str, arguments)], capture_output=True, text=True, env=environment())


def run(*arguments: object) -> subprocess.CompletedProcess:
    return python(SUITE / "runner" / "run.py", "-j", 2, "--known", SUITE / "results" / "lancer.json", *arguments, "--", BINARY, "conformance")


@pytest.mark.parametrize("kinds", [("read", "reject", "survive", "history", "search", "build"), ("write", "conflict")], ids=lambda kinds: kinds[0])
def test_lancer_passes_every_case_or_the_failure_is_listed(kinds, scratch):
    """What is written is read back by the reader of the specification."""
    report = scratch / "report.json"
    done = run("--report", report, "--certifier", READER, *(part for kind in kinds for part in ("--kind", kind)))
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    verdicts = json.loads(report.read_text())["verdicts"]
    assert {verdict["verdict"] for verdict in verdicts} <= {"pass", "known"}
    assert len(verdicts) > (600 if "read" in kinds else 200)


def test_what_lancer_writes_is_read_by_the_reference():
    done = run("--certifier", PYLANCE, "--kind", "write")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_the_suite_is_whole():
    done = python(SUITE / "runner" / "lint.py")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_the_runner_gives_every_wrong_stub_its_verdict():
    done = python(SUITE / "runner" / "selftest.py", "-j", 2)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_a_listed_failure_that_passes_is_stale(scratch):
    listed = scratch / "known.json"
    listed.write_text(json.dumps({"known": [{"case": "file/read/2.2/type/int32", "reason": "not true any more"}]}))
    done = python(SUITE / "runner" / "run.py", "-k", "type/int32", "--known", listed, "--", BINARY, "conformance")
    assert done.returncode == 1
    assert "stale file/read/2.2/type/int32" in done.stdout


def test_the_recipes_make_the_committed_files_again():
    done = python(SUITE / "recipes" / "regenerate.py", "--check")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """The suite and the specification, to be damaged."""
    folder = tmp_path_factory.mktemp("suite")
    shutil.copytree(SUITE, folder / "conformance", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "spec", folder / "spec", ignore=shutil.ignore_patterns("__pycache__"))
    return folder / "conformance"


def edit(path: Path, change) -> None:
    body = json.loads(path.read_text())
    change(body)
    path.write_text(json.dumps(body))


def test_lint_finds_what_is_wrong_with_the_suite(copy):
    """All faults at once, each named with its case."""
    seed = random.randrange(1 << 32)
    print("seed", seed)
    r = random.Random(seed)
    wanted = []
    vectors = sorted(path for path in copy.glob("cases/**/*") if path.is_file() and path.suffix in (".lance", ".manifest", ".idx", ".txn", ".arrow", ".bin", ".blob"))
    for path in r.sample(vectors, 12):
        data = bytearray(path.read_bytes())
        data[r.randrange(len(data))] ^= 1 << r.randrange(8)
        path.write_bytes(data)
        wanted.append(f"{path.name} has changed")
    edit(copy / "cases/file/read/2.2/type/utf8/case.json", lambda body: body.update(spec=[]))
    wanted.append("file/read/2.2/type/utf8: cites nothing")
    edit(copy / "cases/file/read/2.2/type/binary/case.json", lambda body: body["spec"].append({"file": "01-file-container.md", "heading": "No such heading"}))
    wanted.append('file/read/2.2/type/binary: cites "No such heading"')
    (copy / "cases/file/read/2.1/type/bool/note.txt").write_text("nobody uses this")
    wanted.append("file/read/2.1/type/bool: note.txt is used by nothing")
    (copy / "cases/file/read/2.1/type/int8/expected.json").unlink()
    wanted.append("file/read/2.1/type/int8: expected.json does not exist")
    for path in (copy / "certificates").glob("*.json"):
        edit(path, lambda body: body.update(cases=[entry for entry in body["cases"] if entry["case"] != "file/read/2.1/type/int16"]))
    wanted.append("file/read/2.1/type/int16: no certificate")
    (copy / "schema/report.json").write_text((copy / "schema/report.json").read_text() + " ")
    wanted.append("schema: report.json has changed")
    edit(copy / "cases/file/read/2.1/type/uint8/case.json", lambda body: body.update(since="99.0.0"))
    wanted.append("file/read/2.1/type/uint8: is of a later version of the suite")
    edit(copy / "certificates/spec-reader-1.json", lambda body: body["cases"][0].update(hash="0" * 64))
    wanted.append("is not what was certified")
    edit(copy / "results/lancer.json", lambda body: body.update(known=[{"case": "file/read/none", "reason": "gone"}]))
    wanted.append("lancer.json: file/read/none is not a case")
    shutil.rmtree(copy / "cases/file/read/2.1/type/int32")
    wanted.append("file/read/2.1/type/int32: is in the manifest and not on disk")
    shutil.copytree(copy / "cases/file/read/2.1/type/int64", copy / "cases/file/read/2.1/type/int65")
    wanted.append("file/read/2.1/type/int65: is not in the manifest")
    done = python(copy / "runner" / "lint.py")
    assert done.returncode == 1
    missing = [text for text in wanted if text not in done.stdout]
    assert not missing, done.stdout
    (copy / "cases/file/read/2.1/type/uint16/expected.json").write_text("{")
    done = python(copy / "runner" / "lint.py")
    assert done.returncode == 1
    assert "cases/file/read/2.1/type/uint16/expected.json: is not JSON" in done.stdout
