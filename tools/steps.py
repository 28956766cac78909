"""Steps of the set-up: each is done once for the same inputs, says so in one line, and keeps its output in a log."""

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.layout import ROOT, STATE

_LOG_TAIL = 30


class SetUpError(Exception):
    """The set-up cannot go on; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Step:
    """name: of stamp and log; says: one line for the user; key: digest of the inputs; wants: a file that must exist."""

    name: str
    says: str
    key: str
    wants: Path
    do: Callable[[], None]

    def run(self) -> None:
        """Do it unless it was done for this key."""
        stamp = STATE / f"{self.name}.stamp"
        if self.wants.exists() and stamp.exists() and stamp.read_text() == self.key:
            return
        say(self.says)
        self.do()
        aside = stamp.with_suffix(".new")
        aside.write_text(self.key)
        aside.rename(stamp)


def say(text: str) -> None:
    """One line of progress."""
    print(f"set-up: {text}", flush=True)


def command(log: str, argv: Sequence[str | Path], cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> None:
    """Run a program quietly; its output goes to .make/<log>.log, and to the user when it fails."""
    path = STATE / f"{log}.log"
    environ = os.environ if env is None else {**os.environ, **env}
    with path.open("wb") as output:
        code = subprocess.run(
            argv, cwd=cwd, env=environ, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        ).returncode
    if code:
        tail = path.read_text(errors="replace").splitlines()[-_LOG_TAIL:]
        print(*tail, sep="\n", file=sys.stderr)
        raise SetUpError(f"{' '.join(map(str, argv[:4]))} … ended with {code}; all it said is in {path}")


def digest(*parts: object) -> str:
    """A digest of texts."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()


def digest_of_files(paths: Iterable[Path]) -> str:
    """A digest of names and contents."""
    state = hashlib.sha256()
    for path in sorted(paths):
        state.update(f"{path.relative_to(ROOT)}\0".encode())
        state.update(hashlib.sha256(path.read_bytes()).digest())
    return state.hexdigest()


@contextmanager
def only_one() -> Iterator[None]:
    """One set-up at a time in this checkout; a second one waits."""
    STATE.mkdir(exist_ok=True)
    try:
        lock = os.open(STATE / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except PermissionError:
        # Somebody else's checkout, set up by its owner: nothing to write, so nothing to guard.
        yield
        return
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(lock)
