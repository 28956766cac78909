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
    BATCH_END = 8


class BatchEnd(IntEnum):
    """How lines that belong together ended."""

    DONE = 0
    FAILED = 1
    INCOMPLETE = 2
    DROPPED = 3
    IN_BROWSER = 4


class ResultKind(IntEnum):
    """How a job ended."""

    JSON = 0
    RAW = 1
    ERROR = 2
