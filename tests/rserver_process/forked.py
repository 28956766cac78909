"""Running a function in a forked process of a test, for what cannot be undone: a change of uid, closed descriptors."""

import os
import pickle
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def in_child(function: Callable[[], T]) -> T:
    """What function returns in a child of this process; its exception is raised here as RuntimeError."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        _answer(function, write_end)
    os.close(write_end)
    with open(read_end, "rb") as file:
        data = file.read()
    os.waitpid(pid, 0)
    assert data, "the child gave no answer"
    good, value = pickle.loads(data)
    if not good:
        raise RuntimeError(value)
    result: T = value
    return result


def _answer(function: Callable[[], object], write_end: int) -> None:
    # Above what close_all_but is told to keep in the tests.
    os.dup2(write_end, 900)
    try:
        data = pickle.dumps((True, function()))
    except BaseException as error:
        data = pickle.dumps((False, f"{type(error).__name__}: {error}"))
    os.write(900, data)
    os._exit(0)
