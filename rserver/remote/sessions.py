"""Sessions of programs: made, listed, ended."""

from dataclasses import dataclass

from twisted.internet.defer import CancelledError

from rserver.clock import Clock, sleep
from rserver.master_client import MasterError
from rserver.remote.answers import error, json_answer
from rserver.remote.messages import CreatedSession, CreateSession, SessionInfo
from rserver.sessions.activity import Ask
from rserver.sessions.machine import State
from rserver.sessions.saver import SessionSaver
from rserver.sessions.session import REMOTE, Session
from rserver.sessions.user_actions import SESSION_LIMIT, Refused, UserActions
from rserver.web.request import Identity, Response

RUNTIMES = ("R",)
END_SECONDS = 15.0
_LOOK_SECONDS = 0.02
_BUSY = "The session is busy. Cancel what runs, or end it with /force."


@dataclass(slots=True)
class RemoteSessions:
    """The table of sessions as programs see it: those that were made for them."""

    actions: UserActions
    saver: SessionSaver
    clock: Clock
    ask_activity: Ask

    def find(self, identity: Identity, session_id: str) -> Session | None:
        """The caller's session of that id."""
        found = self.actions.table.find(session_id, identity.user, identity.uid)
        return found if found is not None and found.door == REMOTE else None

    def listed(self, identity: Identity) -> Response:
        """The caller's sessions."""
        own = self.actions.table.open_of_user(identity.user, identity.uid)
        shown = [SessionInfo(each.id, each.title, each.user, "R") for each in own if each.door == REMOTE]
        return json_answer(shown)

    async def create(self, identity: Identity, wanted: CreateSession, server_url: str) -> Response:
        """Start one; answered when it runs."""
        runtime = wanted.runtime_type or "R"
        if runtime.lower() not in {known.lower() for known in RUNTIMES}:
            return error(400, f"runtimeType must be one of {', '.join(RUNTIMES)}.")
        try:
            session = await self.actions.create_for_programs(identity.user, identity.uid, wanted.name or "", server_url)
        except Refused as refused:
            return error(409 if refused.code == SESSION_LIMIT else 400, str(refused))
        await self.saver.save()
        await session.when_settled()
        if session.state is not State.RUNNING:
            cause = session.status.fate.cause if session.status.fate else "It has not come up."
            await self._forget(session)
            return error(503, f"The session could not be started: {cause}")
        return json_answer(CreatedSession(session.id), 201)

    async def end(self, session: Session, *, force: bool) -> Response:
        """End it and strike it off the list. force: also when it is busy."""
        try:
            if force:
                await self.actions.control.kill(session)
            elif await self._is_busy(session):
                return error(409, _BUSY)
            elif session.is_alive:
                await self.actions.quit(session, "no")
        except Refused as refused:
            return error(409, str(refused))
        except MasterError as failed:
            return error(503, failed.message)
        if not await self._has_ended(session):
            return error(409, _BUSY)
        await self._forget(session)
        return json_answer("")

    async def _is_busy(self, session: Session) -> bool:
        record = session.status.record
        if record is None or session.state is not State.RUNNING:
            return False
        try:
            return (await self.ask_activity(record)).busy
        except (OSError, CancelledError):
            return False

    async def _has_ended(self, session: Session) -> bool:
        until = self.clock.seconds() + END_SECONDS
        while session.is_alive and self.clock.seconds() < until:
            await sleep(self.clock, _LOOK_SECONDS)
        return not session.is_alive

    async def _forget(self, session: Session) -> None:
        if not session.is_alive and session.status.record is None:
            self.actions.table.forget(session)
            await self.saver.save()
