#!/usr/bin/env python3
"""Checks the suite itself, without an implementation.

    lint.py            every case well formed, listed, certified, unchanged, and citing headings that exist
    lint.py --update   writes manifest.json anew; says what changed

What it looks at: the schemas, the manifest with its hashes, files that belong to no case, page contents that a case claims, edits
that fit, citations of the specification, certificates (also old ones), known failures, and the size of the suite.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import lancefile
from jsonschema_lite import problems
from suite import CASES, ROOT, Case, all_cases, load, place_input

SPEC = ROOT.parent / "spec"
MOST_BYTES = 20 << 20
MOST_BYTES_OF_A_CASE = 256 << 10
FEWEST_CASES = 400
# Somebody other than the implementation under test has passed these. What is to be rejected or survived rests on the specification;
# there a certificate tells what the reference does.
NEEDS_PASS = {"read", "history", "conflict", "search", "build", "write"}


def file_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def owned_files(case: Case) -> list[Path]:
    """Files of the case's own folder, not those of cases below it."""
    below = [path.parent for path in case.folder.rglob("case.json") if path.parent != case.folder]
    return [
        path for path in sorted(case.folder.rglob("*"))
        if path.is_file() and not any(folder in path.parents for folder in below)
    ]


def shared_files(cases: list[Case]) -> dict[str, list[Path]]:
    """Folders that hold the inputs of cases below them and are no case themselves."""
    folders = {case.folder for case in cases}
    shared: dict[Path, list[Path]] = {}
    for path in sorted(CASES.rglob("*")):
        if path.is_file() and not any(parent in folders for parent in path.parents):
            shared.setdefault(next(p for p in [path.parent, *path.parents] if p.parent.name in ("conflict", "search", "build")), []).append(path)
    return {str(folder.relative_to(CASES)): files for folder, files in shared.items()}


def manifest_of(cases: list[Case]) -> dict:
    entries = []
    for case in cases:
        files = {str(path.relative_to(case.folder)): file_hash(path) for path in owned_files(case)}
        entries.append({"id": case.id, "kind": case.kind, "since": case.body["since"], "requires": case.body["requires"], "files": files})
    shared = {name: {str(path.relative_to(CASES / name)): file_hash(path) for path in files} for name, files in shared_files(cases).items()}
    schemas = {path.name: file_hash(path) for path in sorted((ROOT / "schema").iterdir())}
    return {"suite": (ROOT / "VERSION").read_text().strip(), "schemas": schemas, "cases": entries, "shared": shared}


def case_hash(case: Case, entries: dict[str, dict], shared: dict[str, dict]) -> str:
    """A hash over the files of the case and of those it takes from elsewhere."""
    total = hashlib.sha256()
    parts = [(case.id, entries[case.id]["files"])]
    for reference in references(case):
        target = (case.folder / reference).resolve()
        for folder in [target, *target.parents]:
            try:
                name = str(folder.relative_to(CASES))
            except ValueError:
                break
            if name in entries or name in shared:
                files = entries[name]["files"] if name in entries else shared[name]
                inside = str(target.relative_to(folder))
                parts.append((name, {k: v for k, v in files.items() if k == inside or k.startswith(inside + "/")}))
                break
    for name, files in parts:
        for path, digest in sorted(files.items()):
            total.update(f"{name}/{path} {digest}\n".encode())
    return total.hexdigest()


def references(case: Case) -> list[str]:
    """Paths in the case that leave its folder."""
    found: list[str] = []

    def visit(value) -> None:
        if isinstance(value, str) and value.startswith("../"):
            found.append(value)
        elif isinstance(value, list):
            for each in value:
                visit(each)
        elif isinstance(value, dict):
            for each in value.values():
                visit(each)

    visit({"input": case.body.get("input"), "ask": case.body.get("ask") if case.kind in ("search", "build") else None, "expect": case.body.get("expect")})
    return sorted(set(found))


def headings() -> dict[str, set[str]]:
    result = {}
    for path in SPEC.glob("*.md"):
        text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.S)
        result[path.name] = set(re.findall(r"^#+ (.*?)\s*$", text, flags=re.M))
    return result


def release(text: str) -> list[int]:
    return [int(part) for part in text.strip().split(".")]


