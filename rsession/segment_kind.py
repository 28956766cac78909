"""Kinds of the shim's segments, in the order of its C source."""

from enum import IntEnum


class SegmentKind(IntEnum):
    """What R's thread hands to the reactor."""

    OUTPUT = 0
    ERROR = 1
    PROMPT = 2
    INPUT = 3
    EMITTED = 4
    RESULT = 5
    QUIT = 6
    IDLE = 7


class ResultKind(IntEnum):
    """How a job ended."""

    JSON = 0
    RAW = 1
    ERROR = 2
