"""What the server has told this session of sharing."""

import json
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Terms:
    """folder: of files about shared projects. socket: where the server is asked. root: besides homes; may be empty."""

    folder: str
    socket: str
    root: str = ""
    minimum_uid: int = 1000
    groups: tuple[str, ...] = ()


def terms_of(environment: Mapping[str, str]) -> Terms | None:
    """From the environment at start; None where projects are not shared."""
    socket = environment.get("RS_SERVER_RPC_SOCKET_PATH", "")
    try:
        told = json.loads(environment.get("RS_SHARING", ""))
        groups = tuple(str(group) for group in told["groups"])
        terms = Terms(str(told["folder"]), socket, str(told["root"]), int(told["minimum_uid"]), groups)
    except (ValueError, LookupError, TypeError):
        return None
    return terms if socket.startswith("/") and terms.folder.startswith("/") else None
