"""The page with all sessions of one user, and the forms on it. Its script only keeps it fresh."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from rserver.master_client import MasterError
from rserver.notifications_file import NotificationsFile
from rserver.sessions.label import MOST_CHARACTERS
from rserver.sessions.machine import State
from rserver.sessions.r_chooser import Offer
from rserver.sessions.session import Session, StartChoices
from rserver.sessions.user_actions import NewSession, Refused, UserActions
from rserver.sign_in import csrf
from rserver.sign_in.credentials import Credentials
from rserver.web import r_forms, start_choices
from rserver.web.forms import BadForm, form_fields
from rserver.web.home_words import words_of
from rserver.web.project_parts import ProjectParts, chosen_project
from rserver.web.r_versions_api import RVersionsApi
from rserver.web.request import Identity, Request, RequestHead, Response
from rserver.web.responses import html, redirect, sign_in_redirect
from rserver.web.session_view import SessionLister, server_url, url_of
from rserver.web.shared_parts import SharedParts
from rserver.web.sign_in_pages import csrf_token
from rserver.web.templates import Html, Templates
from rserver.worker_threads import ThreadsBusy
from rserver_core.r_installation import NoR

HOME = "/home"
_BUTTONS: dict[State, tuple[tuple[str, str], ...]] = {
    State.ABSENT: (("resume", "Start"), ("quit", "Quit")),
    State.LAUNCHING: (),
    State.RUNNING: (("suspend", "Suspend"), ("quit", "Quit")),
    State.SUSPENDING: (("force-suspend", "Suspend now"),),
    State.SUSPENDED: (("resume", "Resume"), ("quit", "Quit")),
    State.RESUMING: (),
    State.FAILED: (("resume", "Start again"), ("quit", "Quit")),
    State.ENDED: (("resume", "Start again"), ("remove", "Remove from list")),
}
_ANYWAY = (("force-suspend", "Suspend anyway"),)
_ONE_EACH = "This server runs one session for each user. Others that you have are kept here until you quit them."
_TOO_OLD = "The form was too old. Try again."
_GONE = "There is no such session any more."


class SaveQuestion(Exception):
    """Its user wants to be asked whether to save the objects of a session that is to be quit."""

    def __init__(self, session: Session, image: str) -> None:
        super().__init__(image)
        self.session, self.image = session, image


@dataclass(slots=True)
class HomePage:
    """now: seconds since 1970."""

    credentials: Credentials
    actions: UserActions
    lister: SessionLister
    templates: Templates
    projects: ProjectParts
    notifications: NotificationsFile
    r_versions: RVersionsApi
    now: Callable[[], float] = time.time
    shared: SharedParts | None = None

    async def show(self, request: Request) -> Response:
        """GET /home; where a user may have one session only, and has no more, that one."""
        identity, head = request.identity, request.head
        if identity is None:
            return sign_in_redirect(head)
        if not self.actions.has_list(identity.user, identity.uid):
            return redirect(head.root_path + "/")
        return await self._page(identity, head)

    async def act(self, request: Request) -> Response:
        """POST /home: `do` is new, or with `session` one of the buttons of a session."""
        identity, head = request.identity, request.head
        if identity is None:
            return sign_in_redirect(head)
        try:
            fields = form_fields(request.body)
        except BadForm:
            fields = {}
        if not csrf.matches(head.cookies.get(csrf.CSRF_COOKIE), fields.get(csrf.CSRF_FIELD)):
            return await self._page(identity, head, _TOO_OLD, 400)
        try:
            return redirect(await self._do(identity, head, fields), 303)
        except SaveQuestion as question:
            return await self._page(identity, head, self._question(question, head))
        except Refused as error:
            return await self._page(identity, head, str(error), 409)
        except MasterError as error:
            return await self._page(identity, head, f"That did not work: {error.message}", 503)

    async def _do(self, identity: Identity, head: RequestHead, fields: dict[str, str]) -> str:
        """Where to go then."""
        if fields.get("do") == "new":
            session = await self.actions.create(identity.user, identity.uid, _wanted(fields), server_url(head))
            return url_of(session.id, head.root_path)
        for of_projects in (self._do_project, self._do_shared):
            if (url := await of_projects(identity, head, fields)) is not None:
                return url
        if fields.get("do") == "r-default":
            await self.r_versions.set_default(identity, fields.get("r_version", ""))
            return head.root_path + HOME
        found = self.actions.table.find(fields.get("session", ""), identity.user, identity.uid)
        if found is None:
            raise Refused(14, _GONE)
        await self._change(found, fields, server_url(head))
        return head.root_path + HOME

    async def _do_project(self, identity: Identity, head: RequestHead, fields: dict[str, str]) -> str | None:
        """The buttons of a recent project; None when it was none of them."""
        if "forget-project" in fields:
            self.projects.strike(identity, fields["forget-project"])
            return head.root_path + HOME
        for name in ("open-project", "new-in-project"):
            if name in fields:
                path = self.projects.path_of(identity, fields[name])
                return await self._open(identity, head, path, reuse=name == "open-project")
        return None

    async def _do_shared(self, identity: Identity, head: RequestHead, fields: dict[str, str]) -> str | None:
        """The buttons of a project that is shared with the user; None when it was none of them."""
        if self.shared is None:
            return None
        if "leave-shared" in fields:
            await self.shared.leave(identity, fields["leave-shared"])
            return head.root_path + HOME
        if "open-shared" in fields:
            path = await self.shared.folder_of(identity, fields["open-shared"])
            return await self._open(identity, head, path, reuse=True)
        return None

    async def _open(self, identity: Identity, head: RequestHead, folder: str, reuse: bool) -> str:
        wanted = NewSession(project=folder, reuse=reuse)
        session = await self.actions.create(identity.user, identity.uid, wanted, server_url(head))
        return url_of(session.id, head.root_path)

    async def _change(self, session: Session, fields: dict[str, str], url: str) -> None:
        control = self.actions.control
        match fields.get("do"):
            case "suspend" | "force-suspend" as how:
                await self.actions.suspend(session, force=how == "force-suspend")
            case "resume":
                await self.actions.resume(session, start_choices.HOW.get(fields.get("how", ""), StartChoices()), url)
            case "quit":
                image = await self.actions.quit(session, fields.get("save", "default"))
                if image:
                    raise SaveQuestion(session, image)
            case "kill":
                await control.kill(session)
            case "rename":
                self.actions.rename(session, fields.get("label", ""))
            case "r-version":
                await self.actions.choose_r(session, fields.get("r_version", ""))
            case "remove":
                self.actions.forget(session)
            case _:
                raise Refused(6, _TOO_OLD)

    # The page

    async def _page(self, identity: Identity, head: RequestHead, problem: str = "", status: int = 200) -> Response:
        """problem: a sentence, or something else that stands above the list."""
        token, offer = csrf_token(head), await self._offer(identity)
        own = self.actions.table.of_user(identity.user, identity.uid)
        own.sort(key=lambda session: session.state is State.ENDED)
        shown = await self.lister.shown(own, head.root_path)
        rows = [self._row(session, facts, (token, offer), head) for session, facts in zip(own, shown, strict=True)]
        page = self.templates.render(
            "home",
            user=identity.user,
            base=head.root_path + "/",
            csrf_token=token,
            notifications=self._notifications(),
            problem=_above(problem),
            projects=self.projects.recent(identity, token, head),
            shared=await self.shared.section(identity, token, head) if self.shared else Html(""),
            new_session=await self._new_session(identity, token, head, offer),
            r_default=r_forms.of_default(offer, self.templates, token, head.root_path + "/"),
            rows=Html("".join(rows) or '<li class="none">You have no session yet.</li>'),
        )
        return html(page, status, (self.credentials.csrf(token, secure=head.secure, root_path=head.root_path),))

    def _notifications(self) -> Html:
        shown = self.notifications.shown()
        return Html("".join(self.templates.part("notification", id=each.id, message=each.message) for each in shown))

    def _question(self, asked: SaveQuestion, head: RequestHead) -> Html:
        session, base = asked.session, head.root_path + "/"
        return self.templates.part(
            "home_quit", id=session.id, title=session.title, image=asked.image, csrf_token=csrf_token(head), base=base
        )

    async def _offer(self, identity: Identity) -> Offer | None:
        try:
            return await self.actions.chooser.offer(identity.user, identity.uid)
        except (NoR, ThreadsBusy):
            return None

    async def _new_session(self, identity: Identity, token: str, head: RequestHead, offer: Offer | None) -> Html:
        if not self.actions.multiple:
            return Html(f'<p class="hint">{_ONE_EACH}</p>')
        count = len(self.actions.table.open_of_user(identity.user, identity.uid))
        limit = await self.actions.limit_of(identity.user)
        if count >= limit:
            return Html(f'<p class="hint">You have {count} of {limit} sessions that you may have.</p>')
        return self.templates.part(
            "home_new",
            base=head.root_path + "/",
            csrf_token=token,
            most=str(MOST_CHARACTERS),
            projects=self.projects.choice(identity),
            versions=r_forms.of_new_session(offer),
        )

    def _row(
        self, session: Session, facts: dict[str, object], form: tuple[str, Offer | None], head: RequestHead
    ) -> str:
        token, offer = form
        state, url = session.state, url_of(session.id, head.root_path)
        stands = bool(facts["held"]) or session.status.fate is not None
        return self.templates.part(
            "home_session",
            **words_of(session, facts, self.now()),
            most=str(MOST_CHARACTERS),
            url=url,
            base=head.root_path + "/",
            csrf_token=token,
            r_change=r_forms.of_session(session, offer, self.templates, token, head.root_path + "/"),
            links=self.templates.part(
                "home_details" if state in {State.FAILED, State.ENDED} else "home_open", url=url, title=session.title
            ),
            buttons=self._buttons(session, stands),
            kill=(self._kill if session.is_alive else self._start)(session, token, head),
        )

    def _buttons(self, session: Session, stands: bool) -> Html:
        """stands: something stands against suspending it."""
        is_asked_twice = session.state is State.RUNNING and stands
        return Html(
            "".join(
                self.templates.part("home_button", do=do, words=words, title=session.title, id=session.id)
                for do, words in (*_BUTTONS[session.state], *(_ANYWAY if is_asked_twice else ()))
            )
        )

    def _start(self, session: Session, token: str, head: RequestHead) -> Html:
        return self.templates.part(
            "home_start",
            id=session.id,
            title=session.title,
            csrf_token=token,
            advice=start_choices.advice(session),
            choices=start_choices.buttons(session),
            base=head.root_path + "/",
        )

    def _kill(self, session: Session, token: str, head: RequestHead) -> Html:
        return self.templates.part(
            "home_kill", id=session.id, title=session.title, csrf_token=token, base=head.root_path + "/"
        )


def _above(problem: str) -> Html:
    if not problem or isinstance(problem, Html):
        return Html(problem)
    return Html(f'<p class="error" role="alert">{escape(problem)}</p>')


def _wanted(fields: dict[str, str]) -> NewSession:
    choices = StartChoices("no_profile" not in fields, "no_restore" not in fields, "create_project" in fields)
    return NewSession(fields.get("label", ""), fields.get("r_version", ""), chosen_project(fields), choices)
