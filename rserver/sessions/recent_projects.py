"""The projects that a user opened last, with what is known of them without looking into a home."""

from dataclasses import dataclass

from rserver.sessions import causes
from rserver.sessions.machine import State
from rserver.sessions.projects import ProjectTable
from rserver.sessions.session import Session
from rserver.sessions.table import SessionTable
from rserver.store.rows import ProjectRow
from rserver_core.project_path import project_name


@dataclass(frozen=True, slots=True)
class RecentProject:
    """sessions: those that its user did not end, the one used last first.

    refusal: why the last attempt to open it failed, a sentence or empty; is_gone: because the folder is gone.
    """

    row: ProjectRow
    sessions: tuple[Session, ...] = ()
    refusal: str = ""
    is_gone: bool = False

    @property
    def name(self) -> str:
        """What people call it."""
        return project_name(self.row.path)


def recent_projects(projects: ProjectTable, table: SessionTable, user: str, uid: int) -> list[RecentProject]:
    """The project opened last first."""
    return [_seen(row, table.of_project(user, uid, row.id)) for row in projects.recent(user, uid)]


def _seen(row: ProjectRow, sessions: list[Session]) -> RecentProject:
    kept = tuple(session for session in sessions if session.state is not State.ENDED)
    last = kept[0] if kept else None
    fate = last.status.fate if last and last.state is State.FAILED else None
    if fate is None or not causes.is_about_project(fate, row.path):
        return RecentProject(row, kept)
    return RecentProject(row, kept, fate.cause, fate.code == causes.PROJECT_GONE)
