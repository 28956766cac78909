"""Puts the project into a session: its place on the list of recent ones, its methods."""

import os
import signal
from typing import TYPE_CHECKING

from twisted.logger import Logger
from twisted.python.failure import Failure

from rserver_core.session_id import NO_PROJECT
from rsession.children import signal_children
from rsession.projects import records
from rsession.projects.first_project import copy_first_project
from rsession.projects.methods import ProjectMethods
from rsession.projects.watch import ProjectWatch
from rsession.services.background import Background, in_thread

if TYPE_CHECKING:
    from rserver_core.options.rsession import RsessionSettings
    from rsession.projects.folder import Project
    from rsession.session import Session
    from rsession.state_paths import StatePaths

_log = Logger()


def register(
    session: "Session",
    settings: "RsessionSettings",
    background: Background = in_thread,
) -> None:
    """Enter the methods, note an open project in the user's lists; once, before R's first prompt is announced."""
    methods = ProjectMethods(session, settings.session_id[5:13], settings.session_default_new_project_dir, background)
    methods.add()
    session.add_to_client_init("project", methods.described)
    _answer_server(session)
    project, home = session.project, session.environment.get("HOME", "/")
    if project is not None:
        background(_note, session.paths, home, settings.session_id, project).addErrback(_not_noted)
        session.on_end(lambda: _end_children(session))
        session.on_project_closed(methods.tell)
        ProjectWatch(session, methods.tell, background).begin()
    template = settings.session_first_project_template_path
    if template:
        target = settings.session_default_new_project_dir
        background(copy_first_project, session.paths.state, home, template, target).addErrback(_not_noted)


def _answer_server(session: "Session") -> None:
    # The server, which is no client and follows no link of its users, asks once the session answers.
    @session.rpc.method("get_project_folder", open_to_strangers=True)
    def get_project_folder() -> dict[str, str]:
        """`{"folder"}`: where the open project lies, without links in the path; empty without a project."""
        return {"folder": os.path.realpath(session.project.folder) if session.project is not None else ""}


def _note(paths: "StatePaths", home: str, session_id: str, project: "Project") -> None:
    name = project.name if project.name != os.path.basename(project.folder) else ""
    records.add_recent(paths.state, home, records.Recent(project.file, name))
    if len(session_id) > 8 and session_id[5:13] != NO_PROJECT:
        records.note_project_id(paths.state, home, session_id[5:13], project.folder)


def _end_children(session: "Session") -> None:
    if session.project is not None and session.project.options.quit_child_processes:
        signal_children(signal.SIGTERM)


def _not_noted(failure: Failure) -> None:
    _log.warn("the list of projects cannot be written: {reason}", reason=failure.getErrorMessage())
