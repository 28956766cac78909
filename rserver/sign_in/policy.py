"""Who of those with a right password may come in. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Refusal(StrEnum):
    """The real reason, for the audit log only."""

    BAD_NAME = "not an account name"
    BAD_PASSWORD = "empty, too long or not a line of text"
    REFUSED_BY_PAM = "refused by PAM"
    MUST_CHANGE = "password must be changed"
    NO_ACCOUNT = "no such account"
    LOW_UID = "uid below auth-minimum-user-id"
    NOT_IN_GROUP = "in none of auth-required-user-group"


class Trouble(StrEnum):
    """Why no answer about the password can be given now."""

    CSRF = "CSRF token missing or wrong"
    KEY = "password encrypted for another key"
    FORM = "form not readable"
    BUSY = "too many sign-ins at once"
    PAM_FAILED = "PAM failed"
    MASTER = "no answer from the master"
    ACCOUNTS = "account database does not answer"


@dataclass(frozen=True, slots=True)
class Account:
    """One Linux account: canonical name, uid, home, login shell and the names of all its groups.

    full_name: what the account's entry calls its owner.
    """

    name: str
    uid: int
    gid: int
    home: str
    shell: str
    groups: frozenset[str]
    full_name: str = ""


@dataclass(frozen=True, slots=True)
class SignInPolicy:
    """auth-minimum-user-id and auth-required-user-group (empty: every group)."""

    minimum_uid: int = 1000
    required_groups: frozenset[str] = frozenset()

    def refusal(self, account: Account | None) -> Refusal | None:
        """Why account may not come in; None when it may."""
        if account is None:
            return Refusal.NO_ACCOUNT
        if account.uid < self.minimum_uid:
            return Refusal.LOW_UID
        if self.required_groups and not self.required_groups & account.groups:
            return Refusal.NOT_IN_GROUP
        return None


@dataclass(frozen=True, slots=True)
class Denial:
    """Not let in: kind decides what the visitor is told, detail is for the audit log."""

    kind: Refusal | Trouble
    detail: str = ""

    @property
    def reason(self) -> str:
        """The line for the audit log."""
        return f"{self.kind.value}: {self.detail}" if self.detail else self.kind.value


def refusal_by_exit(code: int) -> Refusal | Trouble | None:
    """What rserver-pam's exit code means; None: the password is right."""
    match code:
        case 0:
            return None
        case 1:
            return Refusal.REFUSED_BY_PAM
        case 4:
            return Refusal.MUST_CHANGE
        case _:
            return Trouble.PAM_FAILED
