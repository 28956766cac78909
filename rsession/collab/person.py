"""An account of whom is asked what it may do."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks, with all groups."""

    name: str
    uid: int
    groups: frozenset[int]
