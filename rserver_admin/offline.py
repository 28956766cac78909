"""The verbs offline and online: a file in server-lib-dir that the running server watches."""

import os
import time
from pathlib import Path

from rserver_admin.health import says_offline
from rserver_admin.listening import addresses
from rserver_admin.server import Server
from rserver_admin.verb import Context, Refused, Result

FILE_NAME = "offline"
MAX_MESSAGE = 500
WAIT_SECONDS = 10.0
_PAUSE_SECONDS = 0.02

_DONE = {
    True: "rserver is offline: every page says so. R sessions keep running.",
    False: "rserver is online again.",
}
_NOT_RUNNING = {
    True: "rserver does not run. Once it is started every page says that it is offline, until rstudio-server online.",
    False: "rserver does not run. Once it is started it serves.",
}
_NOT_HEARD = {
    True: f"rserver was told to go offline and did not within {WAIT_SECONDS:.0f} s; its log tells more.",
    False: f"rserver was told to go online and did not within {WAIT_SECONDS:.0f} s; its log tells more.",
}


def take_offline(context: Context) -> Result:
    """From now on every page says that the server is offline; sessions run on."""
    server, message = context.server, context.invocation.own.get("message", "")
    if len(message) > MAX_MESSAGE or not message.isprintable():
        raise Refused(f"A message is one line of at most {MAX_MESSAGE} characters.")
    path = _path(server)
    aside = path.with_name(f"{FILE_NAME}.new")
    try:
        aside.unlink(missing_ok=True)
        fd = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        with open(fd, "w", encoding="utf-8") as file:
            os.fchmod(fd, 0o644)
            file.write(message)
            file.flush()
            os.fsync(fd)
        aside.rename(path)
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}.") from None
    return _obeyed(server, offline=True)


def bring_online(context: Context) -> Result:
    """Serve again."""
    server = context.server
    path = _path(server)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise Refused(f"{path} cannot be removed: {error.strerror}.") from None
    return _obeyed(server, offline=False)


def _obeyed(server: Server, *, offline: bool) -> Result:
    """As soon as the running server does as it is told."""
    process, data = server.process(), {"offline": offline}
    if process is None:
        return Result(_NOT_RUNNING[offline], data)
    where, deadline = addresses(process.pid), time.monotonic() + WAIT_SECONDS
    # One answer is that of one worker.
    heard, wanted = 0, 2 * server.settings.www_workers - 1
    while heard < wanted:
        if says_offline(where, server.run_dir) is offline:
            heard += 1
        elif time.monotonic() > deadline:
            raise Refused(_NOT_HEARD[offline])
        else:
            heard = 0
            time.sleep(_PAUSE_SECONDS)
    return Result(_DONE[offline], data)


def is_set(server: Server) -> bool:
    """True while the server is, or would be, offline."""
    return _path(server).exists()


def _path(server: Server) -> Path:
    return server.lib_dir / FILE_NAME
