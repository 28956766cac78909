"""Completions of a line of input, asked of R."""

import json

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.python.failure import Failure

from rsession.error_code import ErrorCode, RpcError
from rsession.rpc_method import Param
from rsession.service_api import ServiceApi
from rsession.services.utf16 import prefix, unit_length

_LONGEST = 1024 * 1024
_READ_BACK = 8192
_PATIENCE = 5.0


def register(api: ServiceApi) -> None:
    """Enter `get_completions`."""

    @api.rpc.method("get_completions", Param("line", "string"), Param("cursor", "integer"))
    def get_completions(line: str, cursor: int) -> "dict[str, object] | Deferred[dict[str, object]]":
        """What may stand at the cursor (UTF-16 units); nothing while R is busy. `line` may have several lines."""
        before = _before_cursor(line, cursor)
        if api.r.is_busy:
            return _nothing(cursor)
        asked = api.jobs.call("complete", before[-_READ_BACK:])
        asked.addTimeout(_PATIENCE, api.clock)
        return asked.addCallback(_answer, cursor).addErrback(_too_late, cursor)


def _before_cursor(line: str, cursor: int) -> str:
    if len(line) > _LONGEST:
        raise RpcError(ErrorCode.PARAM_INVALID, "line is too long")
    try:
        before = prefix(line, cursor)
        before.encode()
    except UnicodeEncodeError:
        raise RpcError(ErrorCode.PARAM_INVALID, "line has half a character (an unpaired surrogate)") from None
    except ValueError as error:
        raise RpcError(ErrorCode.PARAM_INVALID, f"cursor: {error}") from None
    if "\0" in before:
        raise RpcError(ErrorCode.PARAM_INVALID, "line has a NUL character")
    return before


def _answer(answer: bytes, cursor: int) -> dict[str, object]:
    found = json.loads(answer)
    token = str(found["token"])
    return {"start": max(0, cursor - unit_length(token)), "token": token, "items": found["items"]}


def _too_late(failure: Failure, cursor: int) -> dict[str, object]:
    failure.trap(CancelledError, DeferredTimeout)
    return _nothing(cursor)


def _nothing(cursor: int) -> dict[str, object]:
    return {"start": cursor, "token": "", "items": []}
