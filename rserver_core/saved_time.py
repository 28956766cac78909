"""What the time of a session's socket tells of its objects: the session sets it, whoever watches it reads it."""

LEFT_CODES = (101, 102)
"""In the place of the time: the exit code of a session that wrote its objects and ends."""
NOTHING_SAVED = 100
"""In the place of the time: objects were made, and none are on the disk."""


def saved_at(told: float) -> float | None:
    """When the objects were saved that would come back, seconds since 1970; 0: there are some, and none are saved.

    None: it was not said.
    """
    if told == NOTHING_SAVED:
        return 0.0
    return None if told == 0 or told in LEFT_CODES else told
