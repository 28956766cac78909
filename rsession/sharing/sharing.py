"""What the user of this session is told of sharing, kept up to date, and the changes that are wanted."""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from rsession.error_code import ErrorCode, RpcError
from rsession.presence.watch import FolderWatch, file_system, is_watchable
from rsession.sharing.ground import told
from rsession.sharing.looking import NOT_YET, Looker, Seen, described
from rsession.sharing.people import Person, person
from rsession.sharing.server_line import ServerLine, ServerRefused

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

    from rserver_core.frame import Message
    from rsession.services.background import Background
    from rsession.session import Session
    from rsession.sharing.leaving import Leaving

_FIRST_SECONDS = 0.3
_SHARE_OF_TIME = 10
_PAUSE_SECONDS = 0.2
# Where the kernel tells of changes a look now and then is for folders that became stale.
_WATCHED_SECONDS, _POLL_SECONDS, _DOUBT_SECONDS = 60.0, 5.0, 2.0
_BUSY = "Access to this project is being changed already. Wait until that is done, or stop it."

_log = Logger()


@dataclass(slots=True)
class Operation:
    """A change that this session has asked for."""

    number: int
    done: int = 0
    total: int | None = None

    def described(self) -> dict[str, object]:
        """For pages."""
        return {"operation": self.number, "done": self.done, "total": self.total}