class Lint:
    def __init__(self):
        self.complaints: list[str] = []
        self.cases = 0

    def say(self, where: str, what: str) -> None:
        self.complaints.append(f"{where}: {what}")

    def run(self) -> None:
        try:
            self.look()
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            # A file that everything else hangs on: which one, the message says or its hash.
            self.say("suite", f"cannot be read: {type(error).__name__}: {error}")

    def look(self) -> None:
        for path in sorted(ROOT.rglob("*.json")):
            try:
                load(path)
            except ValueError as error:
                self.say(str(path.relative_to(ROOT)), f"is not JSON: {error}")
        if self.complaints:
            return
        cases = all_cases()
        self.cases = len(cases)
        if len(cases) < FEWEST_CASES:
            self.say("cases", f"only {len(cases)}")
        manifest = load(ROOT / "manifest.json")
        self.compare_manifest(manifest, manifest_of(cases))
        schema = load(ROOT / "schema" / "case.json")
        value_schema = load(ROOT / "schema" / "values.json")
        known_headings = headings()
        for case in cases:
            for problem in problems(case.body, schema):
                self.say(case.id, problem)
            self.case(case, known_headings, value_schema)
        entries = {entry["id"]: entry for entry in manifest["cases"]}
        self.certificates(cases, entries, manifest.get("shared", {}))
        self.known(cases)
        size = sum(path.stat().st_size for path in ROOT.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        if size > MOST_BYTES:
            self.say("suite", f"{size} bytes are more than {MOST_BYTES}")

    def compare_manifest(self, stored: dict, actual: dict) -> None:
        if stored.get("suite") != actual["suite"]:
            self.say("manifest.json", f"suite {stored.get('suite')}, VERSION says {actual['suite']}")
        old, new = ({entry["id"]: entry for entry in each["cases"]} for each in (stored, actual))
        self.compare_files("schema", stored.get("schemas", {}), actual["schemas"])
        for name in sorted(old.keys() - new.keys()):
            self.say(name, "is in the manifest and not on disk")
        for name in sorted(new.keys() - old.keys()):
            self.say(name, "is not in the manifest")
        for name in sorted(old.keys() & new.keys()):
            self.compare_files(name, old[name]["files"], new[name]["files"])
            for member in ("kind", "since", "requires"):
                if old[name][member] != new[name][member]:
                    self.say(name, f"{member} differs from the manifest")
        for name in sorted(stored.get("shared", {}).keys() | actual["shared"].keys()):
            self.compare_files(name, stored.get("shared", {}).get(name, {}), actual["shared"].get(name, {}))

    def compare_files(self, name: str, old: dict, new: dict) -> None:
        for path in sorted(old.keys() | new.keys()):
            if path not in new:
                self.say(name, f"{path} is missing")
            elif path not in old:
                self.say(name, f"{path} is not in the manifest")
            elif old[path] != new[path]:
                self.say(name, f"{path} has changed")

    def case(self, case: Case, known_headings: dict[str, set[str]], value_schema: dict) -> None:
        body = case.body
        if release(body["since"]) > release((ROOT / "VERSION").read_text()):
            self.say(case.id, f"is of a later version of the suite, {body['since']}")
        if body.get("id") != case.id:
            self.say(case.id, f"calls itself {body.get('id')}")
        if not body.get("spec"):
            self.say(case.id, "cites nothing")
        for citation in body.get("spec", []):
            if citation["file"] not in known_headings:
                self.say(case.id, f"cites {citation['file']}, which does not exist")
            elif citation["heading"] not in known_headings[citation["file"]]:
                self.say(case.id, f"cites \"{citation['heading']}\", which {citation['file']} does not have")
        size = sum(path.stat().st_size for path in owned_files(case))
        if size > MOST_BYTES_OF_A_CASE:
            self.say(case.id, f"{size} bytes")
        used = {"case.json"} | self.used_files(case)
        for path in owned_files(case):
            name = str(path.relative_to(case.folder))
            if not any(name == each or name.startswith(each + "/") for each in used):
                self.say(case.id, f"{name} is used by nothing")
        for name in sorted(used):
            if not (case.folder / name).exists():
                self.say(case.id, f"{name} does not exist")
        for reference in references(case):
            if not (case.folder / reference).exists():
                self.say(case.id, f"{reference} does not exist")
        self.contents(case)
        self.edits(case)
        for path in owned_files(case):
            if path.name.endswith(".json") and path.name not in ("case.json", "history.json") and "table.lance" not in path.parts:
                try:
                    content = load(path)
                except ValueError as error:
                    self.say(case.id, f"{path.name}: {error}")
                    continue
                if "schema" in content:
                    for problem in problems(content, value_schema):
                        self.say(case.id, f"{path.name}: {problem}")

    def used_files(self, case: Case) -> set[str]:
        body, used = case.body, set()
        source = body["input"]
        base = source if isinstance(source, str) else source["base"]
        texts = [base] + [body["expect"].get(name) for name in ("values", "history", "results", "truth")]
        texts += [read.get("values") for read in body["expect"].get("reads", [])]
        texts += [outcome.get("values") for outcome in body["expect"].get("outcomes", [])]
        if case.kind in ("search", "build"):
            texts.append(body["ask"]["queries"])
        for text in texts:
            if text and not text.startswith("../"):
                used.add(text)
        return used

    def contents(self, case: Case) -> None:
        if "contains" not in case.body:
            return
        try:
            texts, words, version = lancefile.contents((case.folder / case.body["input"]).resolve())
        except (lancefile.Broken, OSError, IndexError, ValueError) as error:
            self.say(case.id, f"its bytes cannot be taken apart: {error}")
            return
        if texts != case.body["contains"]:
            self.say(case.id, "the pages are not those that it lists")
        if version not in ("none", case.body["requires"]["file_version"]):
            self.say(case.id, f"the bytes are of version {version}")
        missing = words - set(case.body["requires"]["words"])
        if missing:
            self.say(case.id, f"requires does not name {', '.join(sorted(missing))}")
        for wanted in case.body.get("must_contain", []):
            if not any(wanted in text for text in texts):
                self.say(case.id, f"no page has {wanted}")

    def edits(self, case: Case) -> None:
        if not isinstance(case.body["input"], dict):
            return
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            try:
                place_input(case, Path(folder))
            except (OSError, ValueError) as error:
                self.say(case.id, f"its edits do not fit: {error}")

    def certificates(self, cases: list[Case], entries: dict[str, dict], shared: dict[str, dict]) -> None:
        valid: dict[str, dict[str, set[str]]] = {}
        hashes = {case.id: case_hash(case, entries, shared) for case in cases if case.id in entries}
        schema = load(ROOT / "schema" / "certificate.json")
        for path in sorted((ROOT / "certificates").glob("*.json")):
            body = load(path)
            for problem in problems(body, schema):
                self.say(path.name, problem)
            for entry in body["cases"]:
                if entry["hash"] != hashes.get(entry["case"], entry["hash"]):
                    self.say(path.name, f"{entry['case']} is not what was certified; certify.py --changed")
                valid.setdefault(entry["case"], {}).setdefault(entry["hash"], set()).add(entry["verdict"])
        for case in cases:
            if case.id not in entries:
                continue
            verdicts = valid.get(case.id, {}).get(hashes[case.id], set()) - {"skip"}
            if not verdicts:
                self.say(case.id, "no certificate for what it is now" if case.id in valid else "no certificate")
            elif case.kind in NEEDS_PASS and "pass" not in verdicts:
                self.say(case.id, "certified, but nobody passes it")
        ids = {case.id for case in cases}
        for name in sorted(valid.keys() - ids):
            self.say(name, "is certified and not on disk")

    def known(self, cases: list[Case]) -> None:
        ids = {case.id for case in cases}
        schema = load(ROOT / "schema" / "known.json")
        for path in sorted((ROOT / "results").glob("*.json")):
            body = load(path)
            for problem in problems(body, schema):
                self.say(path.name, problem)
            for entry in body.get("known", []):
                if entry["case"] not in ids:
                    self.say(path.name, f"{entry['case']} is not a case")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true")
    options = parser.parse_args()
    if options.update:
        new = manifest_of(all_cases())
        lines = ",\n".join("  " + json.dumps(entry, ensure_ascii=False, separators=(",", ":")) for entry in new["cases"])
        shared = ",\n".join(f"  {json.dumps(name)}: {json.dumps(files, separators=(',', ':'))}" for name, files in new["shared"].items())
        schemas = json.dumps(new["schemas"], separators=(",", ":"))
        text = f'{{"suite": "{new["suite"]}",\n "schemas": {schemas},\n "cases": [\n{lines}\n ],\n "shared": {{\n{shared}\n }}}}\n'
        (ROOT / "manifest.json").write_text(text, encoding="utf-8")
    lint = Lint()
    lint.run()
    for complaint in lint.complaints[:100]:
        print(complaint)
    if len(lint.complaints) > 100:
        print(f"and {len(lint.complaints) - 100} more")
    print(f"lint: {lint.cases} cases, {len(lint.complaints)} complaints")
    return 1 if lint.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
