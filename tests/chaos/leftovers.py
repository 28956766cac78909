"""What must not be left when everything has ended."""

import os
import re
import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rsession.temporary_note import is_orphan
from tests.chaos.homes import Home, temporary_of

_ASIDE = re.compile(r"(\.(part|new|tmp|lock|swp|pid)|~|\.json\.\d+|\.exit\.\d+)$")
_BAD_LOG = re.compile(r"Unhandled|Traceback|never retrieved|Error in|AssertionError|failed: \w+Error")
_GROUP = re.compile(r"rserver-([0-9a-f]{21})-\d+")


def processes(uids: Sequence[int]) -> list[str]:
    """Every process of these users, zombies too."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            status = Path(f"/proc/{name}/status").read_text()
        except OSError:
            continue
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        if int(fields["Uid"].split()[0]) in uids:
            found.append(f"process {name} {fields['Name']} ({fields['State']}, child of {fields['PPid']})")
    return found


def files(run_dir: Path, lib_dir: Path, homes: Sequence[Home]) -> list[str]:
    """Sockets, records, and what was written aside."""
    # Notes of ends stay a minute.
    found = [f"{path}" for path in (run_dir / "sessions").iterdir() if path.suffix != ".exit"]
    for root in (run_dir, lib_dir, *(home.path for home in homes)):
        found += [str(path) for path in _below(root) if _ASIDE.search(path.name) and path.name != "rserver.pid"]
    return found + [_described(path) for home in homes for path in temporary_of(home.owner.uid) if not _is_spare(path)]


def orphans(homes: Sequence[Home]) -> list[str]:
    """Temporary folders of R processes that were killed."""
    temporary = (path for home in homes for path in temporary_of(home.owner.uid))
    return [str(path) for path in temporary if path.name.startswith("Rtmp") and is_orphan(str(path))]


def _is_spare(path: Path) -> bool:
    """The empty folder that took in what a home could not."""
    return path.name.startswith("rserver-") and not any(_below(path))


def _described(path: Path) -> str:
    changed = time.strftime("%H:%M:%S", time.localtime(path.lstat().st_mtime))
    return f"{path} of {changed} with {sorted(map(str, _below(path)))[:8]}"


def _below(root: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(root):
        yield from (Path(folder, name) for name in names)


def groups(ids: Sequence[str]) -> list[str]:
    """Control groups of these sessions."""
    found = []
    for folder, names, _ in os.walk("/sys/fs/cgroup"):
        found += [f"{folder}/{name}" for name in names if (match := _GROUP.fullmatch(name)) and match[1] in ids]
    return found


def database(lib_dir: Path) -> list[str]:
    """What SQLite says about ours."""
    complaints = []
    for path in (lib_dir / "db").glob("*.sqlite"):
        connection = sqlite3.connect(path)
        try:
            answer = [row[0] for row in connection.execute("PRAGMA integrity_check")]
        finally:
            connection.close()
        complaints += [] if answer == ["ok"] else [f"{path}: {answer}"]
    return complaints


def log_lines(log: str) -> list[str]:
    """Lines of mistakes."""
    return [line for line in log.splitlines() if _BAD_LOG.search(line)]
