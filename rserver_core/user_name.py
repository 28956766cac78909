"""Which account names are let through to privileged programs.

The rule of Debian's useradd with capitals, dots, a realm and a trailing dollar allowed, as directory services produce
them; no leading dash, so that a name is never an option.
"""

import re

MAX_LENGTH = 256
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@\\-]{0,254}\$?", re.ASCII)


def is_user_name(text: str) -> bool:
    """True when text may be an account name."""
    return len(text) <= MAX_LENGTH and _NAME.fullmatch(text) is not None and text not in {".", ".."}
