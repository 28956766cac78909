"""Session ids: the 21 hex digits of /s/<5 owner><8 project><8 session>/."""

import re
from dataclasses import dataclass

LENGTH = 21
NO_PROJECT = "cfc78a31"
_RESERVED = frozenset(
    bytes.fromhex(
        "cfc78a31 3c286bd3 21f2ed72 2cb256d2 3c9ab5a7 f468a7506ae9dc1b 1d717df9 6d3c4c0e a142989c c2612a98 2b84c99a"
    )
    .hex(" ", 4)
    .split()
)
_TEXT = re.compile(r"[0-9a-f]{21}", re.ASCII)

# uids up to 20 bits are permuted, so that a URL does not tell the uid; the odd factor makes it a bijection.
_FACTOR, _SHIFT, _OWNERS = 0x9E375, 0x5A5A5, 1 << 20


@dataclass(frozen=True, slots=True)
class SessionId:
    """Owner, project and session part of one session's id."""

    owner: str
    project: str
    session: str

    def __str__(self) -> str:
        return self.owner + self.project + self.session

    @classmethod
    def parse(cls, text: str) -> "SessionId | None":
        """The id written in text, or None when text is none."""
        if not is_session_id(text):
            return None
        return cls(text[:5], text[5:13], text[13:])


def is_session_id(text: str) -> bool:
    """True when text has the shape of a session id."""
    return _TEXT.fullmatch(text) is not None


def owner_digits(uid: int) -> str:
    """The 5 hex digits for an owner. Different for all uids below 2**20; who asks must still compare the stored uid."""
    return f"{(uid * _FACTOR + _SHIFT) % _OWNERS:05x}"


def new_session_id(uid: int, project: str = NO_PROJECT) -> SessionId:
    """A fresh random session id for this owner."""
    # Here, because master and launcher only check ids: it would bring them a cryptographic library to carry along.
    import secrets

    while (session := secrets.token_hex(4)) in _RESERVED:
        continue
    return SessionId(owner_digits(uid), project, session)


def new_project_id() -> str:
    """Fresh random 8 hex digits that mean nothing else."""
    import secrets

    while (project := secrets.token_hex(4)) in _RESERVED:
        continue
    return project
