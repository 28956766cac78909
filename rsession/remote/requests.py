"""What programs send, checked. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from rsession.error_code import ErrorCode, RpcError

MOST_NAMES = 1000
MOST_NAME = 10_000


@dataclass(frozen=True)
class ExecuteRequest:
    """Code, values by name that it finds in the workspace, names of objects that are wanted afterwards."""

    code: str
    inputs: Mapping[str, object]
    outputs: tuple[str, ...]


def execute_request(body: bytes) -> ExecuteRequest:
    """The body of an execution; RpcError PARAM_INVALID that names what is wrong."""
    message = _object(body)
    code = message.get("code")
    if not isinstance(code, str):
        raise _wrong("code is missing" if code is None else "code must be a string")
    inputs = _list(message, "inputParameters")
    return ExecuteRequest(code, dict(map(_input, inputs)), tuple(map(_name, _list(message, "outputParameters"))))


def _object(body: bytes) -> dict[str, object]:
    try:
        message = json.loads(body or b"{}", parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise _wrong("the body is no JSON") from None
    if not isinstance(message, dict):
        raise _wrong("the body must be a JSON object")
    return message


def _list(message: dict[str, object], name: str) -> list[object]:
    value = message.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > MOST_NAMES:
        raise _wrong(f"{name} must be an array of at most {MOST_NAMES}")
    return value


def _input(value: object) -> tuple[str, object]:
    if not isinstance(value, dict) or "value" not in value:
        raise _wrong("each of inputParameters must have name and value")
    return _name(value.get("name")), value["value"]


def _name(value: object) -> str:
    if not isinstance(value, str) or not value or "\0" in value or len(value.encode("utf-8", "replace")) > MOST_NAME:
        raise _wrong("the name of an object must be a string that is not empty")
    return value


def _wrong(what: str) -> RpcError:
    return RpcError(ErrorCode.PARAM_INVALID, what)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
