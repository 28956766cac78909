"""This session hosts the shared text of a file: its filebase, who may come in, and the one writer of the file."""

import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from rsession.collab.access import may_edit
from rsession.collab.filebase_process import Fields, FilebaseProcess
from rsession.collab.handover import Handover
from rsession.collab.poll_calls import PollCalls
from rsession.error_code import ErrorCode, RpcError
from rsession.http_message import Request, Response
from rsession.services.background import Background
from rsession.services.documents import Documents

if TYPE_CHECKING:
    from twisted.internet.epollreactor import EPollReactor

    from rsession.http_connection import HttpConnection

_LOOKS_BETWEEN = 5
_LONGEST_NAME = 256

_log = Logger()


class Hosting:
    """changed: called when the epoch is another or filebase has ended; epoch: of the text, empty until it is there."""

    def __init__(
        self, document: str, documents: Documents, background: Background, changed: Callable[[], None]
    ) -> None:
        self.document = document
        self.epoch = ""
        self.has_begun = self.has_ended = False
        self.users: list[str] = []
        self._documents, self._background, self._changed = documents, background, changed
        self._filebase = FilebaseProcess(self._heard, self._gone)
        self._polls = PollCalls(self._filebase)
        self._looks = 0
        self._is_ending = False

    async def begin(self, reactor: "EPollReactor", log: Path, epoch: str, is_new: bool) -> None:
        """Start filebase: with the text of an epoch that goes on, or with this session's in a new one."""
        document = self._documents.get(self.document)
        base = await self._documents.read_file(document.path or "")
        self._filebase.start(reactor, log)
        self.epoch = epoch
        text = self._documents.get(self.document).text if is_new else None
        self._filebase.say("begin", epoch=self.epoch, text=text, base=base.text)
        self.has_begun = True

    @property
    def is_open(self) -> bool:
        """Pages can come in."""
        return self.has_begun and not (self.has_ended or self._is_ending)

    def end(self, reason: str) -> None:
        """All have closed the file, or another session hosts it."""
        if not self._is_ending:
            self._is_ending = True
            self._filebase.say("end", reason=reason)

    def stop(self) -> None:
        """The session ends: the log stays."""
        self._filebase.stop()

    def reap(self) -> bool:
        """Whether nothing is left of the process."""
        return self._filebase.reap()

    def look(self) -> "Deferred[None]":
        """Once a second: has another program written the file, may everybody still come in?"""
        return ensureDeferred(self._look())

    def open_door(self, request: Request, connection: "HttpConnection") -> Handover | Response:
        """A page wants to come in."""
        user, key = request.headers.get("x-rs-user", ""), request.headers["sec-websocket-key"]
        path = self._documents.get(self.document).path
        if not self.is_open or path is None or not 0 < len(user) <= _LONGEST_NAME:
            return Response.of_text(503, "the text is not shared here")
        may_enter = self._background(may_edit, path, user).addCallback(_refusal)
        give_away = lambda descriptor, early: self._filebase.let_in(descriptor, user, key, early)  # noqa: E731
        return Handover(request, connection, may_enter, give_away)

    async def poll(self, request: Request) -> Response:
        """A page asks for messages and brings some; RpcError."""
        user, path = request.headers.get("x-rs-user", ""), self._documents.get(self.document).path
        if path is None or not 0 < len(user) <= _LONGEST_NAME:
            return Response.of_text(503, "the text is not shared here")
        if refusal := _refusal(await self._background(may_edit, path, user)):
            return Response.of_text(403, refusal)
        if not self.is_open:
            return Response.of_text(503, "the text is not shared here")
        return await self._polls.ask(request, user)

    def _heard(self, fields: Fields) -> None:
        what = fields["type"]
        if what == "ready":
            self.epoch = fields["epoch"]
            self._changed()
        elif what == "members":
            self.users = fields["users"]
        elif what == "polled":
            self._polls.answered(fields)
        elif what == "save":
            self._do(self._save(fields["member"], fields["number"], fields["text"]))
        elif what == "needs_text":
            self._filebase.say("seed", text=self._documents.get(self.document).text)
        elif what == "text":
            self._do(self._take_last(fields["text"]))
        elif what == "not_kept":
            _log.warn("the history of a shared text cannot be written: {reason}", reason=fields["reason"])

    def _gone(self) -> None:
        self.has_ended = True
        self._polls.end()
        self._changed()

    async def _take_last(self, text: str | None) -> None:
        try:
            if text is not None:
                await self._documents.bring(self.document, text)
        except RpcError as error:
            # The document was closed.
            _log.debug("the shared text was not taken: {reason}", reason=error.message)
        self._filebase.stop()

    async def _save(self, member: int, number: int, text: str) -> None:
        call = {"member": member, "number": number}
        try:
            await self._documents.bring(self.document, text)
            await self._documents.save("", self.document, None, False)
        except RpcError as error:
            if error.code == ErrorCode.CHANGED_ON_DISK:
                self._filebase.say("save_again", **call, text=await self._refreshed())
            else:
                self._filebase.say("refused", **call, code=error.code, message=error.message)
        else:
            self._filebase.say("saved", **call, text=text)

    async def _refreshed(self) -> str:
        path = self._documents.get(self.document).path or ""
        file = await self._documents.read_file(path)
        await self._documents.refresh(self.document)
        return file.text

    async def _look(self) -> None:
        document = self._documents.get(self.document)
        path, stamp = document.path, document.stamp
        if self.has_ended or path is None:
            return
        if not await self._background(os.path.exists, path):
            if stamp is not None:
                await self._documents.refresh(self.document)
                self._filebase.say("file", text=None)
        elif stamp is None or not await self._background(stamp.is_of, Path(path)):
            file = await self._documents.read_file(path)
            if self._documents.get(self.document).stamp == stamp:
                await self._documents.refresh(self.document)
                self._filebase.say("file", text=file.text)
        self._looks += 1
        if self._looks % _LOOKS_BETWEEN == 0:
            for user in self.users:
                if not await self._background(may_edit, path, user):
                    self._filebase.say("revoke", user=user)

    def _do(self, work: "Coroutine[Deferred[Any], Any, None]") -> None:
        ensureDeferred(work).addErrback(_failed)


def _refusal(may: bool) -> str:
    return "" if may else "you may not read and write this file"


def _failed(failure: Failure) -> None:
    _log.warn("a shared text: {reason}", reason=failure.getErrorMessage())
