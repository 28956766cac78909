"""Where its user is in the editor: the active tab, and cursor and scroll position of each document."""

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import TypeGuard

from twisted.logger import Logger

from rsession.error_code import ErrorCode, RpcError
from rsession.open_editor import OpenEditor
from rsession.rpc_method import Param
from rsession.service_api import ServiceApi
from rsession.services.background import Background, in_thread
from rsession.services.disk_file import write_private
from rsession.services.source_database import MAX_DOCUMENTS

_log = Logger()
_NAME = "view"
_LIMIT = 1 << 16
_ID = re.compile(r"[0-9a-f]{8}")
_FIELDS = ("anchor", "head", "top")
_PAUSE_SECONDS = 1.0

View = dict[str, object]


def register(api: ServiceApi, background: Background = in_thread) -> None:
    """Enter `save_view`, and the view into client_init. The last page that tells is the one that counts."""
    path = api.paths.sources / _NAME
    kept = {"view": _read(path)}
    _tell(api.editor, kept["view"])
    waiting: list[View] = []

    @api.rpc.method("save_view", Param("view", "object", doc="active, places: see client_init"), is_use=False)
    def save_view(view: View) -> None:
        """Remember the active document and the places in all of them, for the next page or process."""
        if not is_view(view):
            raise RpcError(ErrorCode.PARAM_INVALID, "view: active and places of open documents are needed")
        kept["view"] = view
        _tell(api.editor, view)
        if not waiting:
            api.clock.callLater(_PAUSE_SECONDS, write)
        waiting.append(view)

    def write() -> None:
        view = waiting[-1]
        waiting.clear()
        background(_write, path, view).addErrback(
            lambda failure: _log.debug("the places in documents: {reason}", reason=failure.getErrorMessage())
        )

    def end() -> None:
        if waiting:
            with suppress(OSError):
                _write(path, waiting[-1])

    api.on_end(end)
    api.add_to_client_init("view", lambda: kept["view"])


def _tell(editor: OpenEditor, view: View | None) -> None:
    if view is not None:
        active, places = view["active"], view["places"]
        editor.active = active if isinstance(active, str) else None
        editor.heads = {id_: place["head"] for id_, place in places.items()} if isinstance(places, dict) else {}
        editor.changed()


def is_view(view: object) -> TypeGuard[View]:
    """`{"active": id or null, "places": {id: {"anchor", "head", "top"}}}` with whole numbers from 0 on."""
    if not isinstance(view, dict) or set(view) != {"active", "places"}:
        return False
    active, places = view["active"], view["places"]
    if not (active is None or _is_id(active)) or not isinstance(places, dict) or len(places) > MAX_DOCUMENTS:
        return False
    return all(_is_id(id_) and _is_place(place) for id_, place in places.items())


def _is_id(value: object) -> bool:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _is_place(place: object) -> bool:
    if not isinstance(place, dict) or set(place) != set(_FIELDS):
        return False
    return all(type(number) is int and 0 <= number < 1 << 31 for number in place.values())


def _read(path: Path) -> View | None:
    try:
        with path.open("rb") as file:
            view = json.loads(file.read(_LIMIT))
    except (OSError, ValueError):
        return None
    return view if is_view(view) else None


def _write(path: Path, view: View) -> None:
    if path.parent.is_dir():
        write_private(path, json.dumps(view).encode())
