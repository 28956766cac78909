"""The verbs offline and online: a file in server-lib-dir that the running server watches."""

import os
from pathlib import Path

from rserver_admin.server import Server
from rserver_admin.verb import Context, Refused, Result

FILE_NAME = "offline"
MAX_MESSAGE = 500


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
    return Result(
        "rserver goes offline within a second: every page says so. R sessions keep running.", {"offline": True}
    )


def bring_online(context: Context) -> Result:
    """Serve again."""
    path = _path(context.server)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise Refused(f"{path} cannot be removed: {error.strerror}.") from None
    return Result("rserver is online again within a second.", {"offline": False})


def is_set(server: Server) -> bool:
    """True while the server is, or would be, offline."""
    return _path(server).exists()


def _path(server: Server) -> Path:
    return server.lib_dir / FILE_NAME
