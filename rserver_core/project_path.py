"""Paths of projects as people type them: bounded, one line, absolute or in the home directory. Pure."""

import os
import unicodedata

MOST_BYTES = 3072
ENDING = ".Rproj"
_REFUSED = frozenset({"Cc", "Cs", "Zl", "Zp"})


class BadPath(ValueError):
    """Not acceptable as the path of a project; the text is a sentence."""


def needs_home(text: str) -> bool:
    """The home directory must be known to tell the folder."""
    return text.strip() == "~" or text.lstrip().startswith("~/")


def project_folder(text: str, home: str) -> str:
    """The absolute path of the folder, without `.` and `..`; of a `.Rproj` file the folder that holds it. BadPath."""
    path = text.strip()
    if not path:
        raise BadPath("The path of a project must not be empty.")
    if any(unicodedata.category(sign) in _REFUSED for sign in path):
        raise BadPath("The path of a project must not hold control characters or line breaks.")
    if needs_home(path):
        path = home.rstrip("/") + path[1:]
    if not path.startswith("/"):
        raise BadPath("The path of a project must begin with / or ~/.")
    path = os.path.normpath("/" + path.lstrip("/"))
    if path.endswith(ENDING):
        path = os.path.dirname(path)
    if len(path.encode()) > MOST_BYTES:
        raise BadPath(f"The path of a project must have at most {MOST_BYTES} bytes.")
    return path


def project_name(folder: str) -> str:
    """What people call the project in a folder."""
    return os.path.basename(folder) or folder
