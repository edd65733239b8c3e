"""Fixtures of the interop tests: the binary, scratch space in memory, and clean-up after each test."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from lancer_cli import BINARY

FULL = os.environ.get("LANCER_FULL") == "1"


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes more than ten seconds")


def pytest_sessionstart(session):
    if not BINARY.exists() and not session.config.option.collectonly:
        raise pytest.UsageError(f"no binary at {BINARY}: run `swift build -c release`, or set LANCER_BIN")


def scratch_parent() -> str | None:
    """A file system in memory when there is one with room: the tests make thousands of small, synced files."""
    shared = "/dev/shm"
    if os.path.isdir(shared) and os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > 2 << 30:
        return shared
    return None


@pytest.fixture
def scratch():
    """A directory for one test, removed afterwards."""
    path = Path(tempfile.mkdtemp(prefix="lancer-test-", dir=scratch_parent()))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def disk():
    """A directory for one test on the ordinary temporary file system, for what is too big for memory."""
    path = Path(tempfile.mkdtemp(prefix="lancer-test-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)
