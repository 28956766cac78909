"""Puts collaborative editing into a session whose project is open."""

import json
import re
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from rsession.collab.meeting import Meeting
from rsession.error_code import ErrorCode, RpcError
from rsession.http_message import Request, Response
from rsession.rpc_method import Param
from rsession.services.background import Background, in_thread

if TYPE_CHECKING:
    from twisted.internet.epollreactor import EPollReactor

    from rsession.collab.handover import Handover
    from rsession.http_connection import HttpConnection
    from rsession.presence.presence import Presence
    from rsession.services.documents import Documents
    from rsession.session import Session

_EPOCH = re.compile(r"[0-9a-f]{16}", re.ASCII)
_ID = Param("id", "string")


def register(
    session: "Session",
    documents: "Documents",
    presence: "Presence",
    session_id: str,
    reactor: "EPollReactor",
    background: Background = in_thread,
) -> None:
    """Enter methods and routes, and begin to look who else has a file open."""
    meeting = Meeting(session, documents, presence, session_id, reactor, background)
    prefix = f"/collab/{session_id}/"

    @session.rpc.method("collab_joined", _ID, Param("epoch", "string"), is_use=False)
    def collab_joined(id_: str, epoch: str) -> None:
        """The page shows the shared text of this epoch."""
        if not _EPOCH.fullmatch(epoch):
            raise RpcError(ErrorCode.PARAM_INVALID, "epoch: 16 hexadecimal digits are needed")
        meeting.joined(documents.get(id_).id, epoch)

    @session.rpc.method("collab_host_lost", _ID, Param("server", "string"), is_use=False)
    def collab_host_lost(id_: str, server: str) -> None:
        """The page cannot reach the host."""
        meeting.host_lost(documents.get(id_).id, server)

    def probe(request: Request) -> Response:
        hosting = meeting.hosting(request.path.removeprefix(prefix))
        return Response(200, json.dumps({"hosting": hosting is not None and hosting.is_open}).encode())

    def poll(request: Request) -> "Response | Deferred[Response]":
        hosting = meeting.hosting(request.path.removeprefix(prefix))
        if hosting is None:
            return Response.of_text(404, "the text is not shared here")
        return Deferred.fromCoroutine(hosting.poll(request))

    def open_door(request: Request, connection: "HttpConnection") -> "Handover | Response":
        hosting = meeting.hosting(request.path.removeprefix(prefix))
        if hosting is None:
            return Response.of_text(404, "the text is not shared here")
        return hosting.open_door(request, connection)

    session.routes.get(prefix, probe)
    session.routes.method("POST", prefix, poll)
    session.routes.socket(prefix, open_door)
    session.add_to_client_init("collab", meeting.described)
    session.on_end(meeting.end)
    session.on_project_closed(meeting.leave)
    meeting.begin()
