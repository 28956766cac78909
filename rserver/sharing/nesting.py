"""A project inside of another: only one of them is shared, for each would undo what the other gives. Pure."""

from collections.abc import Iterable

from rserver_core.shared_project import SharedProject


def why_not(folder: str, shared: Iterable[SharedProject]) -> str:
    """Why this folder is not shared beside what its owner shares already; empty: nothing is against it."""
    for each in shared:
        if _lies_in(folder, each.folder):
            return (
                f"This project lies in the project {each.folder}, which is shared already: its members have access "
                "here too. Share that one with more people, or take it back before you share this one."
            )
        if _lies_in(each.folder, folder):
            return (
                f"The project {each.folder}, which lies in this one, is shared already. "
                "Open it and take it back before you share this one."
            )
    return ""


def _lies_in(inner: str, outer: str) -> bool:
    return inner.startswith(outer.rstrip("/") + "/")
