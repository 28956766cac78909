"""The Files pane: what a folder holds."""

import heapq
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from rsession.error_code import ErrorCode, RpcError
from rsession.rpc_method import Param
from rsession.service_api import ServiceApi
from rsession.services.background import Background, in_thread
from rsession.services.user_path import absolute_path

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

_SHOWN = 5000
_READ = 200_000


def register(api: ServiceApi, background: Background = in_thread) -> None:
    """Enter `list_files`."""
    home = api.environment.get("HOME", "/")

    @api.rpc.method("list_files", Param("path", "string", "~"))
    def list_files(path: str) -> "Deferred[dict[str, object]]":
        """A folder's first 5000 entries by name, hidden ones too; symbolic links count as what they point to."""
        return background(list_folder, absolute_path(path or "~", home))


def list_folder(folder: Path) -> dict[str, object]:
    """The answer of `list_files`; raises RpcError PARAM_INVALID with the reason. Blocking."""
    try:
        with os.scandir(folder) as found:
            entries = [entry for entry, _ in zip(found, range(_READ), strict=False)]
    except OSError as error:
        raise RpcError(ErrorCode.PARAM_INVALID, f"{folder} cannot be listed: {error.strerror}") from None
    shown = heapq.nsmallest(_SHOWN, entries, key=lambda entry: (entry.name.lower(), entry.name))
    return {
        "path": _printable(str(folder)),
        "parent": None if folder.parent == folder else _printable(str(folder.parent)),
        "entries": [_describe(entry) for entry in shown],
        "truncated": len(entries) > len(shown),
    }


def _describe(entry: "os.DirEntry[str]") -> dict[str, object]:
    status = _status(entry)
    mode = 0 if status is None else status.st_mode
    kind = "dir" if stat.S_ISDIR(mode) else "file" if stat.S_ISREG(mode) else "other"
    return {
        "name": _printable(entry.name),
        "kind": kind,
        "size": 0 if status is None else status.st_size,
        "modified": None if status is None else status.st_mtime,
    }


def _status(entry: "os.DirEntry[str]") -> os.stat_result | None:
    for follow in (True, False):
        try:
            return entry.stat(follow_symlinks=follow)
        except OSError:
            continue
    return None


def _printable(name: str) -> str:
    """Bytes that are no UTF-8 cannot travel in JSON; such a file is shown, and cannot be opened by this name."""
    return os.fsencode(name).decode("utf-8", "replace")
