"""What programs send and get. Names on the wire are those of Microsoft's published interface, so that its clients work.

The types are the source of the OpenAPI document too.
"""

from typing import Annotated, Any

import msgspec

Name = Annotated[str, msgspec.Meta(max_length=256)]


class Message(msgspec.Struct, frozen=True, rename="camel"):
    """Unknown members are let pass, as clients of later versions send more."""


class Login(Message, frozen=True):
    """Name and password of an account of this machine."""

    username: Name
    password: Annotated[str, msgspec.Meta(max_length=1024)]


class RefreshToken(Message, frozen=True):
    """The refresh token that came with the last access token; it counts once."""

    refresh_token: Annotated[str, msgspec.Meta(max_length=512)]


class Tokens(msgspec.Struct, frozen=True):
    """An access token, and what renews it. expires_in: seconds; expires_on: seconds since 1970."""

    token_type: str
    access_token: str
    expires_in: int
    expires_on: int
    refresh_token: str


class CreateSession(Message, frozen=True):
    """What a new session is to be. All is optional."""

    name: Name | None = None
    snapshot_id: Name | None = None
    runtime_type: str | None = None


class CreatedSession(Message, frozen=True):
    """Where it is."""

    session_id: str


class SessionInfo(Message, frozen=True):
    """A session of the caller."""

    id: str
    name: str
    owner: str
    runtime_type: str


class WorkspaceObject(Message, frozen=True):
    """An object by name, with its value as JSON."""

    name: str
    value: Any = None


class ExecuteRequest(Message, frozen=True):
    """Code, objects that are put into the workspace before, names of those that are wanted after it."""

    code: str
    input_parameters: list[WorkspaceObject] = []
    output_parameters: list[str] = []


class ExecuteResponse(Message, frozen=True):
    """What came of it. changedFiles: files of the working directory that this code made or wrote."""

    success: bool
    error_message: str
    output_parameters: list[WorkspaceObject]
    console_output: str
    changed_files: list[str]


class ConsoleOutput(Message, frozen=True):
    """What the code that runs, or ran last, has written."""

    console_output: str


class Status(Message, frozen=True):
    """Whether the server works: pass, warn or fail; its components say the same of themselves."""

    status_code: str
    components: dict[str, Any]
    details: dict[str, Any]


class Error(Message, frozen=True):
    """Why something was refused: a sentence, where more is written, what kind of error it is."""

    message: str
    link: str = ""
    exception_type: str = ""
