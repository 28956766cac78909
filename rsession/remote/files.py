"""The files of the session's working directory: names, content, upload, removal."""

import os
import shutil
import stat
from typing import TYPE_CHECKING
from urllib.parse import quote

from twisted.internet.defer import Deferred

from rsession.event_log import encode_json
from rsession.http_message import Refusal, Request, Response, StreamedResponse
from rsession.remote.changed_files import look
from rsession.remote.file_source import FileSource
from rsession.remote.upload import Upload
from rsession.services.background import in_thread
from rsession.workspace.folder import UPLOADS

if TYPE_CHECKING:
    from rsession.http_stream import Sender
    from rsession.session import Session

PATH = "/remote/files"
_MOST_PATH = 4096


def register(session: "Session", folder: str) -> None:
    """Called once."""
    shutil.rmtree(uploads_folder(folder), ignore_errors=True)
    files = Files(session, folder)
    session.routes.method("GET", PATH, lambda _: Deferred.fromCoroutine(files.names()))
    session.routes.method("GET", f"{PATH}/", lambda request: Deferred.fromCoroutine(files.get(request)))
    session.routes.method("DELETE", f"{PATH}/", lambda request: Deferred.fromCoroutine(files.remove(request)))
    session.routes.receiver("POST", PATH, files.put)


class Files:
    """Answers below /remote/files."""

    def __init__(self, session: "Session", folder: str) -> None:
        self._session, self._folder = session, folder

    async def names(self) -> Response:
        """Of regular files, with slashes below folders; at most 10,000."""
        found = await in_thread(look, self._folder)
        return Response(200, encode_json(sorted(found)).encode(), "application/json")

    async def get(self, request: Request) -> Response:
        """Its bytes."""
        name = request.path.removeprefix(f"{PATH}/")
        descriptor, size = await in_thread(_open, self._folder, name)
        disposition = f"attachment; filename*=UTF-8''{quote(os.path.basename(name))}"
        headers = {"Content-Disposition": disposition}
        return StreamedResponse(200, headers=headers, source=FileSource(descriptor, size), length=size)

    def put(self, request: Request, sender: "Sender") -> Upload:
        """Files of a form, under the names that it gives them. Older ones stay until all of these are whole."""
        self._session.use()
        kind, aside = request.headers.get("content-type", ""), uploads_folder(self._folder)
        return Upload(kind, sender, aside, lambda name: path_of(self._folder, name))

    async def remove(self, request: Request) -> Response:
        """Remove it."""
        await in_thread(_remove, self._folder, request.path.removeprefix(f"{PATH}/"))
        return Response(200, b'""', "application/json")


def uploads_folder(folder: str) -> str:
    """Where files lie that are not whole; what the process before left there is of no use."""
    return os.path.join(os.path.dirname(folder), UPLOADS)


def path_of(folder: str, name: str) -> str:
    """The path of a file in the folder or below; Refusal for a name that leads elsewhere."""
    parts = name.split("/")
    if not name or len(os.fsencode(name)) > _MOST_PATH or "\0" in name or not {"", ".", ".."}.isdisjoint(parts):
        raise Refusal(400, "The name of a file must lead to a place in the working directory.")
    path = os.path.join(folder, *parts)
    real = os.path.realpath(folder)
    if os.path.commonpath([os.path.realpath(os.path.dirname(path)), real]) != real:
        raise Refusal(400, "The name of a file must lead to a place in the working directory.")
    return path


def _open(folder: str, name: str) -> tuple[int, int]:
    """Descriptor and size of a regular file; Refusal."""
    try:
        descriptor = os.open(path_of(folder, name), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise _not_there(name, error) from None
    about = os.fstat(descriptor)
    if not stat.S_ISREG(about.st_mode):
        os.close(descriptor)
        raise Refusal(404, f"{name} is no regular file.")
    return descriptor, about.st_size


def _remove(folder: str, name: str) -> None:
    try:
        os.unlink(path_of(folder, name))
    except OSError as error:
        raise _not_there(name, error) from None


def _not_there(name: str, error: OSError) -> Refusal:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return Refusal(404, f"There is no file {name} in the working directory.")
    return Refusal(404, f"{name}: {error.strerror}.")
