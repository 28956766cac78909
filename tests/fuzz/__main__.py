"""`make fuzz`: every target under coverage-guided fuzzing for a while; what breaks a promise is shown."""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.seeds import seeds
from tests.fuzz.targets import TARGETS

_DICTIONARY = Path(__file__).with_name("http.dict")
_EXECUTIONS = re.compile(r"stat::number_of_executed_units:\s+(\d+)")
_COVERED = re.compile(r"cov: (\d+)")


@dataclass(frozen=True)
class Result:
    """What became of one target: executions, blocks of code that were reached, and what went wrong."""

    executions: int
    covered: int
    complaint: str


def main(argv: Sequence[str]) -> int:
    """0 when no target found anything."""
    parser = argparse.ArgumentParser(
        prog="make fuzz", description="Coverage-guided fuzzing of what reads foreign bytes"
    )
    parser.add_argument("--seconds", type=int, default=600, help="for all targets together")
    parser.add_argument("--target", choices=sorted(TARGETS), action="append", help="only this one (again for more)")
    given = parser.parse_args(argv)
    names = given.target or list(TARGETS)
    complaints = 0
    for name in names:
        result = fuzz(name, max(1, given.seconds // len(names)))
        complaints += bool(result.complaint)
        print(f"{name:10} {result.executions:10,} executions, {result.covered:6,} covered", flush=True)
        if result.complaint:
            print(result.complaint, flush=True)
    print(f"{len(names)} targets, {complaints} with a finding", flush=True)
    return 1 if complaints else 0


def fuzz(name: str, seconds: int) -> Result:
    """Fuzz one target in a process of its own; what it found is kept below the temporary folder."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as work:
        corpus = Path(work)
        for number, data in enumerate(seeds(name)):
            (corpus / f"seed-{number}").write_bytes(data)
        findings = tempfile.mkdtemp(prefix=f"fuzz-{name}-")
        limits = [f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=2048", "-max_len=4096"]
        shown = [f"-dict={_DICTIONARY}", f"-artifact_prefix={findings}/", "-print_final_stats=1"]
        command = [sys.executable, "-m", "tests.fuzz.run_target", name, *limits, *shown, work]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    return _result(done, Path(findings))


def _result(done: subprocess.CompletedProcess[str], findings: Path) -> Result:
    text = done.stdout + done.stderr
    executions, covered = _EXECUTIONS.search(text), _COVERED.findall(text)
    found = sorted(findings.iterdir())
    complaint = ""
    if done.returncode or found:
        inputs = "\n".join(f"{path}: {path.read_bytes()!r}" for path in found)
        complaint = f"{done.stdout[-4000:]}\n{done.stderr[-1000:]}\n{inputs}"
    else:
        findings.rmdir()
    return Result(int(executions[1]) if executions else 0, int(covered[-1]) if covered else 0, complaint)


if __name__ == "__main__":
    os.nice(10)
    sys.exit(main(sys.argv[1:]))
