"""The walled-in process as its starter sees it: ready, then a result, or why not."""

import json
import math
import os
import select
import signal
import time
from typing import Any, NamedTuple, NoReturn

from rserver_acls.errand import Errand, carry_out
from rserver_acls.refusal import Refusal

_MOST_RESULT = 1 << 20
_READY, _GO = b"\n", b"g"
_SLOW = "It took too long and was broken off."
_BROKEN = "The run broke off. Every object is as it was or as it should become; it can be run again."


class _Link(NamedTuple):
    incoming: int
    out: int


class Child:
    """Forked at once; it changes nothing before result() is asked for."""

    def __init__(self, errand: Errand, fds: tuple[int, int], end: float = math.inf) -> None:
        """fds: the manifests of the project and of the way to it. end: when it is killed, by time.monotonic()."""
        self._end = end
        self._from, theirs_out = os.pipe2(os.O_CLOEXEC)
        theirs_in, self._to = os.pipe2(os.O_CLOEXEC)
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._from)
            os.close(self._to)
            _be_the_child(errand, fds, _Link(theirs_in, theirs_out))
        for fd in (theirs_in, theirs_out, *fds):
            os.close(fd)

    def wait_until_ready(self) -> None:
        """It has opened the project and is walled in; Refusal when it could not."""
        first = self._read(1)
        if first != _READY:
            raise _refusal(self._received(first))

    def result(self) -> dict[str, Any]:
        """Let it begin; the fields of the answer. Refusal when it broke off."""
        os.write(self._to, _GO)
        message = self._received()
        if "result" not in message:
            raise _refusal(message)
        return dict(message["result"])

    def _read(self, most: int) -> bytes:
        if self._end < math.inf and not select.select([self._from], [], [], max(0.0, self._end - time.monotonic()))[0]:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            raise Refusal("failed", _SLOW)
        return os.read(self._from, most)

    def _received(self, content: bytes = b"") -> dict[str, Any]:
        while len(content) <= _MOST_RESULT and (chunk := self._read(65536)):
            content += chunk
        os.waitpid(self._pid, 0)
        try:
            return dict(json.loads(content))
        except ValueError:
            return {}


def _refusal(message: dict[str, Any]) -> Refusal:
    return Refusal(str(message.get("code", "failed")), str(message.get("message", _BROKEN)))


def _be_the_child(errand: Errand, fds: tuple[int, int], link: _Link) -> NoReturn:
    code = 1
    try:
        data = memoryview(json.dumps(_answer(errand, fds, link)).encode())
        while data:
            data = data[os.write(link.out, data) :]
        code = 0
    finally:
        os._exit(code)


def _answer(errand: Errand, fds: tuple[int, int], link: _Link) -> dict[str, Any]:
    try:
        return {"result": carry_out(errand, *fds, lambda: _ask_leave(link))}
    except Refusal as refusal:
        return {"code": refusal.code, "message": refusal.sentence}
    except OSError as error:
        return {"code": "failed", "message": f"{_BROKEN} ({error.strerror or error})"}


def _ask_leave(link: _Link) -> None:
    os.write(link.out, _READY)
    if os.read(link.incoming, 1) != _GO:
        raise Refusal("failed", _BROKEN)