class Sharing:
    """lists_people: users may search the accounts of the machine. own: the session's user."""

    def __init__(
        self,
        session: "Session",
        looker: Looker,
        line: ServerLine,
        leaving: "Leaving",
        background: "Background",
        own: Person,
        *,
        lists_people: bool,
        folder: str,
    ) -> None:
        """folder: of the files about shared projects."""
        self._session, self._looker, self._line, self._leaving = session, looker, line, leaving
        self._background, self._own, self._lists_people, self._shared = background, own, lists_people, folder
        self._seen = Seen(reason=NOT_YET) if session.project is not None else Seen()
        self._told: dict[str, object] = {}
        self._told_others: list[dict[str, object]] = []
        self._operation: Operation | None = None
        self._operations = 0
        self._was_member_of = ""
        self._owner_before: Person | None = None
        self._watch = FolderWatch(session.clock, "-", lambda _: self._soon(_PAUSE_SECONDS))  # type: ignore[arg-type]
        self._is_watchable = self._is_asking = False
        self._is_looking = self._must_look_again = False
        self._wanted: list[Deferred[None]] = []
        self._next = 0.0
        self._waiting: IDelayedCall | None = None

    def begin(self) -> None:
        """From now on."""
        self._session.on_end(self._watch.stop)
        if self._session.presence is not None:
            self._session.presence.on_change(self._tell)
        self._soon(_FIRST_SECONDS)

    def described(self) -> dict[str, object]:
        """The state, from memory."""
        seen, project = self._seen, self._seen.known.project if self._seen.known else None
        return {
            "supported": not seen.reason,
            "reason": seen.reason,
            "owner": seen.owner.described() if seen.owner else None,
            "mine": seen.mine,
            "members": [self._member(name) for name in (project.members if project else ())],
            "lists_people": self._lists_people,
            "progress": self._operation.described() if self._operation else None,
            "unfinished": self._unfinished() if seen.mine and self._operation is None else None,
        }

    def _unfinished(self) -> dict[str, object] | None:
        seen = self._seen
        if seen.let_in:
            return {"members": [], "sentence": told(list(seen.let_in))}
        begun = seen.known.project.unfinished if seen.known else None
        return {"members": list(begun.members), "sentence": begun.reason or _BUSY} if begun else None

    def others(self) -> list[dict[str, object]]:
        """Projects of others, from memory."""
        return [described(known, self._own.name, self._seen.people) for known in self._seen.others]

    def look(self) -> "Deferred[None]":
        """Fires after a look that began now or later."""
        looked: Deferred[None] = Deferred()
        self._wanted.append(looked)
        if not self._is_looking:
            self._look_now()
        return looked

    def set_members(self, members: list[str]) -> "Deferred[dict[str, int]]":
        """Exactly these are members then; fires when it has begun. RpcError."""

        def looked(_: object) -> "Deferred[dict[str, int]]":
            if not self._seen.mine:
                raise RpcError(ErrorCode.PARAM_INVALID, "Only the owner of a project can share it.")
            project = self._session.project
            file = os.path.basename(project.file) if project is not None else ""
            return self._begin("share_members", members=members, project_file=f"{self._folder}/{file}")

        return self.look().addCallback(looked)

    def leave(self) -> "Deferred[dict[str, int]]":
        """Be a member no more. RpcError."""
        return self.look().addCallback(lambda _: self._begin("share_leave"))

    def cancel(self) -> "Deferred[Message]":
        """Stop the change under way. RpcError."""
        return self._line.ask("share_cancel", project_dir=self._folder)

    def withdrawn(self, by: str) -> None:
        """The server says that the open project may not be used any more. RpcError."""
        if self._session.project is not None:
            if self._seen.mine:
                raise RpcError(ErrorCode.PARAM_INVALID, "Nobody can take your own project from you.")
            self._leave(by)

    @property
    def _folder(self) -> str:
        """Of the open project, without links in its path, as of the last look."""
        return self._seen.folder if self._session.project is not None else ""

    def _member(self, name: str) -> dict[str, object]:
        presence = self._session.presence
        here = {each.user for each in presence.present()} if presence is not None else set()
        known = self._seen.people.get(name) or Person(name, name)
        return {**known.described(), "here": name in here or name == self._own.name}

    def _begin(self, op: str, **fields: object) -> "Deferred[dict[str, int]]":
        if self._operation is not None:
            raise RpcError(ErrorCode.UNAVAILABLE, _BUSY)
        if not self._folder:
            raise RpcError(ErrorCode.PARAM_INVALID, "No project is open in this session.")
        self._operations += 1
        operation = self._operation = Operation(self._operations)
        begun: Deferred[dict[str, int]] = Deferred()
        working = self._line.ask(
            op, lambda event: self._heard(operation, begun, event), project_dir=self._folder, **fields
        )
        ensureDeferred(self._finish(operation, begun, working)).addErrback(_not_finished)
        return begun

    def _heard(self, operation: Operation, begun: "Deferred[dict[str, int]]", event: "Message") -> None:
        if event.get("event") == "begun" and not begun.called:
            self._tell()
            begun.callback({"operation": operation.number})
        elif event.get("event") == "progress":
            operation.done, operation.total = event["done"], event["total"]
            self._session.events.emit("sharing_progress", operation.described())

    async def _finish(
        self, operation: Operation, begun: "Deferred[dict[str, int]]", working: "Deferred[Message]"
    ) -> None:
        try:
            done = await working
            failed = None
        except ServerRefused as error:
            done, failed = {}, error
        self._operation = None
        if failed is not None and not begun.called:
            begun.errback(failed)
            return
        await self.look()
        self._tell()
        number = operation.number
        if failed is not None:
            data = {"operation": number, "sentence": failed.message, "cancelled": failed.was_cancelled}
            self._session.events.emit("sharing_failed", data)
        else:
            self._session.events.emit("sharing_done", {"operation": number, **done})

    def _soon(self, seconds: float) -> None:
        now = self._session.clock.seconds()
        seconds = max(seconds, self._next - now)
        if self._is_looking:
            self._must_look_again = True
        elif self._waiting is None or not self._waiting.active():
            self._waiting = self._session.clock.callLater(seconds, self._look_now)
        elif self._waiting.getTime() > now + seconds:
            self._waiting.reset(seconds)

    def _look_now(self) -> None:
        if self._is_looking:
            return
        self._is_looking, self._must_look_again = True, False
        wanted, self._wanted = self._wanted, []
        project = self._session.project
        looking = self._background(self._work, project.folder if project is not None else "")
        looking.addCallbacks(self._take, self._failed).addBoth(self._looked, wanted)

    def _work(self, folder: str) -> tuple[Seen, int]:
        """On another thread; the folder is opened to be watched."""
        began = self._session.clock.seconds()
        seen = self._looker.look(folder)
        # However many projects are shared, and however often, looking takes a tenth of the time at most.
        now = self._session.clock.seconds()
        self._next = now + _SHARE_OF_TIME * (now - began)
        try:
            descriptor = os.open(self._shared, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            return seen, -1
        self._is_watchable = is_watchable(file_system(descriptor))
        return seen, descriptor

    def _take(self, found: tuple[Seen, int]) -> None:
        seen, descriptor = found
        self._keep_watch(descriptor)
        for each in seen.ignored:
            _log.warn(
                "sharing: {name} of user {uid} is ignored: {reason}", name=each.name, uid=each.uid, reason=each.reason
            )
        self._seen = seen
        if self._session.project is not None and not seen.mine and seen.known is not None:
            self._was_member_of, self._owner_before = seen.known.project.folder, seen.owner
        elif self._was_member_of and self._session.project is not None and not seen.mine:
            self._ask_whether_member()
        self._tell()

    def _keep_watch(self, descriptor: int) -> None:
        if descriptor < 0:
            return
        try:
            if self._is_watchable and not self._watch.is_on:
                self._watch.begin(descriptor)
        except OSError as error:
            _log.debug("sharing: {why}", why=error.strerror)
        finally:
            os.close(descriptor)

    def _failed(self, failure: Failure) -> None:
        _log.failure("sharing", failure=failure)

    def _looked(self, _: object, wanted: "list[Deferred[None]]") -> None:
        self._is_looking = False
        if self._wanted:
            self._look_now()
        else:
            self._soon(_PAUSE_SECONDS if self._must_look_again else self._rest())
        for looked in wanted:
            looked.callback(None)

    def _rest(self) -> float:
        if self._watch.is_on:
            return _WATCHED_SECONDS
        return _POLL_SECONDS if self._session.listeners.is_followed else _WATCHED_SECONDS

    def _tell(self) -> None:
        """Pages hear of what is not as it was."""
        state, others = self.described(), self.others()
        if {**state, "progress": None} != {**self._told, "progress": None}:
            self._session.events.emit("sharing_changed", state)
        if others != self._told_others:
            self._session.events.emit("shared_with_me_changed", {"projects": others})
        self._told, self._told_others = state, others

    def _ask_whether_member(self) -> None:
        """The file about the project is gone, or is not for us any more: only the server knows why."""
        if not self._is_asking:
            self._is_asking = True
            asked = self._line.ask("share_state", project_dir=self._was_member_of)
            asked.addCallbacks(self._answered, self._unanswered)

    def _answered(self, state: "Message") -> None:
        self._is_asking = False
        if state.get("owner") is None:
            self._leave(str(state.get("by") or ""))
        else:
            self._soon(_DOUBT_SECONDS)

    def _unanswered(self, failure: Failure) -> None:
        self._is_asking = False
        failure.trap(ServerRefused)
        may = self._background(os.access, self._was_member_of, os.R_OK | os.W_OK | os.X_OK)
        may.addCallback(lambda may: self._soon(_DOUBT_SECONDS) if may else self._leave(""))

    def _leave(self, by: str) -> None:
        who = person(by) if by else self._owner_before
        project = self._session.project
        folder, self._was_member_of = self._was_member_of or self._folder, ""
        self._leaving.leave(folder or (project.folder if project is not None else ""), who)
        self._soon(0)


def _not_finished(failure: Failure) -> None:
    _log.failure("a change of access", failure=failure)
