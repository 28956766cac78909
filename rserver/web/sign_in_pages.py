"""Signing in and out: the page, the two posts behind it, and the link of single-user mode."""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from twisted.internet.defer import succeed
from twisted.logger import Logger

from rserver.sign_in import csrf
from rserver.sign_in.audit import AuditLog
from rserver.sign_in.credentials import Credentials
from rserver.sign_in.flow import Attempt, Outcome, Secret, SignInFlow
from rserver.sign_in.password_key import PasswordKeys
from rserver.sign_in.policy import Denial, Refusal, Trouble
from rserver.sign_in.wanted_page import safe_page
from rserver.store.store import Store
from rserver.web.forms import BadForm, form_fields, query_fields
from rserver.web.request import Identity, Request, RequestHead, Response
from rserver.web.responses import html, redirect
from rserver.web.templates import Html, Templates
from rserver.worker_threads import ThreadsBusy
from rserver_core import conf_file

SIGN_IN = "/auth-sign-in"
MESSAGES = {
    "1": "The user name or the password is not right, or this account may not sign in here.",
    "2": "The server cannot check passwords at the moment. Try again.",
    "3": "This account may not sign in here.",
    "4": "The licence does not allow more users.",
    "5": "The licence cannot be checked at the moment.",
}
# For error=2, as much as helps and tells nobody about accounts.
EXPLANATIONS = {
    "cookie": "The form was too old, or the browser did not keep our cookie. Allow cookies here and try again.",
    "key": "The server was started anew since this page was opened. Type the password again.",
    "busy": "Too many people are signing in at this moment. Try again in a minute.",
}
_WHY = {Trouble.CSRF: "cookie", Trouble.KEY: "key", Trouble.BUSY: "busy"}
_MAX_LOGIN_HTML = 64 * 1024

_log = Logger()


