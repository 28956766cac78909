"""Requests of pages whose network lets no WebSocket through: filebase answers each, perhaps only after a while."""

import base64
import re
from itertools import count

from twisted.internet.defer import Deferred

from rsession.collab.filebase_process import Fields, FilebaseProcess
from rsession.error_code import ErrorCode, RpcError
from rsession.http_message import Request, Response

MOST_BYTES = (16 << 20) + (64 << 10)
"""Of a body: one message of the largest size."""
_MOST_OPEN = 256
_LINK = re.compile(r"[0-9a-f]{32}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,15}", re.ASCII)


class PollCalls:
    """Those that filebase has not answered yet."""

    def __init__(self, filebase: FilebaseProcess) -> None:
        self._filebase = filebase
        self._open: dict[int, Deferred[Response]] = {}
        self._numbers = count(1)

    def ask(self, request: Request, user: str) -> "Deferred[Response]":
        """Pass a request on; RpcError."""
        if len(request.body) > MOST_BYTES:
            raise RpcError(ErrorCode.PARAM_INVALID, f"a request may bring at most {MOST_BYTES >> 20} MiB")
        if len(self._open) >= _MOST_OPEN:
            raise RpcError(
                ErrorCode.UNAVAILABLE, f"{_MOST_OPEN} requests wait for this text, which is the most allowed"
            )
        fields = _fields(request)
        number = next(self._numbers)
        answer: Deferred[Response] = Deferred(lambda waiting: self._given_up(number, waiting))
        self._open[number] = answer
        body = base64.b64encode(request.body).decode()
        self._filebase.say("poll", request=number, user=user, body=body, **fields)
        return answer

    def answered(self, fields: Fields) -> None:
        """Filebase has answered one."""
        waiting = self._open.pop(fields["request"], None)
        if waiting is not None:
            waiting.callback(Response(200, base64.b64decode(fields["body"])))

    def end(self) -> None:
        """Filebase has ended."""
        waiting, self._open = self._open, {}
        for answer in waiting.values():
            answer.callback(Response.of_text(503, "the text is not shared here any more"))

    def _given_up(self, number: int, waiting: "Deferred[Response]") -> None:
        if self._open.pop(number, None) is not None:
            self._filebase.say("poll_over", request=number)
            waiting.callback(Response.of_text(503, "nobody waits for this"))


def _fields(request: Request) -> dict[str, object]:
    query = request.query
    if not _LINK.fullmatch(query.get("link", "")):
        raise RpcError(ErrorCode.PARAM_INVALID, "link: 32 hexadecimal digits are needed")
    for name in ("after", "first"):
        if not _NUMBER.fullmatch(query.get(name, "")):
            raise RpcError(ErrorCode.PARAM_INVALID, f"{name}: the number of a message is needed")
    return {
        "link": query["link"],
        "after": int(query["after"]),
        "first": int(query["first"]),
        "waits": query.get("waits") == "1",
    }
