"""Changes who shares a project, through the master, and keeps what people are told of it in step."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger

from rserver.master_client import MasterError
from rserver.sessions.starter import Master
from rserver.sharing.farewells import Farewells
from rserver.sharing.known_projects import KnownProjects
from rserver.sharing.nesting import why_not
from rserver.sharing.people import People
from rserver.sharing.refused import UNAVAILABLE, ShareRefused
from rserver.sharing.turns import TooMany, Turns
from rserver.sign_in.policy import Account
from rserver_core.frame import Message
from rserver_core.project_path import BadPath, project_folder
from rserver_core.shared_project import SharedProject, Unfinished
from rserver_core.shared_project_folder import Known

# With these the helper has refused before it changed anything.
_NOTHING_DONE = frozenset(
    {
        "bad_request",
        "unknown_user",
        "outside",
        "symlink",
        "absent",
        "not_owner",
        "unsupported",
        "read_only",
        "too_many",
        "busy",
    }
)
_BROKE_DOWN = "The server made a mistake before access was changed everywhere; its log says more."
_STOPPED = "It was stopped before access was changed everywhere."
_BUSY = "Access to this project is being changed already. Wait until that is done, or stop it."
_MOST_SKIPPED = 20

_log = Logger()

OnProgress = Callable[[int, int | None], None]


def _nothing(*_: object) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Who wants to know how a change goes. begun: it was accepted; progress: objects done, and how many, if known."""

    begun: Callable[[], None] = _nothing
    progress: OnProgress = _nothing


SILENT = Listener()


class AclMaster(Protocol):
    """The part of the master client that changes access."""

    def acls(
        self,
        action: str,
        project_dir: str,
        owner: str,
        members: Sequence[str],
        on_progress: OnProgress | None = None,
    ) -> "Deferred[Message]":
        """See MasterClient."""


class WorkerMaster(AclMaster, Master, Protocol):
    """All that the worker asks of the master."""


@dataclass(slots=True, eq=False)
class Change:
    """One change under way. working: what it waits for now."""

    owner: str
    folder: str
    listener: Listener
    working: "Deferred[Message] | Deferred[None] | None" = None
    is_cancelled: bool = False

    def cancel(self) -> None:
        """Stop it; everything is as it was or as it should become."""
        self.is_cancelled = True
        if self.working is not None:
            self.working.cancel()


@dataclass(frozen=True, slots=True)
class Done:
    """members: who has access now; skipped: how many objects could not be changed, with some of them."""

    members: tuple[str, ...]
    skipped: int = 0
    paths: tuple[Message, ...] = ()


