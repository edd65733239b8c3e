#!/usr/bin/env python3
"""Proves that the runner catches faults: every wrong stub must get the predicted verdict, case by case.

    selftest.py [-j N]

Takes a sample of the cases; what is predicted for a case comes from its expected answer alone.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from process import Implementation, Limits
from run import Runner, judge, run_all, scratch_parent
from hashing import sha256
from stubs import VALUE_MODES, canonical, each_value, key
from suite import Case, all_cases, place_input

HERE = Path(__file__).resolve().parent
# Cases that each mode must meet, so that a sample cannot be blind to it.
WANTED = {
    "read": ("file/read/2.2/type/float64", "file/read/2.1/type/list-int32", "file/read/2.2/edge/rows-0", "file/read/2.2/schema/metadata", "file/read/2.2/part/take-none",
             "file/read/2.1/type/float32", "file/read/2.2/type/struct-nested", "file/read/2.2/type/bool", "file/read/2.2/type/int8"),
}
SAMPLE = {"read": 4, "reject": 6, "survive": 2, "write": 1, "history": 3, "conflict": 7, "search": 2, "build": 1}


def has_digest(value) -> bool:
    if isinstance(value, dict):
        return "sha256" in value or any(map(has_digest, value.values()))
    return isinstance(value, list) and any(map(has_digest, value))


def usable(case: Case) -> bool:
    """Whether a stub can give the whole answer."""
    expect = case.body["expect"]
    if case.kind == "write":
        return expect["values"] == case.body["input"]
    names = [expect.get("values"), *(read.get("values") for read in expect.get("reads", [])), *(each["values"] for each in expect.get("outcomes", []))]
    return not any(has_digest(case.load(name)) for name in names if name)


def sample() -> list[Case]:
    chosen: list[Case] = []
    for kind, count in SAMPLE.items():
        cases = [case for case in all_cases() if case.kind == kind]
        wanted = [case for case in cases if case.id in WANTED.get(kind, ())]
        if len(wanted) != len(WANTED.get(kind, ())):
            raise SystemExit(f"selftest: a case of {WANTED[kind]} is gone")
        step = max(1, len(cases) // count)
        spread = [case for case in cases[step // 2 :: step] if case not in wanted]
        chosen += [case for case in wanted + spread if usable(case)]
    return chosen


def index_of(cases: list[Case], scratch: Path) -> dict:
    index: dict = {"features": sorted({word for case in cases for word in case.body["requires"]["words"] if ":" not in word or word.startswith("index:")})}
    for number, case in enumerate(cases):
        folder = scratch / str(number)
        folder.mkdir()
        expect = case.body["expect"]
        if case.kind in ("write",):
            continue
        path = place_input(case, folder)
        if case.kind == "read":
            index[key("read", path, case.body.get("ask", {}))] = case.load(expect["values"])
        elif case.kind in ("reject", "survive"):
            word = expect["reject"][0] if case.kind == "reject" else "corrupt"
            index[key("read", path, case.body.get("ask", {}))] = {"error": {"class": word, "message": "as expected"}}
        elif case.kind == "history":
            index[key("history", path, {})] = case.load(expect["history"])
            for read in expect["reads"]:
                answer = {"error": {"class": "not-found", "message": "as expected"}} if "reject" in read else case.load(read["values"])
                index[key("read", path, read["ask"])] = answer
        elif case.kind == "conflict":
            outcome = expect["outcomes"][0]
            answer = {"committed": 99} if "committed" in outcome else {"conflict": outcome["conflict"]}
            index[key("commit", path, case.body["ask"])] = {"answer": answer, "values": case.load(outcome["values"])}
        elif case.kind == "search":
            results = [{"ids": each["ids"], "distances": each["distances"]} for each in case.load(expect["results"])["results"]]
            index[key("search", path, case.load(case.body["ask"]["queries"]))] = {"results": results}
        elif case.kind == "build":
            results = [{"ids": ids, "distances": ["00000000"] * len(ids)} for ids in case.load(expect["truth"])["ids"]]
            index[sha256("build\n" + canonical(case.load(case.body["ask"]["queries"])))] = {"results": results}
    return index


# ---------------------------------------------------------------- predictions


def answers(case: Case) -> list[dict]:
    """All values that the stub gives when the case is run."""
    expect = case.body["expect"]
    if case.kind in ("read", "write"):
        return [case.load(expect["values"])]
    if case.kind == "history":
        return [case.load(read["values"]) for read in expect["reads"] if "values" in read]
    if case.kind == "conflict":
        return [case.load(expect["outcomes"][0]["values"])]
    return []


def changed_by(mode: str, values: dict, ordered: bool) -> bool:
    fields, rows = values["schema"]["fields"], values["rows"]
    if mode in VALUE_MODES:
        return each_value(values["columns"], VALUE_MODES[mode])
    if mode == "drops-last-row":
        return rows > 0
    if mode == "swaps-rows":
        return ordered and any(column[0] != column[-1] for column in values["columns"] if rows > 1)
    if mode == "forgets-metadata":
        return "metadata" in values["schema"] or any("metadata" in field for field in fields)
    if mode == "all-nullable":
        return any(not field["nullable"] for field in fields)
    return mode == "no-schema"


def predicted(mode: str, case: Case) -> str:
    kind, expect = case.kind, case.body["expect"]
    if mode == "perfect":
        return "pass"
    if mode == "supports-nothing":
        return "skip"
    if mode in ("hangs", "crashes", "eats-memory", "exits-1", "no-json"):
        # What was committed or written counts as failed when it cannot be read, but here the first call dies already.
        return "crash"
    if mode == "rejects-all":
        if kind == "survive" or (kind == "reject" and {"truncated", "malformed", "inconsistent"} & set(expect["reject"])):
            return "pass"
        return "fail"
    if mode == "rejects-as-not-found":
        return "fail" if kind == "reject" and "not-found" not in expect["reject"] else "pass"
    if mode == "unsupported-all":
        return "pass" if kind == "survive" or (kind == "reject" and "unsupported" in expect["reject"]) else "fail"
    if mode == "accepts-all":
        rejected = kind == "reject" or (kind == "history" and any("reject" in read for read in expect["reads"]))
        return "fail" if rejected else "pass"
    if mode == "touches-input":
        # Rejected inputs are looked at afterwards, too; survivors are not.
        return "fail" if kind in ("read", "reject", "history") else "pass"
    if mode == "forgets-a-version":
        return "fail" if kind == "history" else "pass"
    if mode == "counts-deleted-rows":
        deleted = kind == "history" and any(f["deleted_rows"] for v in case.load(expect["history"])["versions"] for f in v["fragments"])
        return "fail" if deleted else "pass"
    if mode in ("commits-always", "conflicts-always"):
        if kind != "conflict":
            return "pass"
        if mode == "conflicts-always":
            return "pass" if expect["outcomes"][0].get("conflict") == "incompatible" else "fail"
        return "pass" if "committed" in expect["outcomes"][0] else "fail"
    if mode in ("reverses-results", "wrong-distances", "finds-little"):
        if kind == "search":
            return "fail"
        return "fail" if kind == "build" and mode == "finds-little" else "pass"
    return "fail" if any(changed_by(mode, values, kind != "conflict") for values in answers(case)) else "pass"


MODES = [
    "perfect", "supports-nothing", *VALUE_MODES, "drops-last-row", "swaps-rows", "forgets-metadata", "all-nullable", "no-schema", "rejects-all",
    "rejects-as-not-found", "unsupported-all", "accepts-all", "touches-input", "forgets-a-version", "counts-deleted-rows", "commits-always",
    "conflicts-always", "reverses-results", "wrong-distances", "finds-little", "exits-1", "no-json", "crashes", "hangs", "eats-memory",
]
# A call each is enough for those that take their time.
SLOW = {"hangs", "eats-memory"}
# Kinds that a mode can spoil at all; of the others one case each.
SPOILS = {
    **dict.fromkeys([*VALUE_MODES, "drops-last-row", "swaps-rows", "forgets-metadata", "all-nullable", "no-schema"], {"read", "write", "history", "conflict"}),
    **dict.fromkeys(["forgets-a-version", "counts-deleted-rows"], {"history"}),
    **dict.fromkeys(["commits-always", "conflicts-always"], {"conflict"}),
    **dict.fromkeys(["reverses-results", "wrong-distances", "finds-little"], {"search", "build"}),
    **dict.fromkeys(["exits-1", "no-json", "crashes", "supports-nothing"], {"read"}),
    **dict.fromkeys(["rejects-as-not-found", "accepts-all"], {"reject", "history"}),
}
# Modes that must fail somewhere in the sample, or the sample proves nothing.
HARMLESS = {"perfect", "supports-nothing"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-j", type=int, default=4, metavar="N")
    options = parser.parse_args()
    cases = sample()
    wrong = calls = 0
    with tempfile.TemporaryDirectory(prefix="conformance-", dir=scratch_parent()) as text:
        scratch = Path(text)
        (scratch / "index").mkdir()
        for name, answer in index_of(cases, scratch).items():
            (scratch / "index" / f"{name}.json").write_text(json.dumps(answer), encoding="utf-8")
        environment = dict(os.environ, STUB_INDEX=str(scratch / "index"))
        for mode in MODES:
            limits = Limits(1.0 if mode == "hangs" else 10.0)
            stub = Implementation([sys.executable, "-S", "-E", str(HERE / "stubs.py"), mode], limits, environment)
            stub.describe()
            one_each = [next(case for case in cases if case.kind == kind) for kind in SAMPLE]
            if mode in SLOW:
                some = [case for case in one_each if case.kind in ("read", "reject", "survive")]
            else:
                some = [case for case in cases if case.kind in SPOILS.get(mode, SAMPLE) or case in one_each]
            verdicts = run_all(Runner(stub, [], scratch), some, options.j)
            calls += len(verdicts)
            for verdict in verdicts:
                want = predicted(mode, verdict.case)
                if verdict.word != want:
                    wrong += 1
                    print(f"{mode}: {verdict.case.id}: {verdict.word} where {want} was predicted; {verdict.reason}")
            counts = Counter(verdict.word for verdict in verdicts)
            if mode not in HARMLESS and not counts["fail"] + counts["crash"]:
                wrong += 1
                print(f"{mode}: no case of the sample notices it")
            if mode == "wrong-value":
                wrong += known_failures(verdicts)
    print(f"selftest: {len(MODES)} stubs, {calls} verdicts, {wrong} not as predicted")
    return 1 if wrong else 0


def known_failures(verdicts: list) -> int:
    """A listed failure is known, a listed case that passes is stale."""
    listed = {verdict.case.id: "a reason" for verdict in verdicts}
    wrong = 0
    for before, after in zip(verdicts, judge(verdicts, listed)):
        want = "known" if before.word in ("fail", "crash") else "stale"
        if after.word != want:
            wrong += 1
            print(f"listed as known: {before.case.id}: {after.word} where {want} was predicted")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
