#!/usr/bin/env python3
"""Makes the cases again.

    regenerate.py                 write them into the repository
    regenerate.py --check         write them into a fresh folder and compare: data files and expected values byte for byte,
                                  tables after their names and times are masked, index builds not at all
    regenerate.py -k PART         only recipes whose name contains PART

Needs the very packages of requirements.txt: other releases write other bytes.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from common import ROOT, Suite

RECIPES = ["file_types", "file_encodings", "file_matrix", "history", "damage", "writing", "conflict", "index"]


def check_packages() -> None:
    for line in (Path(__file__).resolve().parent / "requirements.txt").read_text().split():
        name, wanted = line.split("==")
        found = importlib.metadata.version(name)
        if found != wanted:
            raise SystemExit(f"regenerate.py: {name} is {found}, the cases were made with {wanted}")


def main() -> int:
    check_packages()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("-k", default="", metavar="PART")
    arguments = parser.parse_args()
    recipes = [name for name in RECIPES if arguments.k in name]
    with tempfile.TemporaryDirectory(prefix="conformance-") as scratch:
        suite = Suite(Path(scratch) if arguments.check else ROOT)
        for name in recipes:
            importlib.import_module(name).make(suite)
            print(f"{name}: {len(suite.written)} cases so far", flush=True)
        if arguments.check:
            import compare

            return compare.report(ROOT, Path(scratch), suite.written, whole=not arguments.k)
    return 0


if __name__ == "__main__":
    sys.exit(main())
