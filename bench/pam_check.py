"""Whole password checks, rserver-pam against pamtester (C), in turn, on a shadow account made for it.

    python bench/pam_check.py [--runs 40]

Needs root. Prints one JSON line: medians in ms, their ratio (target: at most 1.4), and rserver-pam's own time on top of
PAM, measured with a service that accepts everything (target: at most 15 ms more than pamtester needs for it).
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ACCOUNT, PASSWORD = f"rscb{os.getpid()}", "correct horse battery staple"
SERVICE = f"rstest-bench-{os.getpid()}"
SERVICES = {
    SERVICE: "auth required pam_unix.so\naccount required pam_unix.so\n",
    f"{SERVICE}-open": "auth required pam_permit.so\naccount required pam_permit.so\n",
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=40)
    runs = parser.parse_args().runs
    if os.geteuid() != 0:
        sys.exit("pam_check needs root: it makes an account")
    with shadow_account(), pam_services():
        times = {name: measure(name, runs) for name in SERVICES}
    whole, bare = times[SERVICE], times[f"{SERVICE}-open"]
    result = {
        "bench": "pam_check",
        "runs": runs,
        "rserver_pam_ms": whole[0],
        "pamtester_ms": whole[1],
        "ratio": round(whole[0] / whole[1], 2),
        "own_ms": round(bare[0] - bare[1], 2),
    }
    print(json.dumps(result))


def measure(service: str, runs: int) -> tuple[float, float]:
    """Median milliseconds of rserver-pam and of pamtester, one run of each in turn."""
    ours = [sys.executable, "-I", "-S", str(ROOT / "rserver_pam" / "__main__.py"), ACCOUNT, service]
    theirs = ["pamtester", service, ACCOUNT, "authenticate", "acct_mgmt"]
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(runs + 2):
        for argv, into in zip((ours, theirs), times, strict=True):
            elapsed = check(argv)
            if number >= 2:
                into.append(elapsed)
    return round(statistics.median(times[0]) * 1000, 2), round(statistics.median(times[1]) * 1000, 2)


def check(argv: list[str]) -> float:
    """Seconds of one check, which must succeed."""
    started = time.perf_counter()
    subprocess.run(argv, input=PASSWORD.encode() + b"\n", capture_output=True, check=True)
    return time.perf_counter() - started


@contextmanager
def shadow_account() -> Iterator[None]:
    """An account with a password of the machine's default hash."""
    subprocess.run(["useradd", "--no-create-home", ACCOUNT], check=True, capture_output=True)
    try:
        subprocess.run(["chpasswd"], input=f"{ACCOUNT}:{PASSWORD}".encode(), check=True, capture_output=True)
        yield
    finally:
        subprocess.run(["userdel", ACCOUNT], check=True, capture_output=True)


@contextmanager
def pam_services() -> Iterator[None]:
    """The two services in /etc/pam.d."""
    paths = [Path("/etc/pam.d") / name for name in SERVICES]
    try:
        for path, text in zip(paths, SERVICES.values(), strict=True):
            path.write_text(text)
        yield
    finally:
        for path in paths:
            path.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
