"""The lowest uid that may sign in: a number, or UID_MIN of /etc/login.defs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from rserver_core.options.kinds import NotAllowed

LOGIN_DEFS = "/etc/login.defs"
DEFAULT = 1000
_UID_MIN = re.compile(r"^\s*UID_MIN\s+([0-9]{1,10})\b", re.ASCII | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class MinimumUid:
    """A uid or `auto`."""

    allowed: str = "auto or a uid from 0 to 4294967294"

    def read(self, text: str, environ: Mapping[str, str]) -> int:
        """The uid."""
        if text == "auto":
            return system_uid_min()
        if not re.fullmatch(r"[0-9]{1,10}", text, re.ASCII) or int(text) > 4294967294:
            raise NotAllowed
        return int(text)


def system_uid_min(path: str = LOGIN_DEFS) -> int:
    """UID_MIN of that file, 1000 when it says nothing or cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            match = _UID_MIN.search(file.read(1 << 20))
    except OSError:
        return DEFAULT
    return int(match[1]) if match else DEFAULT
