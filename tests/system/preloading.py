"""A server that preloads R, and how to see that a session was forked and not executed."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

from tests.system.accounts import Account
from tests.system.running_server import RunningServer, running_server
from tests.system.visitor import Visitor

READY = re.compile(r"\[template\] R \S+ is preloaded")


@contextlib.contextmanager
def preloading_server(account: Account | None = None, pam_sessions: bool = True) -> Iterator[RunningServer]:
    """A server whose template is ready."""
    enabled = str(int(pam_sessions))
    with running_server(account=account, rsession_preload="1", auth_pam_sessions_enabled=enabled) as server:
        server.wait_for_line(READY)
        yield server


def session_of(server: RunningServer, account: Account) -> tuple[Visitor, str]:
    """The account's session at its first prompt, and all that R wrote until then."""
    visitor = Visitor(server.port)
    assert visitor.sign_in(account.name, account.password).status == 302
    visitor.open_session()
    visitor.seen = 0
    return visitor, visitor.wait_for_prompt()


def r_pid(visitor: Visitor) -> int:
    """The process that R runs in."""
    found = re.search(r"\[1\] (\d+)", visitor.run("Sys.getpid()"))
    assert found
    return int(found[1])


def was_forked(pid: int) -> bool:
    """The kernel still shows the variables of the program that was executed last: the template's."""
    return b"\0R_ENVIRON_USER=\0" in Path(f"/proc/{pid}/environ").read_bytes()
