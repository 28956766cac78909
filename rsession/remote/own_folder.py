"""The working directory that a session has for itself."""

import os

from rsession.state_home import state_home
from rsession.workspace.folder import FILES, session_folder


def own_folder(home: str, session_id: str) -> str:
    """Made when it is missing; it stays as long as the session. The home when it cannot be made."""
    path = f"{session_folder(state_home(home).path, session_id)}/{FILES}"
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
    except OSError:
        return home
    return path
