"""Sharing a project of 1,000 files through the whole server: from the request of a page to the event that it is done.

    python bench/share_flow.py [--files 1000] [--runs 15]

The way is page, server, session, server, master, rserver-acls and back. Besides: until the member's list has the
project, and until his open session has left it when it is withdrawn. Needs root.
"""

import argparse
import os
import subprocess
import time
from collections.abc import Callable

from bench.figures import median, report, skipped, target
from tests.system.accounts import Account, account
from tests.system.running_server import RunningServer, running_server
from tests.system.test_projects import folder_of, opened, signed_in
from tests.system.visitor import Visitor


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args()
    if os.geteuid() != 0:
        skipped("share_flow", "needs root: it makes accounts")
        return
    with account("rsb") as owner, account("rsb") as member, running_server() as server:
        measure(server, owner, member, options.files, options.runs)


def measure(server: RunningServer, owner: Account, member: Account, files: int, runs: int) -> None:
    """Print the result."""
    folder = folder_of(owner, "large")
    for number in range(files):
        inner = folder / f"d{number // 20}"
        inner.mkdir(exist_ok=True)
        (inner / f"f{number}").touch()
    subprocess.run(["chown", "-R", f"{owner.uid}:{owner.gid}", str(folder)], check=True)
    visitor, watcher = signed_in(server, owner), signed_in(server, member)
    opened(visitor, str(folder))
    opened(watcher, "")
    shares: list[float] = []
    told: list[float] = []
    again: list[float] = []
    leaves: list[float] = []
    for number in range(runs + 1):
        figures = (
            until_done(visitor, [member.name]),
            until(watcher, "shared_with_me_changed"),
            until_done(visitor, [member.name]),
            until_done(visitor, []),
        )
        until(watcher, "shared_with_me_changed")
        if number:
            for kept, figure in zip((shares, told, again, leaves), figures, strict=True):
                kept.append(figure)
    report(
        "share_flow",
        files=files,
        share_s=target(median(shares, 3), 0.5),
        slowest_s=round(max(shares), 3),
        nothing_to_change_s=median(again, 3),
        withdraw_s=median(leaves, 3),
        until_the_member_is_told_s=median(told, 3),
    )


def until_done(visitor: Visitor, members: list[str]) -> float:
    """Seconds from the request to the event."""
    return timed(lambda: (visitor.rpc("sharing_set_members", members), until(visitor, "sharing_done")))


def until(visitor: Visitor, type_: str) -> float:
    """Seconds until the next event of that type."""
    return timed(lambda: visitor.wait_for(lambda event: event["type"] == type_))


def timed(call: Callable[[], object]) -> float:
    """Seconds that it takes."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