@dataclass(slots=True)
class SignInPages:
    """flow is None in single-user mode, where owner and token (of the printed link) take its place.

    everybody_knows: done when all workers know who signed out. password_keys: for which the page encrypts passwords.
    """

    credentials: Credentials
    templates: Templates
    audit: AuditLog
    store: Store
    close_user: Callable[[str], object]
    flow: SignInFlow | None = None
    owner: Identity | None = None
    token: str = field(default="", repr=False)
    login_html: str = ""
    everybody_knows: Callable[[], Awaitable[object]] = lambda: succeed(None)
    password_keys: PasswordKeys | None = None

    async def show(self, request: Request) -> Response:
        """GET /auth-sign-in."""
        head, fields = request.head, query_fields(request.query)
        wanted = _wanted(fields.get("appUri"), head)
        if request.identity is not None:
            return redirect(wanted)
        if self.flow is None:
            return self._explain(head)
        token, modulus = csrf_token(head), await self._modulus(head)
        base = head.root_path + "/"
        page = self.templates.render(
            "sign_in",
            modulus=modulus,
            script=self.templates.part("sign_in_script", base=base) if modulus else Html(""),
            csrf_token=token,
            app_uri=wanted,
            username="",
            error_html=_error_html(fields.get("error", ""), fields.get("why", "")),
            login_html=Html(self.login_html),
            base=base,
        )
        return html(page, cookies=(self.credentials.csrf(token, secure=head.secure, root_path=head.root_path),))

    async def sign_in(self, request: Request) -> Response:
        """POST /auth-do-sign-in."""
        head = request.head
        try:
            fields = form_fields(request.body)
        except BadForm:
            return self._failed(head, Denial(Trouble.FORM), "", "/")
        wanted, user = _wanted(fields.get("appUri"), head), fields.get("username", "").strip()
        if self.flow is None:
            return self._explain(head)
        if not csrf.matches(head.cookies.get(csrf.CSRF_COOKIE), fields.get(csrf.CSRF_FIELD)):
            return self._failed(head, Denial(Trouble.CSRF), user, wanted)
        password = await self._password(fields)
        if password is None:
            return self._failed(head, Denial(Trouble.KEY), user, wanted)
        known = self.credentials.signed(head.cookies)
        attempt = Attempt(user, Secret(password), head.remote[0], known is not None and known.user == user)
        outcome = await self.flow.check(attempt)
        return self._answer(head, outcome, wanted, stay=fields.get("staySignedIn", "") not in {"", "0"})

    async def _modulus(self, head: RequestHead) -> str:
        """Of the key to encrypt for; empty where the connection itself is encrypted."""
        if head.secure or self.password_keys is None:
            return ""
        try:
            return (await self.password_keys.get()).modulus
        except ThreadsBusy:
            return ""

    async def _password(self, fields: dict[str, str]) -> str | None:
        """What was typed; None when it was encrypted for the key of an earlier process."""
        encrypted = fields.pop("encrypted", "")
        if not encrypted or self.password_keys is None:
            return fields.pop("password", "")
        try:
            return await self.password_keys.decrypt(encrypted)
        except ThreadsBusy:
            return None

    async def sign_out(self, request: Request) -> Response:
        """POST /auth-sign-out. Sessions go on."""
        head = request.head
        cookie = head.cookies.get(csrf.CSRF_COOKIE)
        if not csrf.matches(cookie, head.headers.get("x-rs-csrf-token") or _field(request, csrf.CSRF_FIELD)):
            return html(self._error(head, "The form is too old. Reload the page and try again."), 400)
        if request.identity is not None:
            await self._revoke(request.identity, head)
        return redirect(
            head.root_path + SIGN_IN, cookies=(self.credentials.clear(secure=head.secure, root_path=head.root_path),)
        )

    async def by_token(self, request: Request) -> Response:
        """GET /auth-token?token=: the link that a single-user server prints."""
        head, given = request.head, query_fields(request.query).get("token", "")
        right = self.owner is not None and len(self.token) >= 16
        if not right or not hmac.compare_digest(given.encode("utf-8", "replace"), self.token.encode()):
            self.audit.record("token_refused", user="", address=head.remote[0])
            return self._explain(head)
        assert self.owner is not None
        return self._let_in(head, self.owner.user, self.owner.uid, head.root_path + "/", stay=False)

    def _answer(self, head: RequestHead, outcome: Outcome, wanted: str, *, stay: bool) -> Response:
        if isinstance(outcome, Denial):
            return _back(head, outcome, wanted)
        return self._let_in(head, outcome.name, outcome.uid, wanted, stay=stay)

    def _let_in(self, head: RequestHead, user: str, uid: int, wanted: str, *, stay: bool) -> Response:
        # A fresh token: one that was planted before the sign-in is worth nothing after it.
        cookies = (
            self.credentials.issue(user, uid, stay=stay, secure=head.secure, root_path=head.root_path),
            self.credentials.csrf(csrf.new_token(), secure=head.secure, root_path=head.root_path),
        )
        return redirect(wanted, cookies=cookies)

    def _failed(self, head: RequestHead, denial: Denial, user: str, wanted: str) -> Response:
        self.audit.record("sign_in_failed", user=user, address=head.remote[0], reason=denial.reason)
        return _back(head, denial, wanted)

    async def _revoke(self, identity: Identity, head: RequestHead) -> None:
        stamp = self.credentials.revoke(identity.user)
        self.close_user(identity.user)
        self.audit.record("sign_out", user=identity.user, address=head.remote[0], uid=identity.uid)
        try:
            await self.store.put_revocation(identity.user, stamp)
        except Exception as error:
            _log.error("sign-out of {user} not stored: {error}", user=identity.user, error=str(error))
        await self.everybody_knows()

    def _explain(self, head: RequestHead) -> Response:
        text = (
            "This server works for one user only. Open it in a browser of that user on the same machine, "
            "or by the link that it printed when it was started."
        )
        return html(self._error(head, text, "Not your server"), 403)

    def _error(self, head: RequestHead, message: str, title: str = "Bad request") -> str:
        return self.templates.render("error", title=title, message=message, base=head.root_path + "/")


def csrf_token(head: RequestHead) -> str:
    """The token the browser has, or a new one."""
    token = head.cookies.get(csrf.CSRF_COOKIE)
    return token if token is not None and csrf.is_token(token) else csrf.new_token()


def read_login_html(path: str, environ: Mapping[str, str]) -> str:
    """The administrator's HTML for the sign-in page: from path, or login.html of the configuration directory if any."""
    found = path or str(Path(conf_file.directory(environ), "login.html"))
    try:
        with Path(found).open(encoding="utf-8", errors="replace") as file:
            return file.read(_MAX_LOGIN_HTML)
    except OSError as error:
        if path:
            _log.warn("{path} cannot be read: {why}", path=path, why=error.strerror)
        return ""


def _wanted(text: str | None, head: RequestHead) -> str:
    page = safe_page(text)
    return page if page != "/" else head.root_path + "/"


def _field(request: Request, name: str) -> str | None:
    try:
        return form_fields(request.body).get(name)
    except BadForm:
        return None


def _back(head: RequestHead, denial: Denial, wanted: str) -> Response:
    fields = {"error": "1" if isinstance(denial.kind, Refusal) else "2"}
    if isinstance(denial.kind, Trouble) and denial.kind in _WHY:
        fields["why"] = _WHY[denial.kind]
    query = urlencode({**fields, "appUri": wanted}, safe="/")
    return redirect(f"{head.root_path}{SIGN_IN}?{query}")


def _error_html(error: str, why: str) -> Html:
    message = EXPLANATIONS.get(why) if error == "2" and why in EXPLANATIONS else MESSAGES.get(error)
    return Html(f'<p class="error" role="alert">{message}</p>' if message else "")
