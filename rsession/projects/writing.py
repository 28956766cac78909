"""Changing the project file on the disk. Blocking."""

import errno
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from rsession.projects.folder import read_project_file
from rsession.projects.rproj import ProjectFile
from rsession.services.disk_file import replace_file


def write_project_file(path: str, changes: Mapping[str, str | None]) -> ProjectFile:
    """Change fields of the file; what it is then. BadField; OSError, and the file is as it was.

    In a folder where others write a link could lead to any file of ours: only links that we made are followed.
    """
    found = os.lstat(path)
    if stat.S_ISLNK(found.st_mode) and found.st_uid != os.geteuid():
        raise OSError(errno.EPERM, "it is a link that somebody else made")
    before = read_project_file(path)
    after = before.with_fields(changes)
    if after.content != before.content:
        replace_file(Path(path), after.content)
    return after
