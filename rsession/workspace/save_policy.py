"""Whether objects go to `.RData`, come from there, and whether the history is kept: as project, user and site say."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from rsession.projects.options import ProjectOptions

SaveAction = Literal["ask", "yes", "no"]

_OF_PREFERENCE: dict[object, SaveAction] = {"ask": "ask", "always": "yes", "never": "no"}
_OF_DEFAULT: dict[str, SaveAction] = {"ask": "ask", "yes": "yes", "no": "no"}


class SavePolicy(NamedTuple):
    """What holds at a start and at an end."""

    save: SaveAction
    loads_image: bool = True
    always_saves_history: bool = True


def save_policy(default: str, preferences: Mapping[str, object], project: "ProjectOptions | None") -> SavePolicy:
    """Project, then preference, then default (`session-save-action-default`); a value that means nothing is absent."""
    preferred = _OF_PREFERENCE.get(preferences.get("save_workspace"), _OF_DEFAULT[default])
    return SavePolicy(
        (project and project.save_workspace) or preferred,
        _first(project.restore_workspace if project else None, preferences.get("load_workspace")),
        _first(project.always_save_history if project else None, preferences.get("always_save_history")),
    )


def _first(of_project: bool | None, preference: object) -> bool:
    return of_project if of_project is not None else preference is not False
