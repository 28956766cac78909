"""The compiled walk through a tree."""

from collections.abc import Mapping

from rserver_acls.tree import Change, Visits

def walk(top: int, device: int, depth: int, known: Mapping[bytes, Change], visits: Visits, /) -> None:
    """As tree.walk_in_python(); known must be a dict. OSError when a folder cannot be read."""
