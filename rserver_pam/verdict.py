"""What PAM says about one user and one password."""

import os
import time

from rserver_pam.password_answer import PasswordAnswer
from rserver_pam.standing import standing
from rserver_process.pam_library import NEW_AUTHTOK_REQD, PAM_RHOST, PAM_TTY
from rserver_process.pam_transaction import PamError, Transaction

ACCEPTED, REFUSED, MISUSE, FAILED, CHANGE_PASSWORD = range(5)

# Not the user's fault: a module that cannot be loaded, a directory that does not answer, no memory.
_SYSTEM_CODES = frozenset({1, 2, 3, 4, 5, 9, 14, 15, 18, 24, 26, 28, 29, 30, 31})
_SERVICE_DIRECTORIES = ("/etc/pam.d", "/usr/lib/pam.d", "/usr/share/pam.d")
_TTY = "rserver"


def check_password(
    user: str, password: str, service: str, remote_host: str = "", confdir: str | None = None
) -> tuple[int, str]:
    """Exit code, and a line for the log that names PAM's reason and never what was typed.

    The failure delay of PAM modules is skipped: the server delays refusals without keeping a process for it.
    Credentials are not touched, so that nobody's ticket cache is overwritten by a mere check.
    """
    transaction = Transaction(service, user, PasswordAnswer(password), confdir)
    try:
        _ask(transaction, remote_host)
    except PamError as error:
        known = standing(user, int(time.time() // 86400)) if confdir is None else ""
        reason = _reason(error, transaction, service, confdir)
        return _code(error, transaction), f"{user}: {known and known + ': '}{reason}"
    finally:
        transaction.end()
    return ACCEPTED, f"{user}: accepted by PAM service {service}"


def _ask(transaction: Transaction, remote_host: str) -> None:
    transaction.without_failure_delay()
    transaction.set_item(PAM_TTY, _TTY)
    if remote_host:
        transaction.set_item(PAM_RHOST, remote_host[:255])
    transaction.authenticate()
    transaction.acct_mgmt()


def _code(error: PamError, transaction: Transaction) -> int:
    if error.code == NEW_AUTHTOK_REQD:
        return CHANGE_PASSWORD
    if transaction.unanswered:
        # Modules call it what they like, a system error for instance.
        return REFUSED
    return FAILED if error.code in _SYSTEM_CODES else REFUSED


def _reason(error: PamError, transaction: Transaction, service: str, confdir: str | None) -> str:
    reason = f"{error.call} of PAM service {service}: {error.text} ({error.code})"
    if transaction.unanswered:
        reason += f", PAM asked for more than the password: {transaction.unanswered[0].strip()!r}"
    if confdir is None and not any(os.path.exists(os.path.join(d, service)) for d in _SERVICE_DIRECTORIES):
        reason += f", there is no file /etc/pam.d/{service}, so the service `other` decides"
    return reason
