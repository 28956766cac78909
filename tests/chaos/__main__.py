"""`make chaos`: one run, and how to run it again."""

import argparse
import random
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.chaos.run import Run, Wishes, carry_out


def main(argv: Sequence[str]) -> int:
    """0 when nothing that was confirmed was lost and nothing was left over."""
    parser = argparse.ArgumentParser(prog="make chaos", description="Random faults, and what was confirmed")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--operations", type=int, default=500)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=20.0)
    given = parser.parse_args(argv)
    # The accounts and file systems of a run are put away also when it is told to end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    wishes = Wishes(given.seed, given.operations, given.sessions, given.minutes * 60)
    again = f"--seed {wishes.seed} --operations {wishes.operations} --sessions {wishes.sessions}"
    print(f'again: make chaos ARGS="{again} --minutes {given.minutes:g}"', flush=True)
    run = carry_out(wishes, _tell)
    for key, count in sorted(run.outcomes.items()):
        print(f"  {count:4} {key}")
    if run.complaints:
        _keep_logs(run)
    print(f"seed {wishes.seed}: {run.done} operations, {len(run.complaints)} complaints", flush=True)
    return 1 if run.complaints else 0


def _tell(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def _keep_logs(run: Run) -> None:
    folder = Path(tempfile.mkdtemp(prefix=f"chaos-{run.wishes.seed}-"))
    (folder / "server.log").write_text(run.server.running.log)
    for model in run.models:
        (folder / f"session-{model.number}-{model.id}.log").write_text("\n".join(model.log) + "\n")
    (folder / "complaints.log").write_text("\n".join(run.complaints) + "\n")
    print(*run.complaints, sep="\n")
    for model in run.models:
        if any(model.id in complaint for complaint in run.complaints):
            print(f"last operations of session {model.number} ({model.id}):", *list(model.log)[-16:], sep="\n")
    print(f"logs are kept in {folder}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