@dataclass(slots=True)
class Sharing:
    """new_id: the digits that stand for a folder of an owner. now: seconds since 1970."""

    master: AclMaster
    known: KnownProjects
    people: People
    farewells: Farewells
    new_id: Callable[[Account, str], str]
    now: Callable[[], float] = time.time
    _turns: Turns = field(default_factory=Turns)
    _changes: dict[tuple[str, str], Change] = field(default_factory=dict)

    async def set_members(
        self, owner: Account, folder: str, members: Sequence[str], listener: Listener = SILENT, file: str = ""
    ) -> Done:
        """Exactly these are members then. That the folder is the owner's sees the helper. ShareRefused.

        file: the project file in it, for those who are told of the project; empty: not known.
        """
        folder = _checked_folder(folder)
        if owner.name in members:
            raise ShareRefused("The owner of a project is one of its people already.")
        old = self._of(owner, folder).project.members
        await self.people.check([name for name in members if name not in old], owner.uid)
        before = self._of(owner, folder)
        named = replace(before.project, file=file or before.project.file)
        return await self._change(Known(named, owner.uid), tuple(members), owner.name, listener)

    def _of(self, owner: Account, folder: str) -> Known:
        """What is known of the folder; one that is not shared has no members."""
        known = self.known.find(owner.name, folder)
        return known or Known(SharedProject(self.new_id(owner, folder), folder, owner.name), owner.uid)

    async def leave(self, user: str, folder: str, listener: Listener = SILENT) -> Done:
        """The user is a member no more. ShareRefused."""
        known = self.known.in_folder(folder, user)
        if known is None or user not in known.project.shared:
            raise ShareRefused("You are no member of this project.")
        others = tuple(name for name in known.project.members if name != user)
        return await self._change(known, others, user, listener)

    def cancel(self, user: str, folder: str) -> None:
        """Stop the change of a project of this user. ShareRefused."""
        change = self._changes.get((user, folder))
        if change is None:
            raise ShareRefused("Nothing is being changed.")
        change.cancel()

    async def _change(self, before: Known, members: tuple[str, ...], by: str, listener: Listener) -> Done:
        folder, owner = before.project.folder, before.project.owner
        if (owner, folder) in self._changes:
            raise ShareRefused(_BUSY, UNAVAILABLE)
        change = self._changes[owner, folder] = Change(owner, folder, listener)
        listener.begun()
        try:
            await self._turn(change)
            try:
                return await self._carry_out(change, before, members, by)
            finally:
                self._turns.end(owner)
        finally:
            del self._changes[owner, folder]

    async def _turn(self, change: Change) -> None:
        turn = self._turns.take(change.owner)
        change.working = turn
        try:
            await turn
        except TooMany:
            raise ShareRefused(
                "Access to many projects is being changed. Try again in a moment.", UNAVAILABLE
            ) from None
        except CancelledError:
            raise ShareRefused("It was stopped before it began.", was_cancelled=True) from None

    async def _carry_out(self, change: Change, before: Known, members: tuple[str, ...], by: str) -> Done:
        old = before.project
        self._check_place(old, members)
        staying = [name for name in old.members if name in members]
        begun = replace(
            old,
            shared=old.with_members(staying, self.now()),
            updated_by=by,
            unfinished=Unfinished(tuple(sorted(members))),
        )
        await self.known.put(begun, before.owner_uid)
        leaving = [name for name in old.members if name not in members]
        try:
            await self.farewells.say(leaving, old.folder, by)
            done = await self._work(change, old, members)
        except (MasterError, CancelledError) as error:
            raise await self._broken_off(before, begun, error) from None
        except Exception:
            _log.failure("project {folder} of {owner}: a change broke down", folder=old.folder, owner=old.owner)
            raise await self._broken_off(before, begun, MasterError("failed", _BROKE_DOWN)) from None
        await self._keep(before, begun, done, by)
        _log.info(
            "project {folder} of {owner}: shared with {n}", folder=old.folder, owner=old.owner, n=len(done.members)
        )
        return done

    def _check_place(self, project: SharedProject, members: tuple[str, ...]) -> None:
        """While it is our turn: nothing else that this owner shares changes. ShareRefused."""
        is_shared = self.known.find(project.owner, project.folder) is not None
        if is_shared and set(members) <= set(project.members):
            return
        reason = why_not(project.folder, self.known.of_owner(project.owner))
        if reason:
            raise ShareRefused(reason)

    async def _work(self, change: Change, old: SharedProject, members: tuple[str, ...]) -> Done:
        """Who leaves is kept out first; then everybody else gets what is missing."""
        leaving = [name for name in old.members if name not in members]
        answer: Message = {}
        if leaving and members:
            answer = await self._ask(change, "unshare", leaving)
        if not members:
            answer = await self._ask(change, "unshare", ())
        elif not leaving or old.unfinished or set(members) - set(old.members):
            answer = await self._ask(change, "share", members)
        strangers = [name for name in answer["members"] if name not in members]
        if strangers:
            answer = await self._ask(change, "unshare", strangers)
        has_access = tuple(name for name in answer["members"] if name in members)
        return Done(has_access, int(answer["skipped_total"]), tuple(answer["skipped"][:_MOST_SKIPPED]))

    async def _ask(self, change: Change, action: str, members: Sequence[str]) -> Message:
        if change.is_cancelled:
            raise CancelledError
        try:
            answer = await self._run(change, action, members)
        except MasterError as error:
            if error.code != "absent" or action != "unshare":
                raise
            # Nobody has access to what is not there.
            return {"members": [], "skipped_total": 0, "skipped": []}
        earlier = self.known.find(change.owner, str(answer.get("moved_from", "")))
        if earlier is not None:
            # The folder was moved here: whoever was a member there has lost it.
            await self.known.remove(earlier)
        return answer

    async def _run(self, change: Change, action: str, members: Sequence[str]) -> Message:
        working = self.master.acls(action, change.folder, change.owner, members, change.listener.progress)
        change.working = working
        return await working

    async def _broken_off(self, before: Known, begun: SharedProject, error: Exception) -> ShareRefused:
        """Remember what is not done; what was refused at once has changed nothing."""
        code = error.code if isinstance(error, MasterError) else "cancelled"
        sentence = error.message if isinstance(error, MasterError) else _STOPPED
        refusal = ShareRefused(sentence, was_cancelled=code == "cancelled")
        has_begun = code not in _NOTHING_DONE or begun.shared != before.project.shared
        if has_begun:
            unfinished = Unfinished(begun.unfinished.members if begun.unfinished else (), sentence)
            await self.known.put(replace(begun, unfinished=unfinished), before.owner_uid)
        elif before.project.shared or before.project.unfinished:
            await self.known.put(before.project, before.owner_uid)
        else:
            await self.known.remove(before)
        return refusal

    async def _keep(self, before: Known, begun: SharedProject, done: Done, by: str) -> None:
        if not done.members:
            await self.known.remove(before)
            return
        shared = before.project.with_members(list(done.members), self.now())
        await self.known.put(replace(begun, shared=shared, unfinished=None), before.owner_uid)


def _checked_folder(folder: str) -> str:
    try:
        if project_folder(folder, "") != folder:
            raise BadPath("The path of the project is not plain.")
    except BadPath as error:
        raise ShareRefused(str(error)) from None
    return folder
