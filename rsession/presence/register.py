"""Puts presence into a session that has a project."""

import os
import pwd
from typing import TYPE_CHECKING

from rserver_core.session_id import is_session_id
from rsession.services.background import Background, in_thread

if TYPE_CHECKING:
    from rsession.projects.folder import Project
    from rsession.session import Session


def register(session: "Session", session_id: str, background: Background = in_thread) -> None:
    """Enter `get_presence` and begin; once, after the project was opened and the editor registered."""

    @session.rpc.method("get_presence", is_use=False)
    def get_presence() -> dict[str, object]:
        """`{"people": [{"session", "user", "name", "file", "line", "open"}]}`: other sessions in the open project."""
        return _described(session)

    session.add_to_client_init("presence", lambda: _described(session))
    if session.project is not None and is_session_id(session_id):
        _begin(session, session_id, session.project, background)


def _begin(session: "Session", session_id: str, project: "Project", background: Background) -> None:
    # Most sessions have no project, and their start would wait for these.
    from rserver_core.user_name import shown_name
    from rsession.presence.presence import Presence
    from rsession.presence.running import own_process
    from rsession.presence.sentry import Sentry

    try:
        account = pwd.getpwuid(os.getuid())
    except KeyError:
        # In a container: nobody could tell whose the file is.
        return
    name = shown_name(account.pw_name, account.pw_gecos)
    own = Sentry(session_id, account.pw_name, name, own_process())
    session.presence = Presence(session, own, project.folder, background)
    session.presence.begin()


def _described(session: "Session") -> dict[str, object]:
    return {"people": []} if session.presence is None else session.presence.described()
