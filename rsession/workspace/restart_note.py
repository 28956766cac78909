"""What one process of a session tells the next one when R is restarted: a small file in the session's folder."""

import os
import sys
from contextlib import suppress
from functools import cache
from typing import Literal, NamedTuple

from rsession.state_home import state_home
from rsession.workspace.folder import NOT_RESTORED, StoreFolder

Objects = Literal["keep", "drop", "aside", "back"]
_NAME = "restart"
_LIMIT = 1 << 20


class RestartNote(NamedTuple):
    """objects: what becomes of the store. command: to be run at the first prompt. directory: where to begin.

    aside: the name of the store that comes back, the present one is set aside for it; with objects="back".
    """

    objects: Objects
    command: str = ""
    directory: str = ""
    aside: str = ""

    @property
    def starts_empty(self) -> bool:
        """Neither the store nor `.RData` is read."""
        return self.objects in {"drop", "aside"}


def write_note(folder: StoreFolder, note: RestartNote) -> None:
    """Aside, fsync, rename. Raises OSError."""
    # R's start waits for this module.
    import json
    from pathlib import Path

    from rsession.services.disk_file import sync_folder, write_private

    folder.make()
    path = Path(folder.session_path, _NAME)
    write_private(path, json.dumps(note._asdict()).encode())
    sync_folder(path.parent)


def withdraw_note(folder: StoreFolder) -> None:
    """R goes on after all."""
    with suppress(OSError):
        os.unlink(f"{folder.session_path}/{_NAME}")


@cache
def take_note(home: str, session_id: str) -> RestartNote | None:
    """Do what the note says, once; None when the session was not restarted. To be called before the store is read."""
    folder = StoreFolder(state_home(home).path, session_id)
    note = _read(f"{folder.session_path}/{_NAME}")
    if note is None:
        return None
    if not note.starts_empty and not folder.was_suspended:
        # R ended before everything was written: nobody restarted it.
        withdraw_note(folder)
        return None
    try:
        if note.objects == "aside" and folder.holds_objects:
            folder.set_aside(NOT_RESTORED, keeps_console=True)
        elif note.objects == "drop":
            folder.empty()
        elif note.objects == "back":
            folder.take_back(note.aside)
    except OSError as error:
        print(f"rsession: the old objects cannot be put away: {error.strerror}", file=sys.stderr)
    withdraw_note(folder)
    return note


def _read(path: str) -> RestartNote | None:
    try:
        with open(path, "rb") as file:
            text = file.read(_LIMIT)
        import json

        fields = json.loads(text)
        texts = (str(fields[name]) for name in ("command", "directory", "aside"))
        return RestartNote(_objects(fields["objects"]), *texts)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _objects(text: object) -> Objects:
    match text:
        case "drop" | "aside" | "keep" | "back":
            return text
    raise ValueError(text)
