"""The Plots pane: history, size and pictures."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from twisted.logger import Logger
from twisted.python.failure import Failure

from rsession.error_code import ErrorCode, RpcError
from rsession.http_message import Request, Response
from rsession.rpc_method import Method, Param
from rsession.service_api import ServiceApi
from rsession.services.picture import PictureRequest, PictureSize, parse_request
from rsession.services.picture_store import PictureStore
from rsession.services.plot_list import Plot, PlotList

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

_log = Logger()
_LASTING = {"Cache-Control": "private, max-age=31536000, immutable"}
_PASSING = {"Cache-Control": "no-store"}


class Plots:
    """Answers from what R last told; R is asked in the background."""

    def __init__(self, api: ServiceApi) -> None:
        self._api = api
        self._list = PlotList()
        self._size = PictureSize()
        self._store = PictureStore(api)
        self._resizing: Deferred[bytes] | None = None
        self._is_checking = False

    def use_folder(self, folder: str) -> None:
        """R has started and leaves its pictures there."""
        self._store.folder = Path(folder)

    def state(self) -> dict[str, object]:
        """The plots state of the protocol."""
        return self._list.state()

    def told(self, state: object) -> None:
        """R says that its plots changed."""
        self._list.update(state)
        self._announce()

    def check(self) -> None:
        """R is at its prompt: have it look at its device."""
        if not self._is_checking:
            self._is_checking = True
            self._api.jobs.call("plots_check").addErrback(_complain).addBoth(self._checked)

    def _checked(self, _: object) -> None:
        self._is_checking = False

    def set_size(self, width: float, height: float, dpr: float) -> dict[str, object]:
        """New plots are laid out for this size; of several sizes that wait for R only the last is used."""
        size = PictureSize.rounded(width, height, dpr)
        if size != self._size:
            self._size = size
            if self._resizing is not None:
                self._resizing.cancel()
            resizing = self._api.jobs.call("plots_resize", *size.as_arguments(), self._list.active or "")
            self._resizing = resizing
            resizing.addCallbacks(self._resized, _forget)
        return self.state()

    def _resized(self, answer: bytes) -> None:
        before = self.state()
        self._list.update(json.loads(answer))
        if self.state() != before:
            self._announce()

    def select(self, id_: str) -> dict[str, object]:
        """Show another plot of the history."""
        self._find(id_)
        self._list.select(id_)
        return self._announce()

    def remove(self, id_: str) -> dict[str, object]:
        """Take one plot out of the history."""
        self._find(id_)
        self._list.remove(id_)
        self._api.jobs.call("plots_remove", id_).addErrback(_complain)
        return self._announce()

    def clear(self) -> dict[str, object]:
        """Take all plots out of the history and close R's device."""
        self._list.clear()
        self._api.jobs.call("plots_clear").addErrback(_complain)
        return self._announce()

    def respond(self, request: Request) -> "Response | Deferred[Response]":
        """`GET /graphics/<id>.png?width=&height=&dpr=&revision=`."""
        wanted = parse_request(request.path, request.query, self._size)
        plot = None if wanted is None else self._list.find(wanted.id)
        if wanted is None or plot is None:
            return Response.of_text(404, "There is no such plot.")
        if wanted.revision not in (None, plot.revision):
            return self._older(wanted)
        return self._newest(wanted, plot)

    def _older(self, wanted: PictureRequest) -> Response:
        picture = self._store.find(wanted.size.file_name(wanted.id, wanted.revision or 0))
        if picture is None:
            return Response.of_text(404, "This revision of the plot is gone.")
        return Response(200, picture, "image/png", _LASTING)

    def _newest(self, wanted: PictureRequest, plot: Plot) -> "Response | Deferred[Response]":
        name = wanted.size.file_name(plot.id, plot.revision)
        headers = _PASSING if wanted.revision is None else _LASTING
        picture = self._store.find(name)
        if picture is not None:
            return Response(200, picture, "image/png", headers)
        drawn = self._store.draw(plot.id, wanted.size, name)
        return drawn.addCallback(lambda drawing: Response(200, drawing, "image/png", headers)).addErrback(
            self._instead, plot
        )

    def _instead(self, failure: Failure, plot: Plot) -> Response:
        picture = self._store.find_any(plot.id) if failure.check(RpcError) else None
        if picture is None:
            failure.raiseException()
        return Response(200, picture or b"", "image/png", _PASSING)

    def _find(self, id_: str) -> None:
        if self._list.find(id_) is None:
            raise RpcError(ErrorCode.PARAM_INVALID, "there is no such plot")

    def _announce(self) -> dict[str, object]:
        state = self.state()
        self._api.events.emit("plots_changed", state)
        return state


def register(api: ServiceApi, started: "Deferred[str]") -> None:
    """Enter the plot methods and the pictures; `started` fires with the pictures' folder."""
    plots = Plots(api)
    started.addCallbacks(plots.use_folder, _forget)
    id_ = Param("id", "string")
    size = tuple(Param(name, "number") for name in ("width", "height", "dpr"))
    for method in (
        Method("get_plots", (), plots.state, "The history of plots.", is_use=False),
        Method(
            "set_plot_size",
            size,
            plots.set_size,
            "Size of the page's picture in CSS pixels, and pixels for each.",
            is_use=False,
        ),
        Method("select_plot", (id_,), plots.select, "Show another plot of the history."),
        Method("remove_plot", (id_,), plots.remove, "Take one plot out of the history."),
        Method("clear_plots", (), plots.clear, "Take all plots out of the history and close R's device."),
    ):
        api.rpc.add(method)
    api.routes.get("/graphics/", plots.respond)
    api.on_r_event("plots_changed", plots.told)
    api.on_prompt(plots.check)
    api.add_to_client_init("plots", plots.state)


def _complain(failure: Failure) -> None:
    _log.warn("the plots cannot be read: {reason}", reason=failure.getErrorMessage())


def _forget(_: Failure) -> None:
    """A cancelled or failed question; the next one finds the same things."""
