#!/usr/bin/env python3
"""Runs the conformance suite against an implementation.

    run.py [options] -- COMMAND …

COMMAND speaks the process protocol of ../README.md. Ends with 0 when nothing failed that is not listed as known, 1 when
something did, 2 when the arguments make no sense.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import lancefile
from hashing import digest
from process import ANSWERED, REJECTED, UNSUPPORTED, Answer, Implementation, Limits
from suite import (
    CASES, ROOT, Case, all_cases, compare_results, compare_values, load, place_input, recall, short,
)

CORRUPT = {"truncated", "malformed", "inconsistent"}


@dataclass
class Verdict:
    """`word` is pass, fail, crash, skip, known or stale."""

    case: Case
    word: str
    reason: str = ""


class Failed(Exception):
    """What is wrong with an answer."""


class Crashed(Exception):
    """A call ended in a way the protocol does not know."""


class Skipped(Exception):
    """The implementation says that it cannot do this."""


def answered(answer: Answer) -> object:
    if answer.crash:
        raise Crashed(answer.describe())
    if answer.status != ANSWERED:
        raise Failed(answer.describe())
    return answer.value


class Runner:
    """Runs cases against one implementation; certifiers read what it writes."""

    def __init__(self, implementation: Implementation, certifiers: list[Implementation], scratch: Path):
        self.implementation = implementation
        self.certifiers = certifiers
        self.scratch = scratch

    def run(self, case: Case) -> Verdict:
        missing = self.implementation.lacks(case.body, case.verb)
        if missing:
            return Verdict(case, "skip", f"no {missing}")
        folder = Path(tempfile.mkdtemp(dir=self.scratch))
        try:
            getattr(self, case.kind)(case, folder)
            return Verdict(case, "pass")
        except Failed as failure:
            return Verdict(case, "fail", str(failure))
        except Crashed as crash:
            return Verdict(case, "crash", str(crash))
        except Skipped as skip:
            return Verdict(case, "skip", str(skip))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def question(self, folder: Path, name: str, content: object) -> str:
        path = folder / name
        path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        return str(path)

    def ask_read(self, who: Implementation, path: Path, ask: dict | None, folder: Path) -> Answer:
        arguments = [str(path)] + ([self.question(folder, "ask.json", ask)] if ask else [])
        return who.call("read", *arguments)

    def unchanged(self, path: Path, before: str) -> None:
        if digest(path) != before:
            raise Failed("the input was changed by being read")

    # ------------------------------------------------------------ kinds

    def read(self, case: Case, folder: Path) -> None:
        path = place_input(case, folder)
        before = digest(path)
        value = answered(self.ask_read(self.implementation, path, case.body.get("ask"), folder))
        difference = compare_values(case.load(case.body["expect"]["values"]), value)
        if difference:
            raise Failed(difference)
        self.unchanged(path, before)

    def reject(self, case: Case, folder: Path) -> None:
        path = place_input(case, folder)
        before = digest(path)
        answer = self.ask_read(self.implementation, path, case.body.get("ask"), folder)
        if answer.crash:
            raise Crashed(answer.describe())
        if answer.status == ANSWERED:
            raise Failed(f"accepted; {case.body['title']}")
        classes, got = set(case.body["expect"]["reject"]), answer.error_class
        if answer.status == UNSUPPORTED and got == "unsupported" and "unsupported" not in classes:
            raise Failed("answered with unsupported, which describe does not say")
        if self.implementation.description.get("error_classes") != "coarse":
            if got not in classes and not (got == "corrupt" and classes & CORRUPT):
                raise Failed(f"rejected as {got}, expected {' or '.join(sorted(classes))}: {answer.describe()}")
        self.unchanged(path, before)

    def survive(self, case: Case, folder: Path) -> None:
        path = place_input(case, folder)
        answer = self.ask_read(self.implementation, path, case.body.get("ask"), folder)
        if answer.crash:
            raise Crashed(answer.describe())

    def write(self, case: Case, folder: Path) -> None:
        out = folder / "written.lance"
        values = str(case.folder / case.body["input"])
        answered(self.implementation.call("write", values, str(out), self.question(folder, "write.json", case.body["ask"])))
        version = case.body["ask"]["file_version"]
        if not out.is_dir():
            raise Failed("no table was written")
        for name in sorted((out / "data").glob("*.lance")):
            try:
                stamped = lancefile.read(name).version
            except (lancefile.Broken, IndexError, ValueError) as error:
                raise Failed(f"{name.name}: {error}")
            if stamped != version:
                raise Failed(f"a data file of version {stamped}, {version} was asked")
        self.read_back(out, case.load(case.body["expect"]["values"]), folder, case)

    def read_back(self, path: Path, expected: dict, folder: Path, case: Case, ordered: bool = True) -> None:
        """What was written, read by the certifiers and by the implementation itself."""
        for who in [*self.certifiers, self.implementation]:
            if who.lacks(case.body, "read"):
                continue
            name = who.description.get("implementation")
            answer = self.ask_read(who, path, None, folder)
            if answer.crash or answer.status != ANSWERED:
                raise Failed(f"read back by {name}: {answer.describe()}")
            difference = compare_values(expected, answer.value, ordered)
            if difference:
                raise Failed(f"read back by {name}: {difference}")

    def history(self, case: Case, folder: Path) -> None:
        path = place_input(case, folder)
        before = digest(path)
        got = answered(self.implementation.call("history", str(path)))
        want = case.load(case.body["expect"]["history"])
        for part in ("versions", "tags", "branches"):
            if part == "branches" and "branches" not in self.implementation.supports.get("features", []):
                continue
            left, right = want.get(part, []), got.get(part) if isinstance(got, dict) else None
            if left == right:
                continue
            if isinstance(right, list) and len(right) == len(left):
                left, right = next((a, b) for a, b in zip(left, right) if a != b)
            raise Failed(f"{part}: {short(left, 250)} expected, got {short(right, 250)}")
        for read in case.body["expect"]["reads"]:
            answer = self.ask_read(self.implementation, path, read["ask"], folder)
            if "reject" in read:
                if answer.crash:
                    raise Crashed(answer.describe())
                if answer.status == ANSWERED:
                    raise Failed(f"{short(read['ask'])}: accepted")
                continue
            difference = compare_values(case.load(read["values"]), answered(answer))
            if difference:
                raise Failed(f"{short(read['ask'])}: {difference}")
        self.unchanged(path, before)

    def conflict(self, case: Case, folder: Path) -> None:
        path = place_input(case, folder)
        got = answered(self.implementation.call("commit", str(path), self.question(folder, "operation.json", case.body["ask"])))
        outcomes = case.body["expect"]["outcomes"]
        if not isinstance(got, dict) or ("committed" in got) == ("conflict" in got):
            raise Failed(f"an answer of neither form: {short(got)}")
        if "committed" in got:
            if type(got["committed"]) is not int or got["committed"] < 1:
                raise Failed(f"committed: {short(got['committed'])} is not a version")
            chosen = [outcome for outcome in outcomes if outcome.get("committed")]
        else:
            chosen = [outcome for outcome in outcomes if outcome.get("conflict") == got["conflict"]]
        if not chosen:
            raise Failed(f"{short(got)}, expected one of {short(outcomes, 200)}")
        self.read_back(path, case.load(chosen[0]["values"]), folder, case, ordered=False)

    def search(self, case: Case, folder: Path) -> None:
        path = place_input(case, folder)
        before = digest(path)
        queries = str(case.folder / case.body["ask"]["queries"])
        got = answered(self.implementation.call("search", str(path), queries))
        expect = case.body["expect"]
        difference = compare_results(case.load(expect["results"])["results"], got, expect["tolerance"])
        if difference:
            raise Failed(difference)
        self.unchanged(path, before)

    def build(self, case: Case, folder: Path) -> None:
        path = place_input(case, folder)
        answered(self.implementation.call("build", str(path), self.question(folder, "index.json", case.body["ask"]["index"])))
        if not any((path / "_indices").glob("*/*")):
            raise Failed("no index was written")
        queries, expect = str(case.folder / case.body["ask"]["queries"]), case.body["expect"]
        truth = case.load(expect["truth"])["ids"]
        for who in [self.implementation, *self.certifiers]:
            if who.lacks(case.body, "search"):
                continue
            got = answered(who.call("search", str(path), queries))
            reached = recall(truth, got)
            if isinstance(reached, str):
                raise Failed(reached)
            if reached < float(expect["recall"]):
                name = who.description.get("implementation")
                raise Failed(f"recall {reached:.3f} of a search by {name}, at least {expect['recall']} expected")


# ---------------------------------------------------------------- the run


def judge(verdicts: list[Verdict], known: dict[str, str]) -> list[Verdict]:
    """Known failures and stale entries."""
    result = []
    for verdict in verdicts:
        reason = known.get(verdict.case.id)
        if reason is not None and verdict.word in ("fail", "crash"):
            verdict = Verdict(verdict.case, "known", f"{reason} ({verdict.reason})")
        elif reason is not None:
            verdict = Verdict(verdict.case, "stale", f"listed as known but {verdict.word}: {reason}")
        result.append(verdict)
    return result


def run_all(runner: Runner, cases: list[Case], workers: int, progress=None) -> list[Verdict]:
    with ThreadPoolExecutor(workers) as pool:
        verdicts = []
        for verdict in pool.map(runner.run, cases):
            verdicts.append(verdict)
            if progress:
                progress(verdict)
    return verdicts


def load_known(path: str | None) -> dict[str, str]:
    if path is None:
        return {}
    body = load(Path(path))
    known = {}
    for entry in body["known"]:
        if not entry.get("reason", "").strip():
            raise SystemExit(f"{path}: {entry['case']} has no reason")
        known[entry["case"]] = entry["reason"]
    return known


def scratch_parent() -> str | None:
    shared = Path("/dev/shm")
    return str(shared) if shared.is_dir() and shutil.disk_usage(shared).free > 1 << 30 else None


def main(argv: list[str]) -> int:
    own, command = (argv[: argv.index("--")], argv[argv.index("--") + 1 :]) if "--" in argv else (argv, [])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-k", action="append", default=[], metavar="PART", help="only cases whose id contains PART; may be repeated")
    parser.add_argument("--kind", action="append", default=[], help="only cases of this kind; may be repeated")
    parser.add_argument("--known", metavar="FILE", help="known failures")
    parser.add_argument("--certifier", action="append", default=[], metavar="COMMAND", help="reads what the implementation writes; may be repeated")
    parser.add_argument("--show", metavar="CASE", help="print a case, its question, the expected and the actual answer")
    parser.add_argument("--report", metavar="FILE", help="write the verdicts as JSON")
    parser.add_argument("-j", type=int, default=4, metavar="N", help="processes at once (default 4)")
    parser.add_argument("--seconds", type=float, default=10.0, help="of a call (default 10)")
    parser.add_argument("--megabytes", type=int, default=512, help="of a call (default 512)")
    parser.add_argument("-q", action="store_true", help="only the last line")
    options = parser.parse_args(own)
    if not command:
        parser.error("name the implementation after --")
    limits = Limits(options.seconds, options.megabytes)
    implementation = Implementation(command, limits)
    description = implementation.describe()
    certifiers = [Implementation(shlex.split(text), Limits(60, 4096)) for text in options.certifier]
    for certifier in certifiers:
        certifier.describe()
    cases = [
        case for case in all_cases()
        if (not options.k or any(part in case.id for part in options.k)) and (not options.kind or case.kind in options.kind)
    ]
    if options.show:
        return show(options.show, implementation)
    if not cases:
        parser.error("no case matches")
    known = load_known(options.known)
    ids = {case.id for case in all_cases()}
    unknown = [name for name in known if name not in ids]
    if unknown:
        parser.error(f"{options.known} lists {unknown[0]}, which is not a case")
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="conformance-", dir=scratch_parent()) as scratch:
        runner = Runner(implementation, certifiers, Path(scratch))
        verdicts = judge(run_all(runner, cases, options.j), known)
    counts = Counter(verdict.word for verdict in verdicts)
    if not options.q:
        for verdict in verdicts:
            if verdict.word not in ("pass", "skip"):
                print(f"{verdict.word:5} {verdict.case.id}\n      {verdict.reason}")
    if options.report:
        report = {
            "suite": (ROOT / "VERSION").read_text().strip(), "implementation": description["implementation"],
            "version": description["version"],
            "verdicts": [
                {"case": v.case.id, "verdict": v.word, **({"reason": v.reason} if v.reason else {})} for v in verdicts
            ],
        }
        Path(options.report).write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    words = ", ".join(f"{counts[word]} {word}" for word in ("pass", "fail", "crash", "skip", "known", "stale"))
    print(f"conformance of {description['implementation']} {description['version']}: {words}; {time.monotonic() - begin:.1f} s")
    return 1 if counts["fail"] or counts["crash"] or counts["stale"] else 0


def show(case_id: str, implementation: Implementation) -> int:
    case = Case(case_id, CASES / case_id, load(CASES / case_id / "case.json"))
    print(json.dumps(case.body, ensure_ascii=False, indent=1))
    with tempfile.TemporaryDirectory(prefix="conformance-") as scratch:
        runner = Runner(implementation, [], Path(scratch))
        if case.verb == "read":
            answer = runner.ask_read(implementation, place_input(case, Path(scratch)), case.body.get("ask"), Path(scratch))
            print(answer.describe())
            print(json.dumps(answer.value, ensure_ascii=False)[:20000])
        verdict = runner.run(case)
    print(verdict.word, verdict.reason)
    return 0 if verdict.word in ("pass", "skip") else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
