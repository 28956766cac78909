"""From a session that somebody wants to a running process: which R, which options, then the master's `launch`."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from rserver.master_client import MasterError
from rserver.profiles import UserProfiles
from rserver.sessions import causes
from rserver.sessions.machine import Fate
from rserver.sessions.r_chooser import Chosen, RChooser
from rserver.sessions.session import REMOTE, Session
from rserver.settings import WorkerSettings
from rserver.worker_threads import ThreadsBusy
from rserver_core.launch_wire import BadRequest, LaunchSpec, SessionRecord
from rserver_core.profiles.profile import Profile
from rserver_core.r_installation import NoR

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from rserver_core.frame import Message


class Master(Protocol):
    """The part of the master client that starts processes."""

    def request(self, op: str, **fields: Any) -> "Deferred[Message]":
        """The master's answer."""


class NotStarted(Exception):
    """The session could not be started; fate tells its user why."""

    def __init__(self, fate: Fate) -> None:
        super().__init__(fate.cause)
        self.fate = fate


class Starts(Protocol):
    """Starts one process."""

    async def start(self, session: Session) -> SessionRecord:
        """Its record; NotStarted when it cannot be."""


@dataclass(slots=True)
class Starter:
    """Starts sessions through the master. server_uid: the only uid besides its own that a session lets in.

    more_variables: of the environment of every session.
    """

    master: Master
    chooser: RChooser
    settings: WorkerSettings
    server_uid: int
    profiles: UserProfiles
    more_variables: Callable[[], Mapping[str, str]] = dict

    async def start(self, session: Session) -> SessionRecord:
        """The record of the process, also when it turns out to run already; NotStarted otherwise."""
        try:
            chosen = await self.chooser.choose(session)
        except (NoR, ThreadsBusy) as error:
            raise NotStarted(Fate(f"No R was found: {error}.")) from None
        session.r_version, session.r_note = chosen.version.version, chosen.note
        profile = await self.profiles.of(session.user)
        spec = launch_spec(session, chosen, self.settings, self.server_uid, profile)
        return await self._launch(replace(spec, env=(*spec.env, *self.more_variables().items())))

    async def _launch(self, spec: LaunchSpec) -> SessionRecord:
        try:
            answer = (await self.master.request("launch", launch=spec.to_json())).get("session")
        except MasterError as error:
            if error.code != "exists":
                raise NotStarted(causes.of_refusal(error.code, error.message)) from None
            answer = error.error.get("session")
        try:
            return SessionRecord.from_json(answer)
        except BadRequest as error:
            raise NotStarted(causes.of_refusal("failed", str(error))) from None


def launch_spec(
    session: Session, chosen: Chosen, settings: WorkerSettings, server_uid: int, profile: Profile
) -> LaunchSpec:
    """What the launcher is told: options of rsession and the variables that it has beyond the account's own."""
    argv = [
        f"--session-id={session.id}",
        f"--server-uid={server_uid}",
        f"--r-run-rprofile={int(session.choices.run_rprofile)}",
        f"--r-restore-workspace={int(session.choices.restore)}",
    ]
    if session.project:
        argv += [f"--project={session.project}", f"--create-project={int(session.choices.make_project)}"]
    if session.door == REMOTE:
        argv.append("--remote=1")
    if profile.session_timeout_minutes is not None:
        argv.append(f"--session-timeout-minutes={profile.session_timeout_minutes}")
    if profile.session_timeout_kill_hours is not None:
        argv.append(f"--session-timeout-kill-hours={profile.session_timeout_kill_hours}")
    if settings.rsession_config_file:
        argv.append(f"--config-file={settings.rsession_config_file}")
    env = chosen.variables() | {
        "RSTUDIO": "1",
        "RS_SESSION_URL": f"{settings.root_path}s/{session.id}/",
        "RS_SERVER_URL": session.server_url or settings.root_path,
        "RSTUDIO_SESSION_STREAM": session.id,
        "RSTUDIO_USER_IDENTITY": session.user,
    }
    if session.leftovers:
        env["RS_LEFT_SESSIONS"] = ",".join(left[-8:] for left in session.leftovers)
    if session.crash is not None:
        env["RS_LAST_END"] = json.dumps({"at": session.crash.at, "cause": session.crash.cause})
    return LaunchSpec(session.id, session.user, tuple(argv), tuple(env.items()), session.uid)
