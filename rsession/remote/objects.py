"""Objects of the workspace as RData: in and out as streams, their names, their removal."""

import json
from typing import TYPE_CHECKING, cast

from twisted.internet.defer import Deferred

from rsession.error_code import RError
from rsession.event_log import encode_json
from rsession.http_message import Refusal, Request, Response, StreamedResponse
from rsession.remote.pipes import PipeReceiver, PipeSource

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorFDSet

    from rsession.http_stream import Sender
    from rsession.session import Session

PATH = "/remote/workspace"
_MOST_NAME = 10_000


def register(session: "Session") -> None:
    """Called once."""
    objects = Objects(session)
    session.routes.method("GET", PATH, lambda _: Deferred.fromCoroutine(objects.names()))
    session.routes.method("GET", f"{PATH}/", lambda request: Deferred.fromCoroutine(objects.get(request)))
    session.routes.method("DELETE", f"{PATH}/", lambda request: Deferred.fromCoroutine(objects.remove(request)))
    session.routes.receiver("POST", f"{PATH}/", objects.put)


class Objects:
    """Answers below /remote/workspace."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._reactor = cast("IReactorFDSet", session.clock)

    async def names(self) -> Response:
        """All but what R itself keeps there."""
        names = json.loads(await self._session.jobs.call("remote_names"))
        return Response(200, encode_json(names).encode(), "application/json")

    async def get(self, request: Request) -> Response:
        """A stream that R's `load()` reads; with `?native=1` in this machine's byte order, which is faster."""
        name = _name(request)
        await self._check_is_there(name)
        native = "1" if request.query.get("native") == "1" else ""
        source = PipeSource(self._reactor, lambda path: self._session.jobs.call("remote_save", path, name, native))
        return StreamedResponse(200, source=source)

    def put(self, request: Request, sender: "Sender") -> PipeReceiver:
        """Load a stream that R's `save()` wrote. One object gets the name of the address, several keep their own."""
        name = _name(request)
        self._session.use()
        return PipeReceiver(self._reactor, sender, lambda path: Deferred.fromCoroutine(self._load(path, name)))

    async def remove(self, request: Request) -> Response:
        """Remove it."""
        name = _name(request)
        await self._check_is_there(name)
        await self._session.jobs.call("remote_remove", name)
        return Response(200, b'""', "application/json")

    async def _load(self, path: str, name: str) -> Response:
        try:
            await self._session.jobs.call("remote_load", path, name)
        except RError as error:
            raise Refusal(400, f"The body is no RData: {error.message}") from None
        return Response(200, b'""', "application/json")

    async def _check_is_there(self, name: str) -> None:
        if not json.loads(await self._session.jobs.call("remote_exists", name)):
            raise Refusal(404, f"There is no object {name} in the workspace.")


def _name(request: Request) -> str:
    name = request.path.removeprefix(f"{PATH}/")
    if not name or "\0" in name or len(name.encode("utf-8", "replace")) > _MOST_NAME:
        raise Refusal(400, "The name of an object must be between 1 and 10,000 bytes long, without NUL.")
    return name
