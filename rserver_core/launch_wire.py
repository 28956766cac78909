"""What it takes to start a session, and what is known of one that runs (docs/reference/internal-protocols.md §1)."""

import re
from dataclasses import dataclass, fields
from typing import Any

from rserver_core.session_id import is_session_id
from rserver_core.user_name import is_user_name

MAX_ARGUMENTS, MAX_ARGUMENT = 64, 4096
MAX_VARIABLES, MAX_VALUE = 128, 32768
SIGNALS = ("INT", "TERM", "KILL", "USR1", "USR2")
_VARIABLE = re.compile(r"[A-Z_][A-Za-z0-9_]{0,127}", re.ASCII)


class BadRequest(Exception):
    """A message has a field that is missing or not acceptable; the text names it."""


@dataclass(frozen=True, slots=True)
class LaunchSpec:
    """One session to start: id, account, options of rsession, extra environment.

    uid: what the account must have, so that a new account of an old name does not get the old one's session; -1: any.
    """

    session: str
    user: str
    argv: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    uid: int = -1

    def to_json(self) -> dict[str, Any]:
        """As it travels."""
        named = {"session": self.session, "user": self.user, "uid": self.uid}
        return named | {"argv": list(self.argv), "env": dict(self.env)}

    @classmethod
    def from_json(cls, value: object) -> "LaunchSpec":
        """Checked from the wire; BadRequest names what is wrong."""
        if not isinstance(value, dict):
            raise BadRequest("launch is no object")
        argv, env = _argv(value.get("argv", [])), _env(value.get("env", {}))
        return cls(session_of(value), user_of(value), argv, env, _uid(value.get("uid", -1)))


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """One running session; pid_start and keeper_start, clock ticks since boot, tell a reused pid from the real one."""

    session: str
    user: str
    uid: int
    gid: int
    pid: int
    keeper_pid: int
    started: float
    pid_start: int
    keeper_start: int
    socket: str

    def to_json(self) -> dict[str, Any]:
        """As it travels and lies in the run directory."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, value: object) -> "SessionRecord":
        """Checked from a file or the wire; BadRequest names what is wrong."""
        if not isinstance(value, dict):
            raise BadRequest("a session record is no object")
        known: dict[str, Any] = {field.name: _of_type(value, field.name, field.type) for field in fields(cls)}
        session_of(known)
        return cls(**known)


def _of_type(record: dict[str, Any], name: str, kind: object) -> Any:
    content = record.get(name)
    allowed = (int, float) if kind is float else (kind,)
    if type(content) not in allowed:
        raise BadRequest(f"session record: {name} is missing or of the wrong type")
    return content


def session_of(value: dict[str, Any]) -> str:
    """The checked session id in a message."""
    session = value.get("session")
    if not isinstance(session, str) or not is_session_id(session):
        raise BadRequest("session is no session id")
    return session


def user_of(value: dict[str, Any]) -> str:
    """The checked account name in a message."""
    user = value.get("user")
    if not isinstance(user, str) or not is_user_name(user):
        raise BadRequest("user is no account name")
    return user


def _uid(value: object) -> int:
    if type(value) is not int or not -1 <= value < 1 << 32:
        raise BadRequest("uid is no user number")
    return value


def signal_of(value: dict[str, Any]) -> str:
    """The checked signal name in a message."""
    name = value.get("signal")
    if name not in SIGNALS:
        raise BadRequest(f"signal is none of {' '.join(SIGNALS)}")
    return str(name)


def _argv(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MAX_ARGUMENTS:
        raise BadRequest(f"argv is no list of at most {MAX_ARGUMENTS} texts")
    for argument in value:
        if not isinstance(argument, str) or len(argument) > MAX_ARGUMENT or "\0" in argument:
            raise BadRequest(f"argv holds something that is no text of at most {MAX_ARGUMENT} characters")
    return tuple(value)


def _env(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict) or len(value) > MAX_VARIABLES:
        raise BadRequest(f"env is no object of at most {MAX_VARIABLES} variables")
    for name, content in value.items():
        if not _VARIABLE.fullmatch(name):
            raise BadRequest(f"env: {name[:40]!r} is no variable name")
        if not isinstance(content, str) or len(content) >= MAX_VALUE or "\0" in content:
            raise BadRequest(f"env: the value of {name} is no text below {MAX_VALUE} characters")
    return tuple(value.items())
