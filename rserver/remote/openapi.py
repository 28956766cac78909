"""The OpenAPI 3.1 document of the door, made from the table of routes and the message types. Pure."""

import re
from typing import Any

import msgspec

from rserver.remote.messages import Error
from rserver.remote.routes import BYTES, FORM, JSON, ROUTES, Route
from rserver_core.version import VERSION

_PARAMETER = re.compile(r"\{(\w+)\}")
_WORDS = {
    400: "The request is not acceptable; the message names what is wrong.",
    401: "The token is missing, has ended or was voided.",
    404: "There is no such thing.",
    409: "That cannot be done now.",
    410: "The session has ended.",
    500: "The server failed.",
    503: "The session cannot be started at the moment.",
    507: "There is no room.",
}
_REF = "#/components/schemas/{name}"


def document(server: str) -> dict[str, Any]:
    """The document; server: the address of this door."""
    types = [kind for route in ROUTES for kind in (route.takes, route.gives) if _is_type(kind)]
    schemas, components = msgspec.json.schema_components([*types, Error], ref_template=_REF)
    of_type = dict(zip(map(str, [*types, Error]), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, of_type)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Remote execution", "version": VERSION, "description": "Run R code on this server."},
        "servers": [{"url": server.rstrip("/") or "/"}],
        "security": [{"Bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"Bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            "schemas": components,
        },
    }


def _operation(route: Route, of_type: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"operationId": route.operation, "summary": route.about}
    parameters = [_parameter(name, "path") for name in _PARAMETER.findall(route.path)]
    parameters += [_parameter(name, "query") for name in route.query]
    if parameters:
        made["parameters"] = parameters
    if route.takes is not None:
        made["requestBody"] = {"required": True, "content": _content(route.takes, of_type)}
    answers: dict[str, Any] = {str(route.status): {"description": "It is done."}}
    if route.gives is not None:
        answers[str(route.status)]["content"] = _content(route.gives, of_type)
    for status in route.errors:
        answers[str(status)] = {"description": _WORDS[status], "content": _content(Error, of_type)}
    made["responses"] = answers
    if route.public:
        made["security"] = []
    return made


def _parameter(name: str, place: str) -> dict[str, Any]:
    return {"name": name, "in": place, "required": True, "schema": {"type": "string"}}


def _content(kind: Any, of_type: dict[str, Any]) -> dict[str, Any]:
    if kind == BYTES:
        return {BYTES: {}}
    if kind == FORM:
        file = {"type": "string", "contentMediaType": BYTES}
        return {FORM: {"schema": {"type": "object", "properties": {"file": file}, "required": ["file"]}}}
    return {JSON: {"schema": of_type[str(kind)]}}


def _is_type(kind: Any) -> bool:
    return kind is not None and kind not in {BYTES, FORM}
