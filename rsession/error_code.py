"""Codes of the errors that an RPC answers; the page and the proxy rely on the numbers."""

from enum import IntEnum


class ErrorCode(IntEnum):
    """One number per meaning, as in the reference of the protocols between the processes."""

    UNAVAILABLE = 2
    UNKNOWN_CLIENT = 4
    NOT_JSON = 5
    NOT_A_REQUEST = 6
    UNKNOWN_METHOD = 7
    PARAM_MISSING = 8
    PARAM_TYPE = 9
    PARAM_INVALID = 10
    INTERNAL = 11
    WRONG_STATE = 22
    R_ERROR = 100
    STALE_REVISION = 1001
    CHANGED_ON_DISK = 1002
    NOT_WRITABLE = 1003


class RpcError(Exception):
    """An answer that refuses: `code` for programs, `message` for the person at the page."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class RError(RpcError):
    """A job ended in an R error; the message is the condition's."""

    def __init__(self, message: str) -> None:
        super().__init__(ErrorCode.R_ERROR, message)
