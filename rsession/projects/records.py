"""What the state folder of a user remembers of projects, in RStudio's own files and formats. Blocking."""

import os
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from rsession.link_lock import link_lock
from rsession.services.disk_file import read_bytes, write_private

MOST_RECENT = 15
_MOST_BYTES = 1 << 20
_MAPPING = re.compile(r'([0-9a-f]{8,13})="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Recent:
    """An entry of the list: path of a `.Rproj` file and the name that its project has chosen, if any."""

    file: str
    name: str = ""


def recent_projects(state: Path, home: str) -> list[Recent]:
    """The list, the project opened last first."""
    entries = [line.partition("\t") for line in _lines(_mru(state))]
    return [Recent(_absolute(path, home), name) for path, _, name in entries if path][:MOST_RECENT]


def add_recent(state: Path, home: str, recent: Recent) -> None:
    """Put a project at the top of the list, unless its path cannot be written in one line. OSError."""
    if any(unicodedata.category(sign) == "Cc" for sign in recent.file + recent.name):
        return
    with link_lock(_mru(state)):
        others = [known for known in recent_projects(state, home) if known.file != recent.file]
        _write_recent(state, home, [recent, *others][:MOST_RECENT])


def forget_recent(state: Path, home: str, folder: str) -> None:
    """Take the projects of a folder off the list. OSError."""
    with link_lock(_mru(state)):
        kept = [known for known in recent_projects(state, home) if os.path.dirname(known.file) != folder]
        _write_recent(state, home, kept)


def note_project_id(state: Path, home: str, project_id: str, folder: str) -> None:
    """Write down which folder an id of the server's addresses stands for; lines of others stay. OSError."""
    path = state / "projects_settings" / "project-id-mappings"
    written = _aliased(folder, home).replace("\\", "\\\\").replace('"', '\\"')
    line = f'{project_id}="{written}"'
    if line in _lines(path):
        return
    with link_lock(path):
        kept = [old for old in _lines(path) if not ((match := _MAPPING.fullmatch(old)) and match[1] == project_id)]
        write_private(path, "".join(f"{each}\n" for each in [*kept, line]).encode("utf-8", "surrogateescape"))


def _write_recent(state: Path, home: str, recents: list[Recent]) -> None:
    lines = [_aliased(each.file, home) + (f"\t{each.name}" if each.name else "") for each in recents]
    write_private(_mru(state), "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape"))


def _mru(state: Path) -> Path:
    return state / "monitored" / "lists" / "project_name_mru"


def _lines(path: Path) -> list[str]:
    try:
        text = read_bytes(path, _MOST_BYTES)[0].decode("utf-8", "surrogateescape")
    except OSError:
        return []
    return [line.rstrip("\r") for line in text.split("\n") if line.strip()]


def _aliased(path: str, home: str) -> str:
    return f"~{path[len(home) :]}" if home and (path == home or path.startswith(home.rstrip("/") + "/")) else path


def _absolute(path: str, home: str) -> str:
    return home + path[1:] if path == "~" or path.startswith("~/") else path
