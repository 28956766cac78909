"""As whom the trial session runs, and whether PAM lets that account have one."""

import os
import pwd
from dataclasses import replace

from rserver_admin.server import Server
from rserver_admin.verb import Refused
from rserver_admin.verify.check import Check, bad, good
from rserver_process.accounts import Account, AccountRefused, check, look_up

_PAM = "PAM session"


def session_account(server: Server, wanted: str) -> Account:
    """The account named, or that of the server; without root our own. Refused when it is none for sessions."""
    try:
        if os.geteuid() != 0:
            account = look_up(wanted or pwd.getpwuid(os.geteuid()).pw_name)
            check(account, 0)
        else:
            account = look_up(wanted or server.settings.server_user)
            # The server's own account is a system account, and is good enough to try R with.
            check(account, server.settings.auth_minimum_user_id if wanted else 0)
    except AccountRefused as error:
        raise Refused(f"No session can be tried: {error}.") from None
    return account


def at_home(account: Account, home: str) -> Account:
    """The same account with another home."""
    return replace(account, home=home)


def pam_session(service: str, account: Account) -> Check:
    """Opens and closes a PAM session in a process of its own, whose limits and groups it changes."""
    read_end, write_end = os.pipe2(os.O_CLOEXEC)
    pid = os.fork()
    if pid == 0:
        _try_in_child(service, account, write_end)
    os.close(write_end)
    with open(read_end, encoding="utf-8", errors="replace") as file:
        said = file.read(4096)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code == 0 and not said:
        return good(_PAM, f"{service} opens one for {account.name}")
    mend = f"`pamtester {service} {account.name} open_session close_session` tells more"
    return bad(_PAM, said or f"the process that tried it ended with {code}", mend)


def _try_in_child(service: str, account: Account, report: int) -> None:
    code = 1
    try:
        from rserver_process.keeper import SessionRefused
        from rserver_process.pam_session import PamSession

        try:
            PamSession(service, account).close()
            code = 0
        except SessionRefused as refusal:
            os.write(report, str(refusal).encode("utf-8", "replace")[:4096])
    except BaseException as error:
        os.write(report, f"{type(error).__name__}: {error}".encode("utf-8", "replace")[:4096])
    finally:
        os._exit(code)
