"""What the account files say of somebody whom PAM refused: for the administrator's log, never for the visitor."""

import pwd

SHADOW = "/etc/shadow"
_HASH, _EXPIRES = 1, 7


def standing(user: str, today: int, shadow: str = SHADOW) -> str:
    """Why this account could not sign in whatever was typed; empty when nothing is known. today: days since 1970."""
    try:
        pwd.getpwnam(user)
    except KeyError:
        return "there is no such account"
    fields = _shadow_fields(user, shadow)
    if fields is None:
        return ""
    if fields[_HASH].startswith(("!", "*")):
        return "the account is locked"
    if fields[_EXPIRES].isdigit() and int(fields[_EXPIRES]) <= today:
        return "the account has expired"
    return ""


def _shadow_fields(user: str, shadow: str) -> list[str] | None:
    try:
        with open(shadow, encoding="utf-8", errors="surrogateescape") as file:
            for line in file:
                fields = line.rstrip("\n").split(":")
                if fields[0] == user and len(fields) > _EXPIRES:
                    return fields
    except OSError:
        return None
    return None
