"""The PAM session of one R session: opened by its keeper, without a password, in a service of its own."""

import os

from rserver_process.accounts import Account
from rserver_process.keeper import SessionRefused
from rserver_process.pam_library import DELETE_CRED, ESTABLISH_CRED, NEW_AUTHTOK_REQD, PAM_RUSER, PAM_TTY
from rserver_process.pam_transaction import PamError, Transaction

TTY = "rserver"


def preload(service: str) -> Transaction | None:
    """Load the modules of a service, so that forked keepers share them; keep the result as long as that is wanted."""
    try:
        return Transaction(service, "root")
    except PamError:
        # Told by the first session that cannot be opened.
        return None


class PamSession:
    """An open PAM session; limits and groups of this process are the account's from here on."""

    def __init__(self, service: str, account: Account, confdir: str | None = None) -> None:
        """Open it; SessionRefused when PAM says no."""
        self._transaction = Transaction(service, account.name, confdir=confdir)
        try:
            self._open(account)
            self.environment = self._transaction.environment()
        except PamError as error:
            reason = self._reason(error, service)
            self._transaction.end()
            raise SessionRefused(reason) from None

    def close(self) -> None:
        """Close the session and drop its credentials; what PAM cannot do at this point it has logged itself."""
        for last_call in (self._transaction.close_session, lambda: self._transaction.setcred(DELETE_CRED)):
            try:
                last_call()
            except PamError:
                continue
        self._transaction.end()

    def _open(self, account: Account) -> None:
        transaction = self._transaction
        transaction.set_item(PAM_TTY, TTY)
        transaction.set_item(PAM_RUSER, "root")
        transaction.authenticate()
        try:
            transaction.acct_mgmt()
        except PamError as error:
            # A password that is due for a change is a matter of the next sign-in, not of a session that was let in.
            if error.code != NEW_AUTHTOK_REQD:
                raise
        # Before setcred: pam_group adds to these, and a later initgroups would lose what it added.
        os.setgroups(account.groups)
        transaction.setcred(ESTABLISH_CRED)
        try:
            transaction.open_session()
        except PamError:
            self._drop_credentials()
            raise

    def _drop_credentials(self) -> None:
        try:
            self._transaction.setcred(DELETE_CRED)
        except PamError:
            return

    def _reason(self, error: PamError, service: str) -> str:
        said = "; ".join(text.strip() for text in self._transaction.messages[-3:])
        return f"PAM service {service}, {error}" + (f" ({said})" if said else "")
