"""Hashes of texts, files and folders; apart, because the stubs start a thousand times and need nothing else."""

from __future__ import annotations

import hashlib
import os


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def digest(path) -> str:
    """One hash over the names and bytes of a file, or of all files of a folder."""
    path = os.fspath(path)
    if os.path.isfile(path):
        names = [(os.path.basename(path), path)]
    else:
        names = sorted((os.path.relpath(os.path.join(folder, name), path), os.path.join(folder, name)) for folder, _, files in os.walk(path) for name in files)
    total = hashlib.sha256()
    for name, place in names:
        with open(place, "rb") as file:
            total.update(f"{name}\0{hashlib.sha256(file.read()).hexdigest()}\n".encode())
    return total.hexdigest()
