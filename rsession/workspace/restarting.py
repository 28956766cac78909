"""Restart R: this process ends with an exit code of its own, and the server starts the next one at once."""

import os
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from rsession.error_code import ErrorCode, RpcError
from rsession.rpc_method import Param
from rsession.services.background import in_thread
from rsession.working_directory import working_directory
from rsession.workspace.folder import NOT_RESTORED
from rsession.workspace.restart_note import Objects, RestartNote, withdraw_note, write_note
from rsession.workspace.suspension import EXIT_RESTARTED

if TYPE_CHECKING:
    from rsession.session import Session
    from rsession.workspace.folder import StoreFolder
    from rsession.workspace.snapshots import Snapshots
    from rsession.workspace.suspension import Suspension

_MOST_CHARACTERS = 100_000
_REASON = "R is restarted."


class Restarting:
    """Nothing is lost when it does not work: the note is withdrawn, and the session goes on."""

    def __init__(
        self, session: "Session", folder: "StoreFolder", snapshots: "Snapshots", suspension: "Suspension"
    ) -> None:
        self._session = session
        self._folder = folder
        self._snapshots = snapshots
        self._suspension = suspension
        self._add_methods()

    def _add_methods(self) -> None:
        force = Param("force", "boolean", False, doc="whatever stands against it; what R does is interrupted")

        @self._session.rpc.method(
            "restart_session",
            Param("keep_workspace", "boolean", True, doc="whether the objects come back"),
            Param("after_restart_command", "string", "", doc="run at the first prompt"),
            force,
        )
        def restart_session(keep: bool, command: str, is_forced: bool) -> "Deferred[dict[str, object]]":
            """End R and have it started again: `{"restarting", "blockers": [{"kind", "reason"}]}`. Console, history and
            documents stay; code 1003 when the objects cannot be written: the session goes on.
            """
            if len(command) > _MOST_CHARACTERS or "\0" in command:
                raise RpcError(ErrorCode.PARAM_INVALID, f"after_restart_command: at most {_MOST_CHARACTERS} characters")
            return Deferred.fromCoroutine(self._restart("keep" if keep else "drop", command, is_forced))

        @self._session.rpc.method("discard_restored", force)
        def discard_restored(is_forced: bool) -> "Deferred[dict[str, object]]":
            """Start empty after a crash: all objects are written, the store is moved aside, R is started again."""
            return Deferred.fromCoroutine(self._restart("aside", "", is_forced))

        @self._session.rpc.method("take_back_objects", force)
        def take_back_objects(is_forced: bool) -> "Deferred[dict[str, object]]":
            """Have the objects back that were set aside last; those of now are written and set aside instead, and R is
            started again. Code 22 when none are set aside.
            """
            return Deferred.fromCoroutine(self._restart("back", "", is_forced))

    async def _restart(self, objects: Objects, command: str, is_forced: bool) -> dict[str, object]:
        await self._snapshots.when_open()
        directory = working_directory() if objects == "drop" else ""
        note = RestartNote(objects, command, directory, await in_thread(self._set_aside) if objects == "back" else "")
        try:
            await in_thread(write_note, self._folder, note)
        except OSError as error:
            text = f"R was not restarted: {self._folder.session_path} cannot be written: {error.strerror}."
            raise RpcError(ErrorCode.NOT_WRITABLE, text) from error
        answer: dict[str, object] = {}
        try:
            answer = await self._leave(objects, is_forced)
        finally:
            if not answer.get("suspended"):
                withdraw_note(self._folder)
        return {"restarting": answer["suspended"], "blockers": answer["blockers"]}

    async def _leave(self, objects: Objects, is_forced: bool) -> dict[str, object]:
        if objects == "drop":
            return await self._suspension.leave(is_forced, EXIT_RESTARTED)
        # What was moved aside need not be usable: there is nobody whom lost connections could hurt.
        return await self._suspension.suspend(is_forced, _REASON, EXIT_RESTARTED, heeds_r=objects == "keep")

    def _set_aside(self) -> str:
        """The name of the store that was set aside last."""
        try:
            if aside := self._folder.last_aside(NOT_RESTORED):
                return os.path.basename(aside)
        except OSError as error:
            raise RpcError(ErrorCode.NOT_WRITABLE, f"{self._folder.session_path}: {error.strerror}.") from error
        raise RpcError(ErrorCode.WRONG_STATE, "No objects of this session are set aside.")
