"""Sharing a project of 100,000 files and 10,000 folders, rserver-acls against setfacl, in turn on the same warm tree.

    python bench/project_acls.py [--folders 10000] [--files 10] [--runs 5]

Needs root. Prints one JSON line: medians in s, the ratios of time and of processor time of neighbouring runs with their
targets, the start with one file in ms, and the memory (largest resident set of a process in MiB) for a tenth of the
tree and for all of it. On a machine that does other things too the ratios of processor time are the steadier ones.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from bench.figures import median, report, skipped, target
from tests.system.accounts import Account, account

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = [sys.executable, "-I", "-S", str(ROOT / "rserver_acls" / "__main__.py")]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folders", type=int, default=10_000)
    parser.add_argument("--files", type=int, default=10)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    if os.geteuid() != 0:
        skipped("project_acls", "needs root: it makes accounts")
        return
    state = Path(tempfile.mkdtemp(prefix="rserver-bench-"))
    try:
        with account("rsb") as owner, account("rsb") as member:
            measure(Project(owner, member, state), options.folders, options.files, options.runs)
    finally:
        shutil.rmtree(state)


class Cost(NamedTuple):
    """Seconds of a command, and of the processor in it and its children."""

    seconds: float
    processor: float


class Project:
    """A tree of the owner's that is shared with the member and taken back."""

    def __init__(self, owner: Account, member: Account, state: Path) -> None:
        self.owner, self.member, self.state = owner, member, state
        owner.home.chmod(0o700)

    def make(self, name: str, folders: int, files: int) -> Path:
        """folders folders, a hundred side by side, with files files each."""
        top = self.owner.home / name
        top.mkdir()
        for number in range(folders - 1):
            folder = top / f"d{number // 100}" / f"d{number}" if number % 100 else top / f"d{number // 100}"
            folder.mkdir(parents=True, exist_ok=True)
            for leaf in range(files):
                (folder / f"f{leaf}").touch()
        subprocess.run(["chown", "-R", f"{self.owner.uid}:{self.owner.gid}", str(top)], check=True)
        return top

    def run(self, action: str, top: Path) -> dict[str, Any]:
        """The answer, with `max_mib` of the largest process."""
        whole = {"version": 1, "action": action, "project_dir": str(top), "owner": self.owner.name}
        content = json.dumps({**whole, "members": [self.member.name]})
        argv = [sys.executable, "-I", "-S", "-c", _RUN_AND_WEIGH, *PROGRAM, f"--state={self.state}/acls"]
        done = subprocess.run(argv, input=content, capture_output=True, text=True, check=True, env={})
        answer = json.loads(done.stdout.splitlines()[0])
        assert answer["ok"], answer
        return {**answer, "max_mib": int(done.stderr) / 1024}

    def cost(self, action: str, top: Path) -> Cost:
        """Of one run of the program itself."""
        whole = {"version": 1, "action": action, "project_dir": str(top), "owner": self.owner.name}
        content = json.dumps({**whole, "members": [self.member.name]}).encode()
        return cost_of([*PROGRAM, f"--state={self.state}/acls"], content)

    def setfacl(self, *argv: str) -> Cost:
        """Of the peer."""
        return cost_of(["setfacl", "-R", "-P", *argv])


_RUN_AND_WEIGH = """
import os, resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
sys.stderr.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(code)
"""


def cost_of(argv: Sequence[str], content: bytes = b"") -> Cost:
    """What a command takes that must succeed."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(argv, input=content, stdout=subprocess.DEVNULL, check=True, env={"PATH": os.defpath})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Cost(time.perf_counter() - started, processor)


def measure(project: Project, folders: int, files: int, runs: int) -> None:
    """Print the result."""
    small, large = project.make("small", folders // 10, files), project.make("large", folders, files)
    one = project.make("one", 2, 1)
    entries = f"u:{project.member.uid}:rwX,d:u:{project.member.uid}:rwX"
    rounds = [one_round(project, large, entries) for _ in range(runs + 1)][1:]
    peers, shares, refreshes = zip(*rounds, strict=True)
    starts = [start(project, one) for _ in range(21)][1:]
    memory = [project.run("share", top)["max_mib"] for top in (small, large)]
    report(
        "project_acls",
        objects=folders + (folders - 1) * files,
        setfacl_s=median([cost.seconds for cost in peers]),
        share_s=median([cost.seconds for cost in shares]),
        refresh_s=median([cost.seconds for cost in refreshes]),
        share_to_setfacl=target(ratio(shares, peers, "seconds"), 0.8),
        refresh_to_setfacl=target(ratio(refreshes, peers, "seconds"), 0.5),
        share_to_setfacl_processor=target(ratio(shares, peers, "processor"), 0.8),
        refresh_to_setfacl_processor=target(ratio(refreshes, peers, "processor"), 0.5),
        start_and_one_file_ms=target(median(starts, 1), 30.0),
        start_and_one_file_least_ms=round(min(starts), 1),
        memory_mib={"tenth": round(memory[0], 1), "whole": round(memory[1], 1)},
    )


def one_round(project: Project, top: Path, entries: str) -> tuple[Cost, Cost, Cost]:
    """setfacl, share and refresh on the same tree, which is as before afterwards."""
    peer = project.setfacl("-m", entries, str(top))
    project.setfacl("-b", str(top))
    share, refresh = project.cost("share", top), project.cost("refresh", top)
    project.cost("unshare", top)
    return peer, share, refresh


def start(project: Project, top: Path) -> float:
    """Milliseconds of sharing one file."""
    taken = project.cost("share", top).seconds * 1000
    project.cost("unshare", top)
    return taken


def ratio(ours: Sequence[Cost], theirs: Sequence[Cost], kind: Literal["seconds", "processor"]) -> float:
    """Median of the ratios of neighbouring runs, which a change of the machine's load disturbs least."""
    ratios: list[float] = [getattr(a, kind) / getattr(b, kind) for a, b in zip(ours, theirs, strict=True)]
    return round(statistics.median(ratios), 2)


if __name__ == "__main__":
    main()
