"""How services do blocking work: in a thread, the answer back on the reactor's thread."""

from collections.abc import Callable
from typing import TYPE_CHECKING, ParamSpec, Protocol, TypeVar

from twisted.internet.threads import deferToThread

from rsession import _shim

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

P = ParamSpec("P")
T = TypeVar("T")


class Background(Protocol):
    """Calls a function elsewhere; tests give one that calls at once."""

    def __call__(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> "Deferred[T]":
        """The function's result or exception, as a Deferred."""


def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> "Deferred[T]":
    """`Background` by the reactor's thread pool."""

    def apart_from_r() -> T:
        _shim.keep_own_locale()
        return function(*args, **kwargs)

    return deferToThread(apart_from_r)
