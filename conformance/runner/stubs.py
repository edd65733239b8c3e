#!/usr/bin/env python3
"""Implementations that know the answers, and are wrong on purpose.

    stubs.py MODE VERB …

The answers come from a folder that selftest.py makes (its path is in STUB_INDEX): no Lance file is read here. `perfect` gives the
expected answers, every other mode spoils them in one way. A runner that lets one of them pass is toothless.
"""

from __future__ import annotations

import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from hashing import digest, sha256

ALL_VERBS = ["read", "history", "write", "commit", "search", "build"]


def canonical(value) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def key(verb: str, path, question) -> str:
    return sha256(f"{verb}\n{digest(path)}\n{canonical(question)}")


def load(path: str):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def store(value, *names: str) -> None:
    with open(os.path.join(*names), "w", encoding="utf-8") as file:
        json.dump(value, file)


class Stub:
    def __init__(self, mode: str):
        self.mode = mode

    def known(self, name: str):
        return load(f"{os.environ['STUB_INDEX']}/{name}.json")

    def answer(self, verb: str, arguments: list[str]) -> tuple[object, int]:
        if verb == "describe":
            return self.describe(), 0
        question = load(arguments[-1]) if len(arguments) > 1 else {}
        path = arguments[0]
        if verb == "write":
            os.mkdir(arguments[1])
            store(load(path), arguments[1], "answer.json")
            return {}, 0
        stub = os.path.join(path, "_indices", "stub")
        if verb == "build":
            os.makedirs(stub)
            store({}, stub, "index.idx")
            return {}, 0
        if verb == "read" and os.path.exists(os.path.join(path, "answer.json")):
            return load(os.path.join(path, "answer.json")), 0
        if verb == "search" and os.path.exists(stub):
            return self.known(sha256("build\n" + canonical(question))), 0
        # What `touches-input` left behind.
        if os.path.exists(os.path.join(path, "touched")):
            os.unlink(os.path.join(path, "touched"))
        known = self.known(key(verb, path, question))
        if verb == "commit":
            store(known["values"], path, "answer.json")
            return known["answer"], 0
        if "error" in known:
            return known, 10
        return known, 0

    def describe(self) -> dict:
        verbs = [] if self.mode == "supports-nothing" else ALL_VERBS
        features = self.known("features")
        return {"implementation": f"stub-{self.mode}", "version": "0", "protocol": "1",
                "supports": {"verbs": verbs, "file_versions": ["2.1", "2.2"], "features": features, "lacks": []}}


# ---------------------------------------------------------------- ways to be wrong


def each_value(columns: list, change) -> bool:
    """Applies a change to the first value, at any depth, that it takes; whether there was one."""
    for index, value in enumerate(columns):
        if isinstance(value, list) and each_value(value, change):
            return True
        new = change(value)
        if new is not NotImplemented:
            columns[index] = new
            return True
    return False


def wrong_value(value):
    if isinstance(value, bool):
        return not value
    if isinstance(value, str) and value.lstrip("-").isdigit():
        return str(int(value) + 1) if len(value) < 5 else NotImplemented
    return NotImplemented


def lost_sign(value):
    return "0" * len(value) if value in ("8000", "80000000", "8000000000000000") else NotImplemented


def number(value):
    return int(value) if isinstance(value, str) and value.lstrip("-").isdigit() and str(int(value)) == value else NotImplemented


def null_for_empty_list(value):
    return None if value == [] else NotImplemented


def quiet_nan(value):
    return "7ff8000000000000" if value == "7ff8000000001234" else NotImplemented


VALUE_MODES = {
    "wrong-value": wrong_value, "loses-sign-of-zero": lost_sign, "numbers": number, "null-for-empty-list": null_for_empty_list, "quiet-nan": quiet_nan,
}


def spoil(mode: str, verb: str, answer, status: int, arguments: list[str]) -> tuple[object, int]:
    if mode in ("perfect", "supports-nothing") or verb == "describe":
        return answer, status
    if mode == "hangs":
        time.sleep(600)
    if mode == "crashes":
        os.abort()
    if mode == "eats-memory":
        block = bytearray(900 << 20)
        block[:: 4096] = b"x" * len(block[:: 4096])
        time.sleep(5)
    if mode == "exits-1":
        return answer, 1
    if mode == "no-json":
        print("not JSON at all")
        sys.stdout.flush()
        os._exit(0)
    if mode == "rejects-all":
        return {"error": {"class": "corrupt", "message": "no"}}, 10
    if mode == "rejects-as-not-found":
        return ({"error": {"class": "not-found", "message": "no"}}, 10) if status == 10 else (answer, status)
    if mode == "unsupported-all":
        return {"error": {"class": "unsupported", "message": "no"}}, 11
    if mode == "accepts-all" and status == 10:
        return {"schema": {"fields": []}, "rows": 0, "columns": []}, 0
    if mode == "touches-input" and verb == "read":
        if os.path.isdir(arguments[0]):
            store({}, arguments[0], "touched")
        else:
            with open(arguments[0], "ab") as file:
                file.write(b"\0")
    if verb == "read" and status == 0:
        spoil_values(mode, answer)
    if verb == "commit":
        return spoil_commit(mode, answer), status
    if mode == "forgets-a-version" and verb == "history" and answer["versions"]:
        answer["versions"].pop(0)
    if mode == "counts-deleted-rows" and verb == "history":
        for version in answer["versions"]:
            version["rows"] = sum(fragment["physical_rows"] for fragment in version["fragments"])
    if verb == "search":
        spoil_search(mode, answer)
    return answer, status


def spoil_values(mode: str, answer: dict) -> None:
    fields = answer["schema"]["fields"]
    if mode in VALUE_MODES:
        each_value(answer["columns"], VALUE_MODES[mode])
    elif mode == "drops-last-row" and answer["rows"]:
        answer["rows"] -= 1
        for column in answer["columns"]:
            column.pop()
    elif mode == "swaps-rows" and answer["rows"] > 1:
        for column in answer["columns"]:
            column[0], column[-1] = column[-1], column[0]
    elif mode == "forgets-metadata":
        answer["schema"].pop("metadata", None)
        for field in fields:
            field.pop("metadata", None)
    elif mode == "all-nullable":
        for field in fields:
            field["nullable"] = True
    elif mode == "no-schema":
        answer.pop("schema")


def spoil_commit(mode: str, answer: dict) -> dict:
    if mode == "commits-always":
        return {"committed": 99}
    if mode == "conflicts-always":
        return {"conflict": "incompatible"}
    return answer


def spoil_search(mode: str, answer: dict) -> None:
    for result in answer["results"]:
        if mode == "reverses-results":
            result["ids"].reverse()
        elif mode == "wrong-distances":
            result["distances"] = ["42280000"] * len(result["distances"])
        elif mode == "finds-little":
            result["ids"] = [f"-{number}" for number in range(1, len(result["ids"]) + 1)]


def main() -> int:
    mode, verb, arguments = sys.argv[1], sys.argv[2], sys.argv[3:]
    answer, status = Stub(mode).answer(verb, arguments)
    answer, status = spoil(mode, verb, answer, status, arguments)
    json.dump(answer, sys.stdout, ensure_ascii=False)
    return status


if __name__ == "__main__":
    sys.exit(main())
