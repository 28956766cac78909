"""The page of a session that could not start, crashed or was quit, and the form on it."""

from dataclasses import dataclass

from rserver.sessions.machine import State
from rserver.sessions.session import Session, StartChoices
from rserver.sessions.user_actions import UserActions
from rserver.sign_in import csrf
from rserver.sign_in.credentials import Credentials
from rserver.web.forms import BadForm, form_fields
from rserver.web.request import Request, RequestHead, Response
from rserver.web.responses import html, redirect
from rserver.web.session_view import server_url, url_of
from rserver.web.sign_in_pages import csrf_token
from rserver.web.templates import Templates

HOW = {
    "retry": StartChoices(),
    "no-profile": StartChoices(run_rprofile=False),
    "no-restore": StartChoices(restore=False),
}


@dataclass(slots=True)
class FailurePage:
    """Shows why a session is gone and starts it again as its user wishes."""

    credentials: Credentials
    actions: UserActions
    templates: Templates

    def show(self, session: Session, head: RequestHead) -> Response:
        """The page for a failed or ended session."""
        fate, token = session.status.fate, csrf_token(head)
        ended = session.state is State.ENDED
        page = self.templates.render(
            "failure",
            title="The R session has ended" if ended else "The R session failed",
            cause=fate.cause if fate else "The session is not running.",
            stderr_tail=fate.stderr_tail if fate else "",
            csrf_token=token,
            session=session.id,
            base=head.root_path + "/",
        )
        cookie = self.credentials.csrf(token, secure=head.secure)
        return html(page, 200 if ended else 503, cookies=(cookie,))

    async def restart(self, session: Session, request: Request) -> Response | None:
        """POST /s/<id>/restart with how = retry, no-profile or no-restore; None when the form is not ours."""
        try:
            fields = form_fields(request.body)
        except BadForm:
            return None
        head, choices = request.head, HOW.get(fields.get("how", ""))
        given = head.headers.get("x-rs-csrf-token") or fields.get(csrf.CSRF_FIELD)
        if choices is None or not csrf.matches(head.cookies.get(csrf.CSRF_COOKIE), given):
            return None
        await self.actions.resume(session, choices, server_url(head))
        return redirect(url_of(session.id, head.root_path), 303)
