"""What a run has done so far, bounded whatever it meets."""

from typing import Any

MOST_NAMED = 200
_MOST_PATH = 1000


class Outcome:
    """Counts, and the first objects that were left out. unfinished: some still have entries that they should not."""

    def __init__(self) -> None:
        self.changed = self.unchanged = self.skipped_total = 0
        self.unfinished = False
        self._skipped: list[dict[str, str]] = []
        self._notes = set[str]()

    def skip(self, path: str, reason: str) -> None:
        """An object that is left as it is."""
        self.skipped_total += 1
        if len(self._skipped) < MOST_NAMED:
            self._skipped.append({"path": path[:_MOST_PATH], "reason": reason})

    def fail(self, path: str, reason: str) -> None:
        """An object that should have been changed."""
        self.unfinished = True
        self.skip(path, reason)

    def note(self, reason: str) -> None:
        """What stays different in many places is said once, of the whole project."""
        if reason not in self._notes:
            self._notes.add(reason)
            self.skip(".", reason)

    def to_json(self) -> dict[str, Any]:
        """The fields of the answer."""
        counts = {"changed": self.changed, "unchanged": self.unchanged}
        return {**counts, "skipped": self._skipped, "skipped_total": self.skipped_total}
