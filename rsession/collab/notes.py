"""The notes by which sessions learn who has which document of a project open. Blocking.

Anybody who may write in the project can put anything there: what is not exactly a note is passed over.
"""

import contextlib
import json
import math
import os
import pwd
import re
import stat
import time
from dataclasses import dataclass, field
from pathlib import Path

from rserver_core.session_id import is_session_id

FOLDER = "shared/documents"
STALE_SECONDS = 60.0
_LIMIT = 8 << 10
_MOST = 500
_NAME = re.compile(r"([0-9a-f]{21})-([0-9a-f]{8})\.json", re.ASCII)
_EPOCH = re.compile(r"(?:[0-9a-f]{16})?", re.ASCII)
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY
_LONGEST_PATH = 4096


@dataclass(frozen=True, slots=True)
class Note:
    """changed, since: seconds since 1970; user: of the file's owner, empty when it has no name."""

    session: str
    document: str
    path: str
    changed: float
    epoch: str = ""
    since: float = 0.0
    user: str = field(default="", compare=False)
    seen: float = field(default=0.0, compare=False)
    """The time of the file."""

    @property
    def server(self) -> str:
        """How pages name the host."""
        return f"{self.session}/{self.document}"

    @property
    def file_name(self) -> str:
        """Of the note."""
        return f"{self.session}-{self.document}.json"


def folder_of(project: str) -> Path:
    """Where the notes of a project lie."""
    return Path(project, ".Rproj.user", FOLDER)


def make_folder(project: str) -> Path:
    """The folder, made when it is missing, for those who may write in the project. OSError."""
    wanted = stat.S_IMODE(os.stat(project).st_mode)
    path = Path(project, ".Rproj.user")
    for name in FOLDER.split("/"):
        path = path / name
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o777)
            if not _has_default_acl(path.parent):
                path.chmod(wanted | stat.S_ISVTX | stat.S_IRWXU)
        if stat.S_ISLNK(path.lstat().st_mode):
            raise OSError(f"{path} is a link")
    return path


def write(folder: Path, note: Note) -> None:
    """Replace the note of one document: aside, rename. OSError."""
    fields = {name: getattr(note, name) for name in ("session", "document", "path", "changed", "epoch", "since")}
    aside = folder / f".{note.file_name}.part"
    with contextlib.suppress(FileNotFoundError):
        aside.unlink()
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({"version": 1, **fields}, file)
        if not _has_default_acl(folder):
            os.fchmod(descriptor, stat.S_IMODE(folder.stat().st_mode) & 0o664 | 0o600)
    aside.rename(folder / note.file_name)


def refresh(folder: Path, note: Note) -> None:
    """The document is still open. OSError."""
    os.utime(folder / note.file_name, follow_symlinks=False)


def remove(folder: Path, note: Note) -> None:
    """The document was closed."""
    with contextlib.suppress(OSError):
        (folder / note.file_name).unlink()


def read_all(folder: Path) -> list[Note]:
    """Every note that counts; none when the folder cannot be read."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry, _ in zip(entries, range(4 * _MOST), strict=False)]
    except OSError:
        return []
    found = (_read(folder / name) for name in sorted(names)[:_MOST] if _NAME.fullmatch(name))
    return [note for note in found if note is not None]


def _read(path: Path) -> Note | None:
    try:
        descriptor = os.open(path, _READ)
        with os.fdopen(descriptor, "rb") as file:
            facts = os.fstat(descriptor)
            content = file.read(_LIMIT + 1)
        if not stat.S_ISREG(facts.st_mode) or len(content) > _LIMIT or time.time() - facts.st_mtime > STALE_SECONDS:
            return None
        return _note(path.name, json.loads(content), facts)
    except (OSError, ValueError, RecursionError):
        return None


def _note(name: str, fields: object, facts: os.stat_result) -> Note | None:
    if not isinstance(fields, dict) or fields.pop("version", None) != 1:
        return None
    if set(fields) != {"session", "document", "path", "changed", "epoch", "since"}:
        return None
    session, document, epoch = fields["session"], fields["document"], fields["epoch"]
    if not isinstance(session, str) or not is_session_id(session) or name != f"{session}-{document}.json":
        return None
    is_sound = _is_path(fields["path"]) and isinstance(epoch, str) and _EPOCH.fullmatch(epoch)
    if not is_sound or not all(map(_is_time, (fields["changed"], fields["since"]))):
        return None
    # Nobody is newest because of a clock that is wrong.
    changed = min(float(fields["changed"]), time.time())
    return Note(
        session, document, fields["path"], changed, epoch, float(fields["since"]), _user(facts.st_uid), facts.st_mtime
    )


def _is_path(path: object) -> bool:
    if not isinstance(path, str) or not 0 < len(path) <= _LONGEST_PATH or "\0" in path:
        return False
    return not path.startswith("/") and os.path.normpath(path) == path and not path.startswith("../") and path != ".."


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""


def _has_default_acl(folder: Path) -> bool:
    try:
        os.getxattr(folder, "system.posix_acl_default")
    except OSError:
        return False
    return True
