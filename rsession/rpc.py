"""Answers remote procedure calls: checks the body, finds the method, encodes what it returns."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn
from uuid import uuid4

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rsession.error_code import ErrorCode, RpcError
from rsession.event_log import encode_json
from rsession.http_message import Response
from rsession.rpc_method import Method, MethodTable

if TYPE_CHECKING:
    from twisted.python.failure import Failure

MAX_CLIENTS = 1000

_log = Logger()


@dataclass(frozen=True)
class RawJson:
    """A result that is JSON already."""

    text: str


class Clients:
    """Ids given out by client_init; beyond 1000 the one longest unused is forgotten."""

    def __init__(self) -> None:
        self._known: dict[str, None] = {}

    def add(self) -> str:
        """A new id."""
        client = uuid4().hex
        self._known[client] = None
        if len(self._known) > MAX_CLIENTS:
            del self._known[next(iter(self._known))]
        return client

    def check(self, client: object) -> str:
        """The id if it is known, else RpcError UNKNOWN_CLIENT."""
        if not isinstance(client, str) or client not in self._known:
            raise RpcError(ErrorCode.UNKNOWN_CLIENT, "unknown clientId: call client_init")
        self._known[client] = self._known.pop(client)
        return client


class Rpc:
    """The methods of a session behind `POST /rpc/<method>`."""

    def __init__(self, methods: MethodTable, clients: Clients, on_use: Callable[[], None] = lambda: None) -> None:
        self._methods = methods
        self._clients = clients
        self._on_use = on_use

    def answer(self, name: str, body: bytes, is_background: bool = False) -> "Response | Deferred[Response]":
        """Always status 200: errors are in the answer. is_background: no person made the page send it."""
        try:
            method = self._methods.find(name)
            result = self._call(method, _parse(name, body))
            if method.is_use and not is_background:
                self._on_use()
        except Exception as error:
            return _of_error(error, name)
        if isinstance(result, Deferred):
            return result.addCallbacks(_of_result, _of_failure, errbackArgs=(name,))
        return _of_result(result)

    def _call(self, method: Method, message: dict[str, object]) -> object:
        client = "" if method.open_to_strangers else self._clients.check(message.get("clientId"))
        params, kwparams = message.get("params"), message.get("kwparams")
        if not isinstance(params, list | None) or not isinstance(kwparams, dict | None):
            raise RpcError(ErrorCode.NOT_A_REQUEST, "params must be an array and kwparams an object")
        arguments = method.bind(params or [], kwparams or {})
        return method.handler(client, *arguments) if method.wants_client else method.handler(*arguments)


def _parse(name: str, body: bytes) -> dict[str, object]:
    try:
        message = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise RpcError(ErrorCode.NOT_JSON, "the body is no JSON") from None
    if not isinstance(message, dict) or message.get("method", name) != name:
        raise RpcError(ErrorCode.NOT_A_REQUEST, f"the body is no request for {name[:64]}")
    return message


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(constant)


def _of_text(text: str) -> Response:
    return Response(200, text.encode(), "application/json")


def _of_result(result: object) -> Response:
    text = result.text if isinstance(result, RawJson) else encode_json(result)
    return _of_text(f'{{"result":{text}}}')


def _of_error(error: BaseException, name: str) -> Response:
    if not isinstance(error, RpcError):
        _log.error("{name} failed: {error!r}", name=name[:64], error=error)
        error = RpcError(ErrorCode.INTERNAL, "internal error; the session's log says more")
    return _of_text(encode_json({"error": {"code": int(error.code), "message": error.message}}))


def _of_failure(failure: "Failure", name: str) -> Response:
    if not failure.check(RpcError):
        _log.failure("{name} failed", failure, name=name[:64])
    return _of_error(failure.value or RuntimeError(), name)
