"""Exit codes of rserver that scripts and service managers rely on."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Why rserver ended."""

    CLEAN = 0
    FAILURE = 1
    CONFIGURATION = 2
    ALREADY_RUNNING = 3
    PORT_IN_USE = 4


class StartRefused(Exception):
    """The server cannot start; the text tells the administrator why, code is the exit code."""

    def __init__(self, code: ExitCode, message: str) -> None:
        super().__init__(message)
        self.code = code
