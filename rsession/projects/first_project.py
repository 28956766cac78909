"""The project that the administrator gives to everybody: copied once, at a user's first session. Blocking."""

import os
import shutil
from pathlib import Path

from rsession.link_lock import link_lock
from rsession.projects.folder import CannotOpen, project_file
from rsession.projects.records import Recent, add_recent

_MARK = "first-project-copied"


def copy_first_project(state: Path, home: str, template: str, folder: str) -> str | None:
    """Copy the template into folder and put it on the list; the copy's path, None when that was done before. OSError.

    What is there already is left as it is. Links are copied as links.
    """
    mark = state / "projects_settings" / _MARK
    if mark.exists():
        return None
    with link_lock(mark):
        if mark.exists():
            return None
        copy = Path(folder, os.path.basename(template.rstrip("/")))
        aside = copy.with_name(f".{copy.name}.{os.urandom(4).hex()}.part")
        if not os.path.lexists(copy):
            try:
                shutil.copytree(template, aside, symlinks=True)
                aside.rename(copy)
            finally:
                shutil.rmtree(aside, ignore_errors=True)
        mark.touch(mode=0o600)
    _list(state, home, str(copy))
    return str(copy)


def _list(state: Path, home: str, folder: str) -> None:
    try:
        file = project_file(folder)
    except CannotOpen:
        return
    if file is not None:
        add_recent(state, home, Recent(file))
