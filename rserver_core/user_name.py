"""Which account names are let through to privileged programs.

The rule of Debian's useradd with capitals, dots, a realm and a trailing dollar allowed, as directory services produce
them; no leading dash, so that a name is never an option. Without `re`, whose import is a third of the start of
rserver-pam.
"""

MAX_LENGTH = 256
MAX_SHOWN = 128
_FIRST = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")
_ALL = _FIRST | frozenset(".@\\-")


def is_user_name(text: str) -> bool:
    """True when text may be an account name."""
    body = text.removesuffix("$")
    return 0 < len(body) < MAX_LENGTH and body[0] in _FIRST and _ALL.issuperset(body)


def shown_name(user: str, gecos: str) -> str:
    """What the account's entry calls its owner, as far as it can be shown; else the account's name."""
    plain = "".join(sign for sign in gecos.split(",")[0] if sign.isprintable())
    return plain.strip()[:MAX_SHOWN] or user
