"""The RPC methods of projects."""

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from rserver_core.project_path import BadPath, project_folder
from rsession.error_code import ErrorCode, RpcError
from rsession.projects import records
from rsession.projects.folder import CannotOpen, Project, create_project, project_file, read_project_file
from rsession.projects.options import ProjectOptions, options_of
from rsession.projects.rproj import BadField, ProjectFile
from rsession.projects.writing import write_project_file
from rsession.rpc_method import Param
from rsession.services.background import Background

if TYPE_CHECKING:
    from rsession.session import Session

_MOST_FIELDS = 200
_PATH = Param("path", "string", doc="folder, from / or ~/ on; also its .Rproj file")


class ProjectMethods:
    """The project of one session, for its pages."""

    def __init__(self, session: "Session", project_id: str, new_folder: str, background: Background) -> None:
        self._session = session
        self._project_id = project_id
        self._new_folder = new_folder
        self._background = background
        self._home = session.environment.get("HOME", "/")

    def described(self) -> dict[str, object]:
        """The field `project` of client_init's answer; `open` is null without a project."""
        project = self._session.project
        return {"open": None if project is None else self._describe(project), "new_folder": self._new_folder}

    def tell(self) -> None:
        """The project has other options than before."""
        self._session.events.emit("project_changed", self.described())

    def add(self) -> None:
        """Enter them into the session's table."""
        self._add_reading()
        self._add_making()
        self._add_recent()

    def _add_reading(self) -> None:
        rpc = self._session.rpc

        @rpc.method("get_project")
        def get_project() -> dict[str, object]:
            """`{"open": the open project or null, "new_folder": where new ones are made}`."""
            return self.described()

        @rpc.method("read_project_options")
        def read_project_options() -> "Deferred[dict[str, object]]":
            """The fields of the project file as written, and what is wrong with them: `{"fields", "problems"}`."""
            return self._background(_read, self._open().file).addCallback(_answer)

        @rpc.method(
            "write_project_options", Param("fields", "object", doc="text by name of the field; null takes it out")
        )
        def write_project_options(fields: dict[str, object]) -> "Deferred[dict[str, object]]":
            """Change fields of the project file and obey them from now on; everything else keeps its bytes."""
            return Deferred.fromCoroutine(self._write(self._open(), fields))

    def _add_making(self) -> None:
        rpc = self._session.rpc

        @rpc.method("create_project", _PATH)
        def create(path: str) -> "Deferred[dict[str, object]]":
            """Make the folder and a project file with defaults, as far as they are missing: `{"folder", "file"}`."""
            return self._background(_create, self._folder(path))

        @rpc.method("check_project", _PATH)
        def check(path: str) -> "Deferred[dict[str, object]]":
            """`{"folder", "state", "message"}`; states: `project no_project gone no_folder unreadable`."""
            return self._background(_check, self._folder(path))

    def _add_recent(self) -> None:
        rpc = self._session.rpc

        @rpc.method("list_recent_projects")
        def list_recent_projects() -> "Deferred[list[dict[str, object]]]":
            """The last 15 projects, the last one first: `[{"folder", "file", "name", "gone"}]`."""
            return self._background(_recent, self._session, self._home)

        @rpc.method("forget_recent_project", _PATH)
        def forget_recent_project(path: str) -> "Deferred[None]":
            """Take a project off that list; its files stay."""
            return self._background(_forget, self._session, self._home, self._folder(path))

    def _open(self) -> Project:
        project = self._session.project
        if project is None:
            raise RpcError(ErrorCode.PARAM_INVALID, "no project is open in this session")
        return project

    def _folder(self, path: str) -> str:
        try:
            return project_folder(path, self._home)
        except BadPath as error:
            raise RpcError(ErrorCode.PARAM_INVALID, str(error)) from None

    async def _write(self, project: Project, fields: dict[str, object]) -> dict[str, object]:
        changes = _changes(fields)
        try:
            file = await self._background(write_project_file, project.file, changes)
        except BadField as error:
            raise RpcError(ErrorCode.PARAM_INVALID, str(error)) from None
        except OSError as error:
            message = f"{project.file} cannot be written: {error.strerror or error}"
            raise RpcError(ErrorCode.NOT_WRITABLE, message) from None
        self._session.project = replace(project, options=options_of(file.fields), problem="")
        self.tell()
        return _answer(file)

    def _describe(self, project: Project) -> dict[str, object]:
        problems = [*filter(None, [project.problem]), *project.options.problems]
        return {
            "id": self._project_id,
            "name": _printable(project.name),
            "folder": _printable(project.folder),
            "file": _printable(project.file),
            "editor": _editor(project.options),
            "problems": [_printable(problem) for problem in problems],
        }


def _editor(options: ProjectOptions) -> dict[str, object]:
    return {
        "spaces_for_tab": options.spaces_for_tab,
        "tab_width": options.tab_width,
        "append_newline": options.appends_newline,
        "strip_trailing_whitespace": options.strips_trailing_blanks,
    }


def _changes(fields: dict[str, object]) -> dict[str, str | None]:
    if len(fields) > _MOST_FIELDS:
        raise RpcError(ErrorCode.PARAM_INVALID, f"at most {_MOST_FIELDS} fields can be changed at once")
    changes: dict[str, str | None] = {}
    for name, value in fields.items():
        if not (value is None or isinstance(value, str)):
            raise RpcError(ErrorCode.PARAM_TYPE, f"the value of {name[:64]} must be text or null")
        changes[name] = value
    return changes


def _answer(file: ProjectFile) -> dict[str, object]:
    fields = file.fields
    return {"fields": fields, "problems": list(options_of(fields).problems)}


def _read(path: str) -> ProjectFile:
    try:
        return read_project_file(path)
    except OSError as error:
        raise RpcError(ErrorCode.PARAM_INVALID, f"{path} cannot be read: {error.strerror}") from None


def _forget(session: "Session", home: str, folder: str) -> None:
    try:
        records.forget_recent(session.paths.state, home, folder)
    except OSError as error:
        reason = error.strerror or str(error)
        raise RpcError(ErrorCode.NOT_WRITABLE, f"the list of projects cannot be written: {reason}") from None


def _create(folder: str) -> dict[str, object]:
    try:
        return {"folder": folder, "file": _printable(create_project(folder))}
    except (CannotOpen, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise RpcError(ErrorCode.NOT_WRITABLE, f"the project {folder} cannot be made: {reason}") from None


_STATES = {201: "no_folder", 202: "no_project", 203: "gone", 204: "unreadable"}


def _check(folder: str) -> dict[str, object]:
    try:
        file = project_file(folder)
    except CannotOpen as error:
        return {"folder": folder, "state": _STATES[error.refusal], "message": str(error)}
    state, message = ("project", "") if file else ("no_project", f"There is no project file (.Rproj) in {folder}.")
    return {"folder": folder, "state": state, "message": message}


def _recent(session: "Session", home: str) -> list[dict[str, object]]:
    return [
        {
            "folder": _printable(os.path.dirname(recent.file)),
            "file": _printable(recent.file),
            "name": _printable(recent.name or os.path.basename(os.path.dirname(recent.file))),
            "gone": not os.path.lexists(recent.file),
        }
        for recent in records.recent_projects(session.paths.state, home)
    ]


def _printable(text: str) -> str:
    """Bytes that are no UTF-8, in names that somebody else may have given, cannot travel in JSON."""
    return os.fsencode(text).decode("utf-8", "replace")
