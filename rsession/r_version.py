"""The R of this session as the server chose it: what is told of it, and its repositories, which R sets as it starts."""

import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from rserver_core.r_installation import RInstallation
    from rsession.session import Session

_PROFILE = f"{os.path.dirname(os.path.realpath(__file__))}/site_profile.R"
_NO_FILE = "/dev/null"


class SessionR(NamedTuple):
    """key: which of the server's list, as an RWish; messages: sentences for the user.

    has_profile: site_profile.R stands in the place of the site's.
    """

    version: str
    home: str
    key: str
    label: str = ""
    note: str = ""
    messages: tuple[str, ...] = ()
    has_profile: bool = False

    def report(self) -> dict[str, str]:
        """For the server."""
        return {"version": self.version, "key": self.key, "note": self.note}


def take_from_environment(installation: "RInstallation", *, runs_profile: bool) -> SessionR:
    """What the server said; its own variables are gone from the environment then, and those for site_profile.R set."""
    note, label = os.environ.pop("RS_R_NOTE", ""), os.environ.get("RSTUDIO_R_VERSION_LABEL", "")
    key = os.environ.pop("RS_R_KEY", "") or _key_of(installation)
    os.environ.pop("RS_MODULES_BIN_PATH", None)
    repo = os.environ.get("RSTUDIO_R_REPO", "")
    named, problem = _repositories(repo) if repo else ([], "")
    if named:
        _have_set(named, runs_profile=runs_profile)
    return SessionR(
        installation.version, installation.home, key, label, note, tuple(filter(None, (note, problem))), bool(named)
    )


def _key_of(installation: "RInstallation") -> str:
    from rserver_core.r_version import RWish  # the server says it, and R's start waits for this module

    return str(RWish(installation.version, installation.home))


def _repositories(named: str) -> tuple[list[tuple[str, str]], str]:
    """Names and URLs; a sentence when there are none."""
    from rserver_core.r_repositories import BadRepositories, repositories

    try:
        return repositories(named), ""
    except BadRepositories as error:
        return [], f"The repositories of this R version cannot be used: {error}."


def _have_set(named: list[tuple[str, str]], *, runs_profile: bool) -> None:
    os.environ["RS_R_REPOSITORIES"] = "\n".join(f"{name}={url}" for name, url in named)
    if "R_PROFILE" in os.environ:
        os.environ["RS_OWN_PROFILE"] = os.environ["R_PROFILE"] or _NO_FILE
    if not runs_profile:
        os.environ["RS_SITE_PROFILE"] = _NO_FILE
    os.environ["R_PROFILE"] = _PROFILE


def register(session: "Session", own: SessionR) -> None:
    """Answer the server's question, and say what there is to say."""

    # The server, which is no client, asks once the session answers.
    @session.rpc.method("get_r_version", open_to_strangers=True)
    def get_r_version() -> dict[str, str]:
        """The R that runs: `{"version", "key", "note"}`; `key` names it in the server's list, `note` says why not
        another.
        """
        return own.report()

    for text in own.messages:
        session.events.emit("show_message", {"kind": "warning", "text": text})
