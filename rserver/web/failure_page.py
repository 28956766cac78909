"""The page of a session that could not start, crashed or was quit, and the form on it."""

from dataclasses import dataclass

from rserver.sessions import causes
from rserver.sessions.machine import State
from rserver.sessions.r_chooser import Offer
from rserver.sessions.session import Session, StartChoices
from rserver.sessions.user_actions import UserActions
from rserver.sign_in import csrf
from rserver.sign_in.credentials import Credentials
from rserver.web import r_forms, start_choices
from rserver.web.forms import BadForm, form_fields
from rserver.web.request import Request, RequestHead, Response
from rserver.web.responses import html, redirect
from rserver.web.session_view import server_url, url_of
from rserver.web.sign_in_pages import csrf_token
from rserver.web.templates import Html, Templates
from rserver.worker_threads import ThreadsBusy
from rserver_core.r_installation import NoR

HOW = start_choices.HOW | {
    "create-project": StartChoices(make_project=True),
    "without-project": StartChoices(in_project=False),
}

_HINT = (
    "Your files and the text of open documents are kept, whichever you choose. If a session keeps failing, start it "
    "without .Rprofile, or without restoring objects, and look at what the messages name."
)
_PROJECT_HINT = (
    "A project is a folder with a project file, whose name ends in .Rproj. R was not started. Without the project the "
    "session has none from then on."
)


@dataclass(slots=True)
class FailurePage:
    """Shows why a session is gone and starts it again as its user wishes."""

    credentials: Credentials
    actions: UserActions
    templates: Templates

    async def show(self, session: Session, head: RequestHead) -> Response:
        """The page for a failed or ended session."""
        fate, token = session.status.fate, csrf_token(head)
        ended = session.state is State.ENDED
        page = self.templates.render(
            "failure",
            title=_title(session),
            cause=fate.cause if fate else "The session is not running.",
            stderr_tail=fate.stderr_tail if fate else "",
            csrf_token=token,
            session=session.id,
            r_choice=r_forms.of_failed(session, await self._offer(session)),
            choices=self._choices(session, head),
            hint=_PROJECT_HINT if _is_about_project(session) else f"{start_choices.advice(session)} {_HINT}".strip(),
            base=head.root_path + "/",
        )
        cookie = self.credentials.csrf(token, secure=head.secure, root_path=head.root_path)
        return html(page, 200 if ended else 503, cookies=(cookie,))

    async def _offer(self, session: Session) -> Offer | None:
        try:
            return await self.actions.chooser.offer(session.user, session.uid)
        except (NoR, ThreadsBusy):
            return None

    def _choices(self, session: Session, head: RequestHead) -> Html:
        fate = session.status.fate
        if fate is None or not _is_about_project(session):
            return Html(f'<div class="choices">\n{start_choices.buttons(session)}</div>')
        has_no_file = fate.code == causes.NO_PROJECT_FILE
        create = self.templates.part("failure_create_project") if has_no_file else Html("")
        return self.templates.part("failure_project_choices", create_project=create, base=head.root_path + "/")

    async def restart(self, session: Session, request: Request) -> Response | None:
        """POST /s/<id>/restart with how = retry, no-profile, no-restore or empty; None when the form is not ours.

        Also with r_version, which R it is to run from now on. Refused.
        """
        try:
            fields = form_fields(request.body)
        except BadForm:
            return None
        head, choices = request.head, HOW.get(fields.get("how", ""))
        given = head.headers.get("x-rs-csrf-token") or fields.get(csrf.CSRF_FIELD)
        if choices is None or not csrf.matches(head.cookies.get(csrf.CSRF_COOKIE), given):
            return None
        wish = fields.get("r_version", session.r_wish)
        if wish != session.r_wish:
            await self.actions.choose_r(session, wish)
        await self.actions.resume(session, choices, server_url(head))
        return redirect(url_of(session.id, head.root_path), 303)


def _is_about_project(session: Session) -> bool:
    fate = session.status.fate
    return session.state is State.FAILED and fate is not None and causes.is_about_project(fate, session.project)


def _title(session: Session) -> str:
    if session.state is State.ENDED:
        return "The R session has ended"
    return "The project cannot be opened" if _is_about_project(session) else "The R session failed"
