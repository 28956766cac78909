"""What the user has open in the editor, for what is no part of the editor itself."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rsession.services.document import Document


@dataclass
class OpenEditor:
    """Filled in by the editor's services; on the reactor's thread."""

    documents: Callable[[], Iterable["Document"]] = tuple
    """Those that are open now."""
    active: str | None = None
    """Id of the document in sight, as the last page said that moved."""
    heads: dict[str, int] = field(default_factory=dict)
    """Where the cursor stands in documents, by id; in UTF-16 units."""
    _callbacks: list[Callable[[], None]] = field(default_factory=list)

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call back after documents, their texts or the place of the user have changed."""
        self._callbacks.append(callback)

    def changed(self) -> None:
        """Something is not as it was."""
        for callback in self._callbacks:
            callback()
