#!/usr/bin/env python3
"""Asks an implementation every case and writes down what it gave, with the hash of the case.

    certify.py -- COMMAND …            all cases; the file is certificates/NAME-VERSION.json
    certify.py --changed -- COMMAND …  only cases that changed since, or are new

What the implementation does not support is left out. Run lint.py --update first: the hashes come from the manifest. A certificate says also where the certifier fails or dies.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from lint import case_hash
from process import Implementation, Limits
from run import Runner, run_all, scratch_parent
from suite import ROOT, all_cases, load


def main(argv: list[str]) -> int:
    own, command = (argv[: argv.index("--")], argv[argv.index("--") + 1 :]) if "--" in argv else (argv, [])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--changed", action="store_true")
    parser.add_argument("--kind", action="append", default=[], help="only cases of this kind; may be repeated")
    parser.add_argument("-j", type=int, default=2, metavar="N")
    options = parser.parse_args(own)
    if not command:
        parser.error("name the implementation after --")
    implementation = Implementation(command, Limits(60, 4096))
    description = implementation.describe()
    name = f"{description['implementation']}-{description['version']}"
    path = ROOT / "certificates" / f"{name}.json"
    manifest = load(ROOT / "manifest.json")
    entries = {entry["id"]: entry for entry in manifest["cases"]}
    listed = [case for case in all_cases() if case.id in entries]
    cases = [case for case in listed if not options.kind or case.kind in options.kind]
    hashes = {case.id: case_hash(case, entries, manifest["shared"]) for case in listed}
    kept: dict[str, dict] = {}
    if options.changed and path.exists():
        # Those of other kinds, too.
        kept = {entry["case"]: entry for entry in load(path)["cases"] if hashes.get(entry["case"]) == entry["hash"]}
    todo = [case for case in cases if case.id not in kept]
    print(f"{name}: {len(todo)} cases to ask, {len(kept)} kept", flush=True)
    with tempfile.TemporaryDirectory(prefix="conformance-", dir=scratch_parent()) as scratch:
        verdicts = run_all(Runner(implementation, [], Path(scratch)), todo, options.j)
    for verdict in verdicts:
        entry = {"case": verdict.case.id, "hash": hashes[verdict.case.id], "verdict": verdict.word}
        if verdict.reason and verdict.word != "pass":
            # Without paths of this machine, or of those that built the certifier.
            entry["reason"] = re.sub(r",? /\w+/\S+", "", verdict.reason.replace(scratch, "…").split("\n")[0])[:200]
            if verdict.word != "skip":
                print(f"{verdict.word} {verdict.case.id}: {entry['reason']}")
        if verdict.word != "skip":
            kept[verdict.case.id] = entry
    lines = ",\n".join("  " + json.dumps(kept[name], ensure_ascii=False) for name in sorted(kept))
    text = (
        f'{{"certifier": {json.dumps(description["implementation"])},\n "version": {json.dumps(description["version"])},\n'
        f' "platform": {json.dumps(platform.system() + " " + platform.machine())},\n'
        f' "date": {json.dumps(time.strftime("%Y-%m-%d", time.gmtime()))},\n "cases": [\n{lines}\n ]}}\n'
    )
    path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
