"""The worker's collaborators, made from the master's greeting and put together. Names no reactor."""

import asyncio
import os
import socket
from dataclasses import dataclass, field
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rserver.account_watch import watch_accounts
from rserver.accounts import Accounts
from rserver.clock import Clock
from rserver.front_link import FrontLink
from rserver.notifications_file import NotificationsFile
from rserver.profiles import UserProfiles
from rserver.r_installations import RInstallations
from rserver.sessions.activity import ActivityMeter
from rserver.sessions.control import SessionControl
from rserver.sessions.evictions import Evictions
from rserver.sessions.homes import Homes
from rserver.sessions.leftovers import SETTING, Leftovers
from rserver.sessions.project_report import ProjectReader
from rserver.sessions.projects import ProjectTable
from rserver.sessions.r_chooser import DEFAULT_SETTING, RChooser
from rserver.sessions.r_report import RReader
from rserver.sessions.saver import SessionSaver
from rserver.sessions.session import Session
from rserver.sessions.starter import Starter
from rserver.sessions.table import SessionTable
from rserver.sessions.usage import UsageMeter
from rserver.sessions.user_actions import UserActions
from rserver.settings import SettingsError, WorkerSettings
from rserver.sharing.composition import SharedHouse, build_sharing
from rserver.sign_in import audit
from rserver.sign_in.cookies import CookieSigner
from rserver.sign_in.credentials import Credentials
from rserver.sign_in.farewell import Farewell
from rserver.sign_in.flow import SignInFlow
from rserver.sign_in.password_key import PasswordKeys
from rserver.sign_in.peer_uid import uid_of_peer
from rserver.sign_in.revocations import Revocations
from rserver.sign_in.single_user import SingleUser
from rserver.store.store import Store
from rserver.surroundings import Surroundings, Threads
from rserver.web.api import SessionsApi
from rserver.web.diagnosis_page import DiagnosisPage
from rserver.web.failure_page import FailurePage
from rserver.web.gate import WorkerGate
from rserver.web.home_page import HomePage
from rserver.web.ide_page import IdePage
from rserver.web.pages import WorkerPages
from rserver.web.project_parts import ProjectParts
from rserver.web.projects_api import ProjectsApi
from rserver.web.r_versions_api import RVersionsApi
from rserver.web.request import Identity, Target
from rserver.web.scope_page import ScopePage
from rserver.web.session_view import SessionLister
from rserver.web.shared_parts import SharedParts
from rserver.web.shared_projects_api import SharedProjectsApi
from rserver.web.sign_in_pages import SignInPages, read_login_html
from rserver.web.templates import Templates
from rserver.workers.control_socket import Answers, DataWorkers
from rserver_core.frame import Message
from rserver_core.launch_wire import SessionRecord

STATIC = Path(__file__).resolve().parent / "web" / "static"
SAVE_SECONDS = 60.0

_log = Logger()


