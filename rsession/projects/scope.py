"""The folder in a project by which sessions see each other, and which git is to overlook. Blocking."""

import os
from contextlib import suppress

FOLDER = ".Rproj.user"
_NEW_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def hide_from_git(folder: int) -> None:
    """Have git overlook all that is in this folder, unless somebody has said already what it overlooks there."""
    # A repository works without it, and a project where nothing can be written still opens.
    with suppress(OSError):
        descriptor = os.open(".gitignore", _NEW_FLAGS, 0o664, dir_fd=folder)
        with os.fdopen(descriptor, "wb") as file:
            file.write(b"*\n")
