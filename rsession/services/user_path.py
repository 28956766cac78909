"""Paths as people type them."""

import os
from pathlib import Path

from rsession.error_code import ErrorCode, RpcError

_LONGEST = 4096


def absolute_path(text: str, home: str) -> Path:
    """The absolute path without `.` and `..`; `~` is the home folder, relative ones start at R's working directory.

    Raises RpcError PARAM_INVALID.
    """
    if not text or "\0" in text or len(text) > _LONGEST:
        raise RpcError(ErrorCode.PARAM_INVALID, "path must have 1 to 4096 characters, none of them NUL")
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        raise RpcError(ErrorCode.PARAM_INVALID, "path has characters that no file name can have") from None
    if text == "~" or text.startswith("~/"):
        text = home + text[1:]
    return Path(_normal(text))


def _normal(text: str) -> str:
    try:
        return os.path.abspath(text)
    except FileNotFoundError:
        raise RpcError(ErrorCode.PARAM_INVALID, "the working directory is gone; give an absolute path") from None
