"""What a user reads about limits. Pure."""

from rserver_core.memory_limit import MemoryLimit, MemoryUse
from rserver_core.size_words import in_words

_ADVICE = "Save what you need, remove large objects with rm() and call gc()."


def of_warning(limit: MemoryLimit, use: MemoryUse) -> str:
    """Memory runs short."""
    figures = f"{in_words(use.used)} of the {in_words(use.limit)} of memory"
    if not limit.group:
        return f"R uses {figures} that it may have; beyond that it cannot make larger objects. {_ADVICE}"
    if limit.is_shared:
        who = "R and everything else that shares its limit use"
        return f"{who} {figures} that they may have together. When all is used, R may be ended. {_ADVICE}"
    return f"This session uses {figures} that it may have. When all is used, R is ended. {_ADVICE}"


def of_ended_child(limit: MemoryLimit) -> str:
    """The kernel ended something, not R."""
    together = "R and everything else that shares its limit may have together"
    whose = together if limit.is_shared else "this session may have"
    return (
        f"A program that R had started was ended: the {in_words(limit.limit)} of memory that {whose} "
        "were used up. R itself goes on."
    )


def of_processes(most: str) -> str:
    """Something could not be started."""
    return (
        f"A program or thread could not be started: this session may have {most} of them at a time. "
        "Use fewer workers, or end what you no longer need."
    )
