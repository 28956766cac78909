"""The user's preferences, `rstudio-prefs.json`: the site's file below the user's own. Blocking; never raises."""

import os
from collections.abc import Mapping

_NAME = "rstudio-prefs.json"
_LIMIT = 1 << 20


def read_preferences(environment: Mapping[str, str]) -> dict[str, object]:
    """Every value of both files; a file that is missing, too large or no JSON object counts as empty."""
    merged: dict[str, object] = {}
    for folder in (_site_folder(environment), _user_folder(environment)):
        merged |= _read(f"{folder}/{_NAME}")
    return merged


def _site_folder(environment: Mapping[str, str]) -> str:
    return environment.get("RSTUDIO_CONFIG_DIR") or "/etc/rstudio"


def _user_folder(environment: Mapping[str, str]) -> str:
    own = environment.get("RSTUDIO_CONFIG_HOME")
    return own or f"{environment.get('XDG_CONFIG_HOME') or os.path.expanduser('~/.config')}/rstudio"


def _read(path: str) -> dict[str, object]:
    try:
        with open(path, "rb") as file:
            text = file.read(_LIMIT + 1)
    except OSError:
        return {}
    import json  # most people have no such file, and R's start waits for this module

    try:
        values = json.loads(text) if len(text) <= _LIMIT else None
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}
