"""The side of the process that started a keeper: what the keeper reports, its end, its time limit."""

import socket
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

    def link_ended(self, link: "KeeperLink") -> None:
        """The keeper is gone; nothing more will come from this link."""


class KeeperLink:
    """Reads the reports of one keeper, ends it when the session does not run within limit seconds."""

    def __init__(
        self, loop: Loop, session: str, pid: int, channel: socket.socket, limit: float, owner: KeeperOwner
    ) -> None:
        self._loop, self._session, self._pid, self._owner = loop, session, pid, owner
        self._channel, self._reports = channel, channel.fileno()
        self._reader = FrameReader()
        self._record: SessionRecord | None = None
        self._answered = False
        channel.setblocking(False)
        loop.add_reader(self._reports, self._readable)
        self._timer = loop.call_later(limit, self._expire)

    def close(self) -> None:
        """Listen no more; a keeper that has not yet started its session will not do so then."""
        self._timer.cancel()
        self._loop.remove_reader(self._reports)
        self._channel.close()

    def _readable(self) -> None:
        try:
            data = self._channel.recv(1 << 16)
        except BlockingIOError:
            return
        except ConnectionError:
            data = b""
        if not data:
            return self._ended()
        try:
            for message in self._reader.feed(data):
                self._received(message)
        except (FrameError, BadRequest, KeyError, TypeError) as error:
            self._refuse("failed", f"the keeper reported nonsense: {error}")

    def _received(self, message: Message) -> None:
        if "refused" in message:
            self._refuse(message["refused"]["code"], message["refused"]["message"])
        elif "started" in message and not self._answered:
            self._answered = True
            self._timer.cancel()
            self._record = SessionRecord.from_json(message["started"])
            self._owner.keeper_started(self._record)
        elif "exited" in message and self._record:
            self._owner.keeper_saw_exit(SessionExit.from_json(message["exited"]))

    def _refuse(self, code: str, text: str) -> None:
        if not self._answered:
            self._answered = True
            self._timer.cancel()
            self._owner.keeper_refused(self._session, LaunchRefused(code, text))

    def _expire(self) -> None:
        self._refuse("timeout", "the session could not be started in time: PAM or the home directory does not answer")
        kill_tree(self._pid)

    def _ended(self) -> None:
        # Only the keeper itself holds the other end: the session's process has closed it.
        self._refuse("failed", "the keeper ended before the session ran")
        self.close()
        self._owner.link_ended(self)