@dataclass(slots=True)
class Worker:
    """Everything behind the front."""

    settings: WorkerSettings
    store: Store
    credentials: Credentials
    control: SessionControl
    actions: UserActions
    threads: Threads
    saver: SessionSaver
    gate: WorkerGate
    pages: WorkerPages
    link: FrontLink
    clock: Clock
    profiles: UserProfiles
    flow: SignInFlow | None = None
    evictions: Evictions | None = None
    sharing: SharedHouse | None = None
    _save_planned: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.control.on_change = self._changed
        self.credentials.on_void = self.link.void

    def on_event(self, event: Message) -> None:
        """An event of the master."""
        if event.get("event") == "options":
            self._reload(event)
        else:
            self.control.on_event(event)

    async def let_others_in(self, sock: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
        """Answer data workers that connect to this socket."""
        table, revocations = self.control.table, self.credentials.revocations

        def target(session_id: str) -> Target | None:
            session = table.get(session_id)
            return None if session is None else session.target

        answers = Answers(self.gate, self.pages, self.gate, self.gate, target, lambda: revocations.stamps)
        self.link.others = DataWorkers(loop, answers)
        await self.link.others.listen(sock)

    async def share_projects(self, sock: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
        """Let sessions ask on this socket to have access to their projects changed."""
        if self.sharing is not None:
            await self.sharing.begin(sock, loop)

    async def finish(self) -> None:
        """The front has stopped: write everything down."""
        if self.link.others is not None:
            self.link.others.close()
        await self.saver.save()
        await self.store.close()

    def keep_saving(self) -> None:
        """Write what changed to the store, now and then."""
        self.save()
        self.clock.callLater(SAVE_SECONDS, self.keep_saving)

    def keep_watching(self) -> None:
        """End sessions of accounts that are gone, from now on."""
        if self.evictions is not None:
            self.evictions.keep_watching()

    async def look_over_profiles(self) -> None:
        """Log what they name that is not there."""
        listed = await self.actions.chooser.installations.listed()
        await self.profiles.look_over(listed.versions, self.threads.accounts, self.clock)

    async def _read_profiles(self, settings: WorkerSettings) -> None:
        await self.profiles.read(settings.server_data_dir, self.threads.files, self.clock)
        await self.look_over_profiles()

    def save(self) -> None:
        """Write what changed to the store."""
        self.saver.save_soon()

    def _changed(self) -> None:
        self.link.changed()
        self._save_soon()

    def _save_soon(self) -> None:
        if not self._save_planned:
            self._save_planned = True
            self.clock.callLater(0, self._save_planned_now)

    def _save_planned_now(self) -> None:
        self._save_planned = False
        self.save()

    def _reload(self, event: Message) -> None:
        try:
            settings, signer = WorkerSettings.from_options(event.get("options", {})), signer_of(event)
        except (SettingsError, ValueError) as error:
            _log.error("the new options cannot be used: {error}", error=str(error))
            return
        self.credentials.signer = signer
        self.credentials.life = settings.cookie_life
        self.actions.settings = settings
        self.actions.chooser.installations.reload(settings)
        Deferred.fromCoroutine(self._read_profiles(settings)).addErrback(_not_read)
        self.control.launch_limit = settings.rsession_proxy_max_wait_secs
        if self.flow is not None:
            self.flow.policy = settings.policy
        _log.info("options read again")


async def build(around: Surroundings, greeting: Message) -> Worker:
    """The worker of this greeting; fails with SettingsError, sqlite3.Error, StoreTooNew or OSError."""
    settings = WorkerSettings.from_options(greeting.get("options", {}))
    threads, owner, link = around.threads, owner_of(greeting), FrontLink()
    store = await Store.open(threads.store, str(Path(settings.server_lib_dir, "db")))
    credentials = await _credentials(around, store, settings, signer_of(greeting))
    log = audit.AuditLog(threads.files, str(Path(settings.server_lib_dir, audit.FILE_NAME)), around.now)
    accounts = Accounts(around.clock, threads.accounts, around.lookup)
    profiles = UserProfiles(accounts)
    await profiles.read(settings.server_data_dir, threads.files, around.clock)
    actions = await _actions(around, store, settings, link, profiles, Homes(accounts))
    flow = None if owner else SignInFlow(around.clock, around.master, accounts, log, settings.policy)
    pages = _pages(around, (credentials, actions, store, log), link, flow, owner)
    pages.sign_in.password_keys = PasswordKeys(threads.accounts)
    pages.diagnosis = DiagnosisPage(
        credentials,
        accounts,
        settings.admin_groups,
        owner,
        pages.templates,
        threads.diagnosis,
        now=around.now,
    )
    single_user = _single_user(around, owner)
    gate = WorkerGate(credentials, actions.control, around.loop, single_user, pages.scope.show)
    gate.joins.close = link.close_join
    evictions = sharing = None
    if not owner:
        sharing = build_sharing(around.clock, threads.files, around.master, accounts, actions, around.ask_to_leave)
        link.variables = sharing.environment
        _show_shared(sharing, pages, gate)
        farewell = Farewell(credentials, store, log, link.close_user)
        check, evictions = watch_accounts(around, accounts, actions.control, farewell, pages.templates)
        pages.accounts = gate.accounts = check
    return Worker(
        settings,
        store,
        credentials,
        actions.control,
        actions,
        threads,
        pages.saver,
        gate,
        pages,
        link,
        around.clock,
        profiles,
        flow,
        evictions,
        sharing,
    )


def _show_shared(house: SharedHouse, pages: WorkerPages, gate: WorkerGate) -> None:
    gate.joins.may = house.may_join
    house.sharing.known.on_change = gate.joins.look_over
    pages.shared_projects = SharedProjectsApi(house)
    pages.home.shared = SharedParts(pages.shared_projects, pages.templates)


async def _credentials(
    around: Surroundings, store: Store, settings: WorkerSettings, signer: CookieSigner
) -> Credentials:
    oldest = around.now() - 2 * max(settings.cookie_life.seconds(True), settings.cookie_life.seconds(False))
    await store.drop_old_revocations(int(oldest * 1_000_000))
    revocations = Revocations(await store.revocations())
    return Credentials(signer, settings.cookie_life, settings.cookie_style, revocations, around.now)


async def _actions(
    around: Surroundings, store: Store, settings: WorkerSettings, link: FrontLink, profiles: UserProfiles, homes: Homes
) -> UserActions:
    table = SessionTable(await store.sessions(), around.now, around.life)
    table.leftovers = Leftovers(await store.settings(SETTING))
    installations = RInstallations(around.clock, around.threads.files, settings)
    chooser = RChooser(installations, profiles.of, await store.settings(DEFAULT_SETTING))
    control = SessionControl(
        around.clock,
        table,
        around.master,
        Starter(around.master, chooser, settings, os.getuid(), profiles, lambda: link.variables()),
        around.probe,
        settings.rsession_proxy_max_wait_secs,
        link.close_session,
        around.ask_to_suspend,
        around.ask_to_quit,
    )
    projects = ProjectTable(await store.projects(), around.now)
    r_reader = RReader(around.clock, around.ask_for_r, table.changed)
    project_reader = ProjectReader(around.clock, around.ask_for_folder, projects)

    def answered(session: Session, record: SessionRecord) -> None:
        projects.opened(session.user, session.uid, session.project_id)
        r_reader.look(session, record)
        project_reader.look(session, record)

    control.on_answer = answered
    return UserActions(control, chooser, settings, profiles, projects, homes)


def signer_of(greeting: Message) -> CookieSigner:
    """The signer with the keys that the master handed over in hex."""
    return CookieSigner([bytes.fromhex(key) for key in greeting.get("cookie_keys", [])])


def owner_of(greeting: Message) -> Identity | None:
    """Whose the server is in single-user mode."""
    owner = greeting.get("single_user")
    return Identity(owner["user"], owner["uid"]) if owner else None


def _pages(
    around: Surroundings,
    parts: tuple[Credentials, UserActions, Store, audit.AuditLog],
    link: FrontLink,
    flow: SignInFlow | None,
    owner: Identity | None,
) -> WorkerPages:
    credentials, actions, store, log = parts
    settings, templates = actions.settings, Templates()
    login = read_login_html(settings.auth_login_page_html, os.environ)
    sign_in = SignInPages(credentials, templates, log, store, link.close_user, flow, owner, settings.auth_token, login)
    sign_in.everybody_knows = link.everybody_knows
    notifications = NotificationsFile(around.clock, around.threads.files, around.now)
    lister = SessionLister(
        UsageMeter(around.clock, around.threads.files),
        ActivityMeter(around.clock, around.ask_activity),
        link.listeners,
        actions.control.freed,
    )
    r_versions = RVersionsApi(actions, store)
    parts_of_projects = ProjectParts(actions, templates)
    return WorkerPages(
        sign_in,
        HomePage(credentials, actions, lister, templates, parts_of_projects, notifications, r_versions, around.now),
        FailurePage(credentials, actions, templates),
        IdePage(around.ide),
        SessionsApi(actions, lister),
        ProjectsApi(actions),
        ScopePage(actions, templates),
        r_versions,
        actions,
        templates,
        SessionSaver(actions.table, actions.projects, store),
        notifications,
        around.loop,
    )


def _single_user(around: Surroundings, owner: Identity | None) -> SingleUser | None:
    return SingleUser(owner, lambda peer: uid_of_peer(peer, around.ports)) if owner else None


def _not_read(failure: object) -> None:
    _log.error("the profiles are not read again: {why}", why=str(getattr(failure, "value", failure)))
