"""One room with its log and its host's session, on asyncio's loop.

Two sockets lead to the session: on the stream frames of JSON go both ways, on the other (SOCK_SEQPACKET) come the
connections of members. The process ends when the session closes the stream.
"""

import asyncio
import base64
import json
import os
import secrets
import socket
import struct
from pathlib import Path
from typing import Any, cast

from filebase import bounds
from filebase.member_connection import MemberConnection
from filebase.polling import Polling
from filebase.room import Room
from filebase.shared_text import SharedText
from filebase.update_log import UpdateLog

_LENGTH = struct.Struct(">I")
_FRAME_LIMIT = 4 * bounds.TEXT * 2
_PACKET = 128 << 10
_KEEP_SECONDS = 0.05
_WAIT_SECONDS = 3.0
_LONGEST_WAIT_SECONDS = 20.0
"""A page may be slow to bring a text: one that is begun anew instead would stand beside what it has."""
_HISTORY_SECONDS = 20.0

Fields = dict[str, Any]


class Hosting(asyncio.Protocol):
    """Speaks with the session; implements the room's Host."""

    def __init__(self, doors: socket.socket, log: UpdateLog) -> None:
        self._doors, self._log = doors, log
        self._buffer = bytearray()
        self._room: Room | None = None
        self._unkept: list[bytes] = []
        self._keeping: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._waits = 0.0
        self.ended = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._loop = asyncio.get_running_loop()
        self._polling = Polling(self._loop, lambda number, body: self._say("polled", request=number, body=body))

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            if length > _FRAME_LIMIT:
                self._transport.abort()
                return
            if len(self._buffer) < _LENGTH.size + length:
                return
            body = bytes(self._buffer[_LENGTH.size : _LENGTH.size + length])
            del self._buffer[: _LENGTH.size + length]
            self._told(json.loads(body))

    async def finish(self) -> None:
        """The session is gone: what was taken is brought to disk."""
        self._loop.remove_reader(self._doors)
        if self._room is not None:
            self._room.end("The session that kept the text has ended.")
        while self._keeping is not None:
            await self._keeping
        self._log.close()

    # What the session says.

    def _told(self, fields: Fields) -> None:
        what = fields.get("type")
        room = self._room
        if what == "begin":
            self._begin(str(fields["epoch"]), fields.get("text"), str(fields["base"]))
        elif room is None:
            return
        elif what == "poll":
            self._polling.ask(room, fields)
            self._wait_for_text()
        elif what == "poll_over":
            self._polling.over(int(fields["request"]))
        elif what == "file":
            if fields["text"] is None:
                room.tell(event="file_changed")
            else:
                room.merge_file(str(fields["text"]))
        elif what == "saved":
            room.saved(str(fields["text"]))
            room.tell(fields["member"], event="answer", number=fields["number"])
        elif what == "refused":
            answer = {"code": fields["code"], "message": fields["message"][:500]}
            room.tell(fields["member"], event="answer", number=fields["number"], error=answer)
        elif what == "save_again":
            room.merge_file(str(fields["text"]))
            self.save(fields["member"], fields["number"], str(room.text))
        elif what == "seed":
            if not room.is_ready:
                room.seed(secrets.token_hex(8), str(fields["text"]))
        elif what == "revoke":
            room.expel_user(str(fields["user"]))
        elif what == "end":
            self._end(str(fields["reason"]))

    def _begin(self, epoch: str, text: str | None, base: str) -> None:
        """A new text; or, without one, that of the log or of the pages, if it is of this epoch."""
        logged = self._log.read() if text is None else None
        shared, is_ready = SharedText(text=text or ""), text is not None
        if logged is not None and logged.epoch == epoch:
            for update in logged.updates:
                shared.apply(update)
            is_ready = not shared.is_empty
        self._room = Room(self, epoch, shared, base, is_ready)
        self._room.on_ready = self._ready
        self._loop.call_later(_HISTORY_SECONDS, self._end_history)
        if is_ready:
            self._ready()
        self._loop.add_reader(self._doors, self._door)

    def _end_history(self) -> None:
        if self._room is not None:
            self._room.takes_history = False

    def _ready(self) -> None:
        assert self._room is not None
        self._unkept.clear()
        self._log.begin(self._room.epoch, self._room.text.whole())
        self._say("ready", epoch=self._room.epoch)

    def _end(self, reason: str) -> None:
        assert self._room is not None
        self._room.end(reason)
        # A text that no page has brought yet is empty, and must replace nothing.
        self._say("text", text=str(self._room.text) if self._room.is_ready else None)
        self._unkept.clear()
        self._log.remove()

    # What comes through the door.

    def _door(self) -> None:
        try:
            packet, descriptors, _, _ = socket.recv_fds(self._doors, _PACKET, 1, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        if not packet:
            self._loop.remove_reader(self._doors)
            self._transport.abort()
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)
            self._let_in(json.loads(packet), socket.socket(fileno=descriptor))

    def _let_in(self, fields: Fields, sock: socket.socket) -> None:
        assert self._room is not None
        sock.setblocking(False)
        early = base64.b64decode(fields["early"])
        connection = MemberConnection(self._room, str(fields["user"]), str(fields["key"]), early)
        task = self._loop.create_task(self._connect(connection, sock))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, connection: MemberConnection, sock: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(lambda: connection, sock)
        except OSError:
            sock.close()
            return
        self._wait_for_text()

    def _wait_for_text(self) -> None:
        """Somebody has come: if nobody brings the text soon, the session does."""
        if self._room is not None and not self._room.is_ready and not self._waits:
            self._waits = self._loop.time()
            self._loop.call_later(_WAIT_SECONDS, self._give_up_waiting)

    def _give_up_waiting(self) -> None:
        room = self._room
        if room is None or room.is_ready:
            return
        if room.nobody_has_it or self._loop.time() - self._waits > _LONGEST_WAIT_SECONDS:
            self._say("needs_text")
        else:
            self._loop.call_later(1, self._give_up_waiting)

    # See Host.

    def save(self, member: int, number: int, text: str) -> None:
        """See Host."""
        self._say("save", member=member, number=number, text=text)

    def members_changed(self) -> None:
        """See Host."""
        assert self._room is not None
        users = sorted({member.user for member in self._room.members.values()})
        self._say("members", users=users, pages=len(self._room.members))

    def kept(self, update: bytes) -> None:
        """See Host."""
        self._unkept.append(update)
        if self._keeping is None:
            self._keeping = self._loop.create_task(self._keep())

    async def _keep(self) -> None:
        """Updates of a moment are brought to disk together; nobody waits for that."""
        try:
            while self._unkept:
                await asyncio.sleep(0 if self.ended.is_set() else _KEEP_SECONDS)
                updates, self._unkept = self._unkept, []
                await self._loop.run_in_executor(None, self._write, updates)
        except OSError as error:
            self._say("not_kept", reason=error.strerror or str(error))
        finally:
            self._keeping = None

    def _write(self, updates: list[bytes]) -> None:
        assert self._room is not None
        if not updates:
            return
        if self._log.is_large:
            self._log.begin(self._room.epoch, self._room.text.whole())
        else:
            self._log.append(updates)

    def _say(self, what: str, **fields: object) -> None:
        body = json.dumps({"type": what, **fields}).encode()
        if not self._transport.is_closing():
            self._transport.write(_LENGTH.pack(len(body)) + body)


async def host(control: socket.socket, doors: socket.socket, log: Path) -> None:
    """Serve until the session closes the stream."""
    hosting = Hosting(doors, UpdateLog(log))
    await asyncio.get_running_loop().create_connection(lambda: hosting, sock=control)
    await hosting.ended.wait()
    await hosting.finish()
