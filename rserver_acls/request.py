"""What may be asked: one bounded JSON object, checked field by field before anything else happens."""

import json
import os
from typing import Any, NamedTuple

from rserver_acls.refusal import BadRequest
from rserver_core.user_name import is_user_name

MAX_REQUEST, MAX_MEMBERS, MAX_PATH = 65536, 200, 4095
ACTIONS = ("share", "unshare", "refresh", "status")
_FIELDS = {"version", "action", "project_dir", "owner", "members"}


class Request(NamedTuple):
    """One request, well-formed; whether these people and this folder exist is not known yet."""

    action: str
    project_dir: str
    owner: str
    members: tuple[str, ...]


def read(fd: int) -> bytes:
    """Everything on that descriptor; BadRequest when it is more than a request can be."""
    content = b""
    while len(content) <= MAX_REQUEST:
        chunk = os.read(fd, MAX_REQUEST + 1 - len(content))
        if not chunk:
            return content
        content += chunk
    raise BadRequest(f"The request is larger than {MAX_REQUEST} bytes.")


def parse(content: bytes) -> Request:
    """The request in these bytes; BadRequest names what is wrong with it."""
    try:
        value = json.loads(content, object_pairs_hook=_once)
    except _Twice:
        raise BadRequest("The request holds a field twice.") from None
    except (ValueError, RecursionError):
        raise BadRequest("The request is no JSON.") from None
    if not isinstance(value, dict) or value.keys() != _FIELDS:
        raise BadRequest(f"The request must be an object with the fields {', '.join(sorted(_FIELDS))}, each once.")
    if value["version"] != 1 or isinstance(value["version"], bool):
        raise BadRequest("The version of the request must be 1.")
    action = value["action"]
    if not isinstance(action, str) or action not in ACTIONS:
        raise BadRequest(f"The action must be one of {', '.join(ACTIONS)}.")
    members = _members(value["members"], _name(value["owner"], "owner"))
    if action == "share" and not members:
        raise BadRequest("The list members must not be empty: it says with whom to share.")
    return Request(action, _path(value["project_dir"]), value["owner"], members)


class _Twice(ValueError):
    """A field is there more than once."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Twice
    return found


def _name(value: object, field: str) -> str:
    if not isinstance(value, str) or not is_user_name(value):
        raise BadRequest(f"The field {field} must hold account names.")
    return value


def _members(value: object, owner: str) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MAX_MEMBERS:
        raise BadRequest(f"The field members must be a list of at most {MAX_MEMBERS} account names.")
    names = tuple(_name(name, "members") for name in value)
    if len(set(names)) != len(names) or owner in names:
        raise BadRequest("The list members must name nobody twice, and not the owner.")
    return names


def _path(value: object) -> str:
    if not isinstance(value, str) or not value.startswith("/") or "\0" in value:
        raise BadRequest("The field project_dir must be an absolute path.")
    try:
        length = len(os.fsencode(value))
    except UnicodeError:
        raise BadRequest("The field project_dir must be a path of this system.") from None
    if length > MAX_PATH:
        raise BadRequest(f"The field project_dir must have at most {MAX_PATH} bytes.")
    if any(part in {"", ".", ".."} for part in value[1:].split("/")):
        raise BadRequest("The field project_dir must be a path without empty parts, . and ..")
    return value
