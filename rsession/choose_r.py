"""Before R is chosen for good: what the project of this session wishes, read as its user.

`rsession-run` asks with --choose-r=1 before anything else, and evaluates the answer, which is shell code.
"""

import json
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace

from rserver_core.config_errors import ConfigErrors
from rserver_core.options.command_line import load
from rserver_core.options.rsession import RSESSION, RsessionSettings
from rserver_core.r_choice import choose, sentence
from rserver_core.r_installation import NoR, read_home
from rserver_core.r_version import VARIABLES, BadWish, RVersion, RWish
from rsession.project_r import wish_of_project


def main(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Print what changes; nothing when the R that the server chose is to stay."""
    try:
        settings = load(RSESSION, argv, environ)
    except ConfigErrors:
        return 0  # the session itself says what is wrong
    for name, value in changes(settings, environ).items():
        print(f"export {name}={shlex.quote(value)}" if value else f"unset {name}")
    return 0


def changes(settings: RsessionSettings, environ: Mapping[str, str]) -> dict[str, str]:
    """Variables of the R that the project wants, empty for those to unset; none when it wants none or has it."""
    text = wish_of_project(settings)
    if not text:
        return {}
    try:
        wish, versions = RWish.parse(text), _listed(environ.get("RS_R_VERSIONS", "[]"))
    except BadWish as error:
        return {"RS_R_NOTE": f"The project wants another R, but {error}."}
    except ValueError:
        return {}
    found = choose(wish, versions)
    if found is None:
        return {"RS_R_NOTE": f"The project wants {wish.title}, which is not on this server."}
    return _change(wish, found, environ)


def _change(wish: RWish, found: RVersion, environ: Mapping[str, str]) -> dict[str, str]:
    told = {"RS_R_NOTE": sentence("The project wants", wish, found)}
    if str(found.wish) == environ.get("RS_R_KEY"):
        return told
    try:
        wanted = _with_variables(found)
    except NoR as error:
        return {"RS_R_NOTE": f"The project wants {wish.title}, which cannot be used: {error}."}
    rest = environ.get("LD_LIBRARY_PATH", "").removeprefix(_library_path(environ.get("R_HOME", "")))
    return dict.fromkeys(VARIABLES, "") | wanted.environment(rest) | told | {"RS_R_KEY": str(found.wish)}


def _listed(text: str) -> list[RVersion]:
    listed = json.loads(text)
    return [RVersion.from_json(item) for item in listed] if isinstance(listed, list) else []


def _with_variables(version: RVersion) -> RVersion:
    """With what its own start script sets; NoR."""
    return replace(version, variables=read_home(version.home).variables) if version.home else version


def _library_path(home: str) -> str:
    """What the R that was chosen before has put at the front of LD_LIBRARY_PATH."""
    try:
        return read_home(home).environment()["LD_LIBRARY_PATH"] if os.path.isabs(home) else ""
    except NoR:
        return ""
