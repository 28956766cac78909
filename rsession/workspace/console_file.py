"""What the console showed, from one process of a session to the next."""

import json
from contextlib import suppress
from pathlib import Path

from rsession.services.disk_file import write_private

_LIMIT = 8 << 20
_KINDS = ("input", "output", "error")


def write_console(path: str, actions: list[dict[str, str]]) -> None:
    """Aside, fsync, rename. Raises OSError."""
    write_private(Path(path), json.dumps({"actions": actions}).encode())


def read_console(path: str) -> list[tuple[str, str]]:
    """Types and texts, oldest first; nothing when the file is missing or is none of ours."""
    with suppress(OSError, ValueError, TypeError, KeyError), open(path, "rb") as file:
        actions = json.loads(file.read(_LIMIT))["actions"]
        pairs = [(action["type"], action["text"]) for action in actions]
        return [(kind, text) for kind, text in pairs if kind in _KINDS and isinstance(text, str)]
    return []
