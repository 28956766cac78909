"""What the services (completion, environment, plots, documents …) may use of the session, and nothing else.

`rsession.services.register(api)` is called once on the reactor's thread, before R's first prompt is announced.
Everything here is
called and calls back on that thread alone; nothing may block it.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IReactorTime

    from rsession.http_message import Request, Response
    from rsession.open_editor import OpenEditor
    from rsession.projects.folder import Project
    from rsession.rpc_method import MethodTable
    from rsession.state_paths import StatePaths


class RJobs(Protocol):
    """Small pieces of R work, run in order while R waits at any prompt (also `Browse[1]>` and `readline()`)."""

    def call(self, function: str, *args: str) -> "Deferred[bytes]":
        """Call an R function of the session's hidden environment with UTF-8 strings.

        The environment holds what `rsession/R/*.R` define; its parent is R's base namespace (write `utils::head`), it
        is never
        attached, and it is not visible to the user. Output, messages and warnings are swallowed; `.Last.value` and
        `.Random.seed` stay.
        The result is JSON in UTF-8: a named list is an object, an unnamed list an array, an atomic vector of length 1
        a scalar
        (an array with class "rs_array"), any other length an array, NULL, NA and non-finite numbers null, factors
        their labels.
        A raw vector arrives as its bytes. At most 64 MiB.

        Fails with RpcError R_ERROR (the condition's message; also when the result is too large) or, when R ends
        first, UNAVAILABLE.
        The job waits while R is busy. Cancelling the Deferred takes a job that has not begun out of the queue. At
        most 1000 jobs wait:
        UNAVAILABLE beyond.
        """


class Events(Protocol):
    """The session's numbered event log, seen by every listener."""

    def emit(self, type: str, data: object) -> None:  # noqa: A002 - the protocol's own word
        """Append an event; `data` is any JSON value."""


class RState(Protocol):
    """What R is doing, as far as its last message told."""

    @property
    def is_busy(self) -> bool:
        """R evaluates user code (jobs would wait)."""

    @property
    def prompt(self) -> str | None:
        """The prompt at which R waits, None while busy."""


class Routes(Protocol):
    """GET requests below a prefix."""

    def get(self, prefix: str, handler: "Callable[[Request], Response | Deferred[Response]]") -> None:
        """Hand every GET or HEAD whose path begins with `prefix` (such as `/graphics/`) to `handler`; RpcError
        becomes a 4xx or 5xx.
        """


class ServiceApi(Protocol):
    """The session, as given to `register`."""

    @property
    def jobs(self) -> RJobs: ...

    @property
    def events(self) -> Events: ...

    @property
    def r(self) -> RState: ...

    @property
    def routes(self) -> Routes: ...

    @property
    def rpc(self) -> "MethodTable":
        """Add methods with `@api.rpc.method("list_files", Param("path", "string"))` above a handler.

        The handler returns a JSON value or a Deferred of one.
        """

    @property
    def paths(self) -> "StatePaths": ...

    @property
    def editor(self) -> "OpenEditor":
        """What the user has open in the editor."""

    @property
    def project(self) -> "Project | None":
        """The open project, with its options as they are now."""

    def saved(self, path: str) -> None:
        """Tell that a file was written."""

    @property
    def clock(self) -> "IReactorTime": ...

    def on_prompt(self, callback: Callable[[], None]) -> None:
        """Call back each time R has returned to its top-level prompt with no line queued, after the prompt was
        announced.
        """

    def on_input(self, callback: Callable[[str, bool], None]) -> None:
        """Call back with every line given to R (without newline) and whether its prompt wants it in the history."""

    def on_r_event(self, type: str, callback: Callable[[object], None]) -> None:  # noqa: A002 - the protocol's own word
        """Call back with the JSON value of R code's `.rs_emit(type, value)`, in order with the output.

        `.rs_emit` may be called by jobs and, from hooks, while user code runs; a type without callback becomes an
        event of that type.
        """

    def on_end(self, callback: Callable[[], None]) -> None:
        """Call back once when R is about to end (after `q()`), to bring files to disk; has at most a second."""

    def on_snapshot(self, callback: Callable[[], None]) -> None:
        """Call back when the objects are about to be written, to bring to disk what must come back with them."""

    def add_to_client_init(self, key: str, provide: Callable[[], object]) -> None:
        """Make `provide()`'s JSON value the field `key` of client_init's answer (`history`, `documents`, `plots`)."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The process's environment at start."""
