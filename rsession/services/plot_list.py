"""The plot history as the page sees it. R owns the plots; which is shown or being removed is decided here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plot:
    """A plot; its revision grows when something is added to it."""

    id: str
    revision: int


class PlotList:
    """Always has an answer, also while R is busy."""

    def __init__(self) -> None:
        self._plots: tuple[Plot, ...] = ()
        self._removed: set[str] = set()
        self._error: str | None = None
        self.active: str | None = None

    def update(self, told: object) -> None:
        """Take over R's list `{"plots", "error"}`; a plot that is new or changed becomes the active one."""
        if not isinstance(told, dict):
            return
        before = set(self._plots)
        plots = tuple(Plot(str(entry["id"]), int(entry["revision"])) for entry in told["plots"])
        self._removed &= {plot.id for plot in plots}
        self._plots = tuple(plot for plot in plots if plot.id not in self._removed)
        self._error = told["error"]
        changed = [plot.id for plot in self._plots if plot not in before]
        self._activate(changed[-1] if changed else self.active)

    def find(self, id_: str) -> Plot | None:
        """The plot with this id."""
        return next((plot for plot in self._plots if plot.id == id_), None)

    def select(self, id_: str) -> None:
        """Show this plot, which must exist."""
        self._activate(id_)

    def remove(self, id_: str) -> None:
        """Take a plot out; when it was shown, the one behind it, else the one before it, is next."""
        ids = [plot.id for plot in self._plots]
        at = ids.index(id_)
        self._removed.add(id_)
        self._plots = self._plots[:at] + self._plots[at + 1 :]
        if self.active == id_ and self._plots:
            self.active = self._plots[min(at, len(self._plots) - 1)].id
        self._activate(self.active)

    def clear(self) -> None:
        """Take all plots out."""
        self._removed |= {plot.id for plot in self._plots}
        self._plots, self._error, self.active = (), None, None

    def state(self) -> dict[str, object]:
        """The plots state of the protocol."""
        plots = [{"id": plot.id, "revision": plot.revision} for plot in self._plots]
        return {"active": self.active, "plots": plots, "error": self._error}

    def _activate(self, id_: str | None) -> None:
        newest = self._plots[-1].id if self._plots else None
        self.active = id_ if id_ is not None and self.find(id_) else newest
