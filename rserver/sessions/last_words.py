"""What the keeper's report of a session's end tells its user beyond code and signal. Pure."""

import time
from collections.abc import Mapping

from rserver_core.size_words import in_words

_ADVICE = "Work on less data at a time, remove what you no longer need, or ask whoever runs this server for more."


def of_memory(told: object) -> str | None:
    """Why the kernel ended it, where it was for want of memory."""
    if not isinstance(told, Mapping):
        return None
    used, limit = _size(told.get("used")), _size(told.get("limit"))
    match told.get("by"):
        case "limit":
            allowed = f"of the {limit} of memory that this server allows a session, children included"
            return f"R used {used or limit} {allowed}, and was ended. {_ADVICE}"
        case "outer":
            return (
                "The memory that all sessions of this server may use together was used up, and R was ended"
                f"{f': it used {used}' if used else ''}. {_ADVICE}"
            )
        case "machine":
            return f"The machine ran out of memory, and R was ended{f': it used {used}' if used else ''}. {_ADVICE}"
    return None


def of_checkpoint(told: object, now: float) -> str:
    """Which objects come back; empty when that is not known. told (0: none) and now: seconds since 1970."""
    if not isinstance(told, (int, float)) or isinstance(told, bool) or not 0 <= told <= now:
        return ""
    if told == 0:
        return "Nothing had been saved of its objects yet: they are lost."
    saved = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(told))
    return f"Its objects are kept as they were at {saved}, later changes are lost."


def _size(value: object) -> str:
    return in_words(value) if isinstance(value, int) and value > 0 else ""
