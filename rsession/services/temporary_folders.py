"""R removes its temporary folder when it ends, unless it is killed or crashes: the user's next session does it then."""

import os
import stat
from typing import TYPE_CHECKING

from twisted.logger import Logger

from rsession import _shim
from rsession.service_api import ServiceApi
from rsession.services.background import in_thread
from rsession.temporary_note import is_orphan

if TYPE_CHECKING:
    from twisted.python.failure import Failure

_LATER_SECONDS = 3.0
"""The folder of all temporary files may be large, and nobody waits for this: R and its user come first."""

_log = Logger()


def register(api: ServiceApi) -> None:
    """Some time after R has its folder, remove what others left beside it."""
    api.clock.callLater(_LATER_SECONDS, _look, api)


def _look(api: ServiceApi) -> None:
    path = _shim.temporary_folder()
    if path is None:
        register(api)
    else:
        in_thread(remove_orphans, os.path.dirname(path)).addErrback(_complain)


def remove_orphans(parent: str) -> None:
    """Remove the folders of this user's R processes that have ended here."""
    with os.scandir(parent) as entries:
        orphans = [entry.path for entry in entries if entry.name.startswith("Rtmp") and _is_own_orphan(entry)]
    if orphans:
        import shutil  # slow to load, and seldom needed

        for path in orphans:
            shutil.rmtree(path, ignore_errors=True)


def _is_own_orphan(entry: "os.DirEntry[str]") -> bool:
    try:
        about = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(about.st_mode) and about.st_uid == os.getuid() and is_orphan(entry.path)


def _complain(failure: "Failure") -> None:
    _log.warn("temporary folders of ended sessions are not removed: {reason}", reason=failure.getErrorMessage())
