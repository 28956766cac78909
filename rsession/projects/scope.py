"""Where a project's own state lies: `.Rproj.user/<context id>` in its folder, for its user alone. Blocking."""

import os
import stat
from contextlib import suppress
from pathlib import Path

from rsession.projects.inherited import hands_rights_on, make_shared
from rsession.projects.records import context_id

FOLDER = ".Rproj.user"
_NEW_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def project_state(state: Path, folder: str) -> Path:
    """The folder, made when it is missing; OSError with the reason when nothing may be kept there.

    A project may lie where others write. What they put in the way (links, folders of theirs) is not used.
    """
    shared = Path(folder, FOLDER)
    if _make(shared, 0o755):
        if hands_rights_on(folder):
            make_shared(shared, 0o775)
        _hide_new(shared)
    found = shared.lstat()
    if stat.S_ISLNK(found.st_mode) and found.st_uid != os.geteuid():
        raise OSError(f"{shared} is a link of somebody else")
    own = shared / context_id(state)
    _make(own, 0o700)
    found = own.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise OSError(f"{own} is no folder of yours")
    if not os.access(own, os.W_OK | os.X_OK):
        raise OSError(f"{own} cannot be written")
    return own


def hide_from_git(folder: int) -> None:
    """Have git overlook all that is in this folder, unless somebody has said already what it overlooks there."""
    # A repository works without it, and a project where nothing can be written still opens.
    with suppress(OSError):
        descriptor = os.open(".gitignore", _NEW_FLAGS, 0o664, dir_fd=folder)
        with os.fdopen(descriptor, "wb") as file:
            file.write(b"*\n")


def _hide_new(path: Path) -> None:
    # Where others write, a link could be in its place by now.
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        hide_from_git(descriptor)
    finally:
        os.close(descriptor)


def _make(path: Path, mode: int) -> bool:
    """Whether it was not there before."""
    try:
        path.mkdir(mode=mode)
    except FileExistsError:
        return False
    return True
