"""Files that come as a form: written beside their places, put there when all of them are whole."""

import errno
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from email.message import Message
from typing import TYPE_CHECKING

from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header
from twisted.internet.defer import CancelledError, Deferred

from rsession.http_message import Refusal, Response
from rsession.services.background import in_thread

if TYPE_CHECKING:
    from twisted.python.failure import Failure

    from rsession.http_stream import Sender

MOST_FILES = 1000
_PIECE = 1 << 20

PathOf = Callable[[str], str]
"""Where a file of that name goes; Refusal."""


class Upload:
    """See `http_stream.Receiver`. What touches the disk is done in a thread, one piece after the other."""

    def __init__(self, content_type: str, sender: "Sender", aside: str, path_of: PathOf) -> None:
        """aside: folder for what is not whole, on the same file system."""
        self._form = _Form(content_type, aside, path_of)
        self._sender = sender
        self._waiting = bytearray()
        self._is_whole = self._is_busy = False
        self._done: Deferred[Response] = Deferred(lambda _: self.lost())

    def data(self, data: bytes) -> None:
        """See `Receiver`."""
        self._waiting += data
        if len(self._waiting) >= _PIECE:
            self._go_on()

    def end(self) -> "Deferred[Response]":
        """See `Receiver`."""
        self._is_whole = True
        self._go_on()
        return self._done

    def lost(self) -> None:
        """See `Receiver`."""
        self._is_whole = True
        self._form.is_given_up = True
        self._done.addErrback(lambda failure: failure.trap(CancelledError))
        self._go_on()

    def _go_on(self) -> None:
        if self._is_busy or self._done.called:
            return
        piece, self._waiting = bytes(self._waiting), bytearray()
        self._is_busy = True
        self._sender.hold(True)
        in_thread(self._form.take, piece, is_last=self._is_whole).addCallbacks(self._took, self._refused)

    def _took(self, is_done: bool) -> None:
        self._is_busy = False
        self._sender.hold(False)
        if is_done:
            self._done.callback(Response(201, b"", "text/plain; charset=utf-8"))
        elif self._is_whole or len(self._waiting) >= _PIECE:
            self._go_on()

    def _refused(self, failure: "Failure") -> None:
        self._is_busy = False
        self._waiting = bytearray()
        self._sender.hold(False)
        if not self._done.called:
            self._done.errback(failure)


class _Form:
    """The form, read and written. Blocking."""

    def __init__(self, content_type: str, aside: str, path_of: PathOf) -> None:
        self._aside = aside
        kind, options = parse_options_header(content_type)
        if kind != "multipart/form-data" or not options.get("boundary"):
            raise Refusal(400, "Files are taken as multipart/form-data.")
        self._parser = PushMultipartParser(
            options["boundary"], max_header_size=8192, max_segment_count=MOST_FILES, strict=True
        )
        self._path_of = path_of
        self._file: int | None = None
        self._taken: list[tuple[str, str]] = []
        """Temporary and final paths."""
        self._has_failed = False
        self.is_given_up = False

    def take(self, data: bytes, *, is_last: bool) -> bool:
        """The next bytes; True when the files are in place. Refusal."""
        if self._has_failed:
            raise Refusal(400, "The form was refused.")
        try:
            self._parse(data)
            if is_last:
                self._finish()
            return is_last
        except MultipartError as error:
            self._give_up()
            raise Refusal(400, f"The form cannot be read: {error}.") from None
        except OSError as error:
            self._give_up()
            raise _not_written(error, self._aside) from None
        except BaseException:
            self._give_up()
            raise

    def _parse(self, data: bytes) -> None:
        for event in self._parser.parse(data) if data else ():
            if isinstance(event, MultipartSegment):
                self._begin(event)
            elif event is None:
                self._end_file()
            elif self._file is not None:
                _write_all(self._file, event)

    def _begin(self, segment: MultipartSegment) -> None:
        name = segment.filename or _extended_name(segment)
        if not name:
            return
        path = self._path_of(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.makedirs(self._aside, mode=0o700, exist_ok=True)
        temporary = f"{self._aside}/{os.urandom(8).hex()}"
        self._file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        self._taken.append((temporary, path))

    def _end_file(self) -> None:
        if self._file is not None:
            descriptor, self._file = self._file, None
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def _finish(self) -> None:
        if self.is_given_up:
            raise Refusal(400, "The form was cut off.")
        self._parser.close()
        if not self._taken:
            raise Refusal(400, "The form holds no file.")
        for _, path in self._taken:
            if os.path.isdir(path) and not os.path.islink(path):
                raise Refusal(400, f"{os.path.basename(path)} is a folder.")
        for temporary, path in self._taken:
            os.rename(temporary, path)
        self._taken = []

    def _give_up(self) -> None:
        self._has_failed = True
        if self._file is not None:
            os.close(self._file)
            self._file = None
        for temporary, _ in self._taken:
            with suppress(OSError):
                os.unlink(temporary)


def _extended_name(segment: MultipartSegment) -> str:
    """RFC 5987's filename*, which forms should not have and older programs send."""
    message = Message()
    message["Content-Disposition"] = segment.header("Content-Disposition", "")
    return message.get_filename("")


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _not_written(error: OSError, place: str) -> Refusal:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        free = shutil.disk_usage(place).free if error.errno == errno.ENOSPC else 0
        which = f"{free / 1e6:.1f} MB are free" if error.errno == errno.ENOSPC else "your quota is used up"
        return Refusal(507, f"There is no room for the file: {which}. Nothing was changed.")
    return Refusal(400, f"The file cannot be written: {error.strerror}.")
