"""One call of an implementation: its answer, its status, and whether it stayed within time and memory."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

ANSWERED, REJECTED, UNSUPPORTED = 0, 10, 11


@dataclass
class Limits:
    seconds: float = 10.0
    megabytes: int = 512


@dataclass
class Answer:
    """`status` is the exit status, `crash` says why the call counts as a crash."""

    status: int
    value: object
    errors: str
    crash: str | None = None

    @property
    def error_class(self) -> str | None:
        error = self.value.get("error") if isinstance(self.value, dict) else None
        return error.get("class") if isinstance(error, dict) else None

    def describe(self) -> str:
        if self.crash:
            lines = [line.strip() for line in self.errors.splitlines() if line.strip(" ^\t")]
            return f"crash: {self.crash}" + (f"; standard error ends with: {lines[-1][:300]}" if lines else "")
        if self.status in (REJECTED, UNSUPPORTED):
            error = self.value.get("error", {}) if isinstance(self.value, dict) else {}
            word = "rejected" if self.status == REJECTED else "unsupported"
            return f"{word}: {error.get('class')}: {str(error.get('message'))[:300]}"
        return "answered"


class Implementation:
    """A command that speaks the protocol."""

    def __init__(self, command: list[str], limits: Limits | None = None, environment: dict | None = None):
        self.command = command
        self.limits = limits or Limits()
        self.environment = environment
        self.description: dict = {}

    def call(self, *arguments: str) -> Answer:
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
            try:
                process = subprocess.Popen(
                    [*self.command, *arguments], stdin=subprocess.DEVNULL, stdout=out, stderr=errors, start_new_session=True,
                    env=self.environment,
                )
            except OSError as error:
                raise SystemExit(f"cannot start {self.command[0]}: {error.strerror}")
            status, crash = self._wait(process)
            out.seek(0)
            errors.seek(0)
            text, complaint = out.read(), errors.read().decode("utf-8", "replace")
        if crash is None and status not in (ANSWERED, REJECTED, UNSUPPORTED):
            crash = f"signal {-status}" if status < 0 else f"exit status {status}"
        if crash:
            return Answer(status, None, complaint, crash)
        try:
            value = json.loads(text.decode("utf-8"))
        except ValueError as error:
            return Answer(status, None, complaint, f"the answer is not JSON: {error}")
        return Answer(status, value, complaint)

    def _wait(self, process: subprocess.Popen) -> tuple[int, str | None]:
        end, pause, crash = time.monotonic() + self.limits.seconds, 0.001, None
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > end:
                crash = f"no answer after {self.limits.seconds:g} seconds"
            elif resident_megabytes(process.pid) > self.limits.megabytes:
                crash = f"more than {self.limits.megabytes} MiB of memory"
            if crash:
                os.killpg(process.pid, signal.SIGKILL)
                _, status, usage = os.wait4(process.pid, 0)
                break
            time.sleep(pause)
            pause = min(pause * 1.5, 0.02)
        process.returncode = os.waitstatus_to_exitcode(status)
        peak = usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
        if crash is None and peak > self.limits.megabytes:
            crash = f"{peak:.0f} MiB of memory"
        return process.returncode, crash

    def describe(self) -> dict:
        """Asks what the implementation can.

        Raises SystemExit when the answer makes no sense.
        """
        answer = self.call("describe")
        if answer.status != ANSWERED or answer.crash or not isinstance(answer.value, dict):
            raise SystemExit(f"{' '.join(self.command)} describe: {answer.describe()}")
        if answer.value.get("protocol") != "1":
            raise SystemExit(f"{' '.join(self.command)} speaks protocol {answer.value.get('protocol')}, not 1")
        self.description = answer.value
        return answer.value

    @property
    def supports(self) -> dict:
        return self.description.get("supports", {})

    def lacks(self, case: dict, verb: str) -> str | None:
        """What the case needs and the implementation does not have."""
        if verb not in self.supports.get("verbs", []):
            return f"verb {verb}"
        requires = case.get("requires", {})
        version = requires.get("file_version")
        if version and version not in self.supports.get("file_versions", []):
            return f"file version {version}"
        features, lacking = self.supports.get("features", []), self.supports.get("lacks", [])
        for word in requires.get("words", []):
            is_feature = ":" not in word or word.startswith("index:")
            if word in lacking or (is_feature and word not in features):
                return word
        return None


def resident_megabytes(pid: int) -> float:
    """Resident memory now; 0 where there is no /proc."""
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
    except (OSError, IndexError, ValueError):
        return 0.0
