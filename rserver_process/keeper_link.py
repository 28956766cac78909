"""The side of the process that started a keeper: what the keeper reports, its end, its time limit."""

import os
from dataclasses import dataclass
from typing import Protocol

from rserver_core.frame import FrameError, FrameReader, Message
from rserver_core.launch_wire import BadRequest, SessionRecord
from rserver_process.event_loop import Loop
from rserver_process.process_table import kill_tree
from rserver_process.run_records import SessionExit


@dataclass(frozen=True, slots=True)
class LaunchRefused:
    """Why there is no new session: a code of the protocol and a sentence; record when the session runs already."""

    code: str
    message: str
    record: SessionRecord | None = None


class KeeperOwner(Protocol):
    """Who started the keeper."""

    def keeper_started(self, record: SessionRecord) -> None:
        """The session runs."""

    def keeper_refused(self, session: str, refusal: LaunchRefused) -> None:
        """There is no session and will be none."""

    def keeper_saw_exit(self, end: SessionExit) -> None:
        """The session's process ended."""


class KeeperLink:
    """Reads the reports of one keeper, ends it when the session does not run within limit seconds, reaps it."""

    def __init__(self, loop: Loop, session: str, pid: int, reports: int, limit: float, owner: KeeperOwner) -> None:
        self._loop, self._session, self._pid, self._reports, self._owner = loop, session, pid, reports, owner
        self._reader = FrameReader()
        self._record: SessionRecord | None = None
        self._answered = False
        os.set_blocking(reports, False)
        loop.add_reader(reports, self._readable)
        self._watch = loop.watch_process(pid, lambda _status: self._ended())
        self._timer = loop.call_later(limit, self._expire)

    def _readable(self) -> bool:
        try:
            data = os.read(self._reports, 1 << 16)
        except BlockingIOError:
            return False
        if not data:
            self._loop.remove_reader(self._reports)
            return False
        try:
            for message in self._reader.feed(data):
                self._received(message)
        except (FrameError, BadRequest, KeyError, TypeError) as error:
            self._refuse("failed", f"the keeper reported nonsense: {error}")
        return True

    def _received(self, message: Message) -> None:
        if "refused" in message:
            self._refuse(message["refused"]["code"], message["refused"]["message"])
        elif "started" in message and not self._answered:
            self._answered = True
            self._timer.cancel()
            self._record = SessionRecord.from_json(message["started"])
            self._owner.keeper_started(self._record)
        elif "exited" in message and self._record:
            self._owner.keeper_saw_exit(SessionExit(**message["exited"]))

    def _refuse(self, code: str, text: str) -> None:
        if not self._answered:
            self._answered = True
            self._timer.cancel()
            self._owner.keeper_refused(self._session, LaunchRefused(code, text))

    def _expire(self) -> None:
        self._refuse("timeout", "the session could not be started in time: PAM or the home directory does not answer")
        kill_tree(self._pid)

    def _ended(self) -> None:
        while self._readable():
            continue
        self._loop.remove_reader(self._reports)
        os.close(self._reports)
        self._refuse("failed", "the keeper ended before the session ran")
