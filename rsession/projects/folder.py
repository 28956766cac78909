"""Finding the project in a folder and opening it, as the user. Blocking; nothing here waits for a FIFO."""

import errno
import os
import stat
from dataclasses import dataclass, field
from enum import IntEnum

from rsession.projects.options import ProjectOptions, options_of
from rsession.projects.rproj import DEFAULT, MAX_BYTES, ProjectFile

ENDING = ".Rproj"
_READ_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
_NEW_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
_MOST_ENTRIES = 100_000


class Refusal(IntEnum):
    """Exit codes of a session whose project cannot be opened; the server has a sentence for each."""

    NOT_A_FOLDER = 201
    NO_PROJECT_FILE = 202
    GONE = 203
    NOT_READABLE = 204


class CannotOpen(Exception):
    """The message is for the user."""

    def __init__(self, refusal: Refusal, message: str) -> None:
        super().__init__(message)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Project:
    """An open project. file: path of its `.Rproj`; problem: why its settings are not used, a sentence or empty."""

    folder: str
    file: str
    options: ProjectOptions = field(default_factory=ProjectOptions)
    problem: str = ""

    @property
    def name(self) -> str:
        """What people call it."""
        return self.options.name or os.path.basename(self.folder) or self.folder


def open_project(path: str) -> Project:
    """The project in a folder, or of a `.Rproj` file, given as absolute path; CannotOpen."""
    path = os.path.normpath(path)
    named = path if path.endswith(ENDING) and not os.path.isdir(path) else ""
    folder = os.path.dirname(named) if named else path
    file = named if named and _is_file(named) else project_file(folder)
    if file is None:
        raise CannotOpen(Refusal.NO_PROJECT_FILE, f"There is no project file ({ENDING}) in {folder}.")
    try:
        return Project(folder, file, options_of(read_project_file(file).fields))
    except OSError as error:
        reason = error.strerror or str(error)
        return Project(folder, file, problem=f"{file} cannot be read ({reason}); its settings are not used.")


def project_file(folder: str) -> str | None:
    """The one named like the folder, or else the one changed last; None when there is none. CannotOpen."""
    found = [f"{folder}/{name}" for name in _names(folder) if name.endswith(ENDING) and name != ENDING]
    files = [path for path in found if _is_file(path)]
    preferred = f"{folder}/{os.path.basename(folder)}{ENDING}"
    return preferred if preferred in files else max(files, key=_changed, default=None)


def create_project(folder: str) -> str:
    """Make what is missing: the folder and a `.Rproj` with defaults; the path of that file. CannotOpen, OSError."""
    os.makedirs(folder, exist_ok=True)
    known = project_file(folder)
    if known is not None:
        return known
    path = f"{folder}/{os.path.basename(folder) or 'project'}{ENDING}"
    descriptor = os.open(path, _NEW_FLAGS, 0o666)
    with os.fdopen(descriptor, "wb") as file:
        file.write(DEFAULT.encode())
        file.flush()
        os.fsync(descriptor)
    return path


def read_project_file(path: str) -> ProjectFile:
    """OSError, EINVAL for what is no regular file, EFBIG for what is too large to be a project file."""
    descriptor = os.open(path, _READ_FLAGS)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise OSError(errno.EFBIG, f"it is larger than {MAX_BYTES // 1024} KiB")
    return ProjectFile(content)


def _names(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry, _ in zip(entries, range(_MOST_ENTRIES), strict=False)]
    except FileNotFoundError:
        raise CannotOpen(Refusal.GONE, f"The project folder {folder} is gone.") from None
    except NotADirectoryError:
        raise CannotOpen(Refusal.NOT_A_FOLDER, f"{folder} is not a folder.") from None
    except OSError as error:
        message = f"The project folder {folder} cannot be read: {error.strerror}."
        raise CannotOpen(Refusal.NOT_READABLE, message) from None


def _is_file(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False


def _changed(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0
