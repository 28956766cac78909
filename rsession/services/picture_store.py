"""Pictures of plots: from the folder in which R leaves them, else drawn by R; equal requests are drawn once."""

from pathlib import Path

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.python.failure import Failure

from rsession.error_code import ErrorCode, RpcError
from rsession.service_api import ServiceApi
from rsession.services.picture import PictureSize

_PATIENCE = 25.0
"""Seconds for which a picture waits for a busy R; below the time-outs of proxies."""


class PictureStore:
    """`folder` is known once R has started."""

    def __init__(self, api: ServiceApi) -> None:
        self._api = api
        self.folder: Path | None = None
        self._drawing: dict[str, list[Deferred[bytes]]] = {}

    def find(self, name: str) -> bytes | None:
        """A picture that was drawn already."""
        if self.folder is None:
            return None
        try:
            return (self.folder / name).read_bytes()
        except OSError:
            return None

    def find_any(self, id_: str) -> bytes | None:
        """The newest picture of a plot, whatever its size."""
        if self.folder is None:
            return None
        names = sorted(self.folder.glob(f"{id_}-*.png"), key=_age, reverse=True)
        return self.find(names[0].name) if names else None

    def draw(self, id_: str, size: PictureSize, name: str) -> "Deferred[bytes]":
        """Have R draw it; fails with RpcError, UNAVAILABLE when R stays busy for too long."""
        answer: Deferred[bytes] = Deferred()
        waiting = self._drawing.setdefault(name, [])
        waiting.append(answer)
        if len(waiting) == 1:
            job = self._api.jobs.call("plots_picture", id_, *size.as_arguments())
            job.addTimeout(_PATIENCE, self._api.clock)
            job.addErrback(_too_late).addBoth(self._drawn, name)
        return answer

    def _drawn(self, result: bytes | Failure, name: str) -> None:
        for waiting in self._drawing.pop(name):
            waiting.callback(result)


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _too_late(failure: Failure) -> Failure:
    if failure.check(CancelledError, DeferredTimeout):
        return Failure(RpcError(ErrorCode.UNAVAILABLE, "R is busy; the plot is drawn when it is ready"))
    return failure
