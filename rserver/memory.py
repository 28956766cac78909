"""What keeps the worker small: how glibc gives memory back, and what the collector need not look at."""

import ctypes
import gc

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8


def tune_allocator() -> None:
    """Large reads come from the heap and stay there: mapping and unmapping each costs more than the copy.

    Few arenas: our threads hardly allocate.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, 8 << 20)
        mallopt(_TRIM_THRESHOLD, 16 << 20)
        mallopt(_ARENA_MAX, 2)


def freeze() -> None:
    """What was made at the start lives for ever: the collector passes it over."""
    gc.collect()
    gc.freeze()
