"""Lets git work in a project that somebody else owns and shares with the session's user. Blocking."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from rserver_core.shared_project_folder import SharedFolder

if TYPE_CHECKING:
    from rsession.sharing.terms import Terms

_COUNT, _KEY, _VALUE = "GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_{}", "GIT_CONFIG_VALUE_{}"
_SETTING = "safe.directory"
_MOST_GIVEN = 1000


def git_trust(folder: str, terms: "Terms", writer: int, user: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Variables that have git (2.38 or newer) trust exactly this project; none unless it is shared with the user.

    What git is told in the environment already stays. writer: uid of the server.
    """
    folder = os.path.realpath(folder)
    try:
        if os.stat(folder).st_uid == os.geteuid():
            return {}
        shared, _ = SharedFolder(terms.folder, writer).read()
    except OSError:
        return {}
    if not any(each.project.folder == folder and user in each.project.shared for each in shared):
        return {}
    return _with_safe_directory(folder, environment)


def _with_safe_directory(folder: str, environment: Mapping[str, str]) -> dict[str, str]:
    given = environment.get(_COUNT) or "0"
    # What git itself would refuse is left for git to complain of.
    if not (given.isascii() and given.isdigit()) or int(given) > _MOST_GIVEN:
        return {}
    count = int(given)
    told = [(environment.get(_KEY.format(number)), environment.get(_VALUE.format(number))) for number in range(count)]
    # A program that starts itself again hands on what it was given.
    if (_SETTING, folder) in told:
        return {}
    return {_COUNT: str(count + 1), _KEY.format(count): _SETTING, _VALUE.format(count): folder}
