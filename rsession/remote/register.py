"""Puts what programs use into a session: paths below /remote/, which the server's remote-execution door leads to."""

import os
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from rsession.error_code import ErrorCode, RpcError
from rsession.event_log import encode_json
from rsession.http_message import Refusal, Request, Response
from rsession.remote import files, objects
from rsession.remote.execution import Execution
from rsession.remote.patience import patiently
from rsession.remote.r_values import NoRValue
from rsession.remote.requests import ExecuteRequest, execute_request
from rsession.remote.runs import Runs

if TYPE_CHECKING:
    from rsession.session import Session

PREFIX = "/remote"


def register(session: "Session") -> None:
    """Called once, when the working directory is the session's own."""
    folder = os.getcwd()
    execution = Execution(session, folder)
    files.register(session, folder)
    objects.register(session)

    runs = Runs()

    def execute(request: Request) -> "Deferred[Response]":
        session.use()
        wanted = _checked(request.body)
        run_id = request.headers.get("x-request-id", "")
        answer = runs.begin(run_id, lambda: Deferred.fromCoroutine(_run(execution, wanted)))
        return patiently(answer.addCallback(_json), session.clock)

    def cancel(_request: Request) -> Response:
        execution.cancel()
        return _json("")

    session.routes.method("POST", f"{PREFIX}/execute", execute)
    session.routes.method("POST", f"{PREFIX}/cancel", cancel)
    session.routes.method("GET", f"{PREFIX}/history", lambda _: _json(execution.history))
    session.routes.method("GET", f"{PREFIX}/console-output", lambda _: _console_output(execution))


def _console_output(execution: Execution) -> Response:
    return _json({"consoleOutput": execution.console_output})


def _checked(body: bytes) -> ExecuteRequest:
    try:
        return execute_request(body)
    except RpcError as error:
        raise Refusal(400, error.message) from None


async def _run(execution: Execution, wanted: ExecuteRequest) -> dict[str, object]:
    try:
        return await execution.run(wanted.code, wanted.inputs, wanted.outputs)
    except NoRValue as error:
        raise Refusal(400, f"inputParameters: {error}") from None
    except RpcError as error:
        status = {ErrorCode.UNAVAILABLE: 503, ErrorCode.R_ERROR: 500}.get(error.code, 400)
        raise Refusal(status, error.message) from None


def _json(value: object) -> Response:
    return Response(200, encode_json(value).encode(), "application/json")
