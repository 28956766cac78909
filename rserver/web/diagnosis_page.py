"""The page on which administrators have the server look at itself through what is in front of it."""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from twisted.logger import Logger

from rserver.accounts import Accounts
from rserver.sign_in import csrf
from rserver.sign_in.credentials import Credentials
from rserver.web.forms import BadForm, form_fields
from rserver.web.request import Identity, Request, RequestHead, Response
from rserver.web.responses import html, redirect, sign_in_redirect
from rserver.web.sign_in_pages import csrf_token
from rserver.web.templates import Html, Templates
from rserver.worker_threads import ThreadsBusy, ThreadTimeout, WorkerThreads
from rserver_diagnose.address import Address, BadAddress, parse
from rserver_diagnose.diagnosis import SILENCE_SECONDS, Report, diagnosed
from rserver_diagnose.finding import Finding

DIAGNOSIS = "/admin/diagnose"
_MOST_KEPT, _MOST_AT_ONCE = 16, 2
_GONE_SECONDS = 150
_REFRESH_SECONDS = "3"

_NOTHING = Html("")

_log = Logger()


@dataclass(slots=True)
class DiagnosisPage:
    """For members of groups, and for the owner of a server without sign-in. threads: where the looking is done.

    A run is known to the process that began it; where there are several, the page asks until it meets that one.
    """

    credentials: Credentials
    accounts: Accounts
    groups: frozenset[str]
    owner: Identity | None
    templates: Templates
    threads: WorkerThreads
    seconds: int = SILENCE_SECONDS
    now: Callable[[], float] = time.time
    _runs: "OrderedDict[str, Report | None]" = field(default_factory=OrderedDict, init=False)

    async def show(self, request: Request) -> Response:
        """GET: the button; with `run` what that run found, or that it goes on."""
        if (refusal := await self._refusal(request)) is not None:
            return refusal
        run = parse_qs(request.query).get("run", [""])[0]
        report = self._runs.get(run)
        if report is not None:
            return self._page(request.head, self._shown(report))
        if run and run.partition("-")[0].isdigit() and self.now() - int(run.partition("-")[0][:12]) < _GONE_SECONDS:
            return self._page(request.head, self.templates.part("diagnosis_runs"), Html(self._refresh(run)))
        return self._page(request.head, _NOTHING)

    async def begin(self, request: Request) -> Response:
        """POST: look at the address from which the form was sent."""
        if (refusal := await self._refusal(request)) is not None:
            return refusal
        head = request.head
        try:
            fields = form_fields(request.body)
        except BadForm:
            fields = {}
        if not csrf.matches(head.cookies.get(csrf.CSRF_COOKIE), fields.get(csrf.CSRF_FIELD)):
            return self._said(head, "The form is too old. Try again.", 400)
        try:
            address = _address_of_page(head.headers.get("referer", ""))
        except BadAddress as error:
            return self._said(head, f"Your browser does not tell the address of this page: {error}", 400)
        if sum(report is None for report in self._runs.values()) >= _MOST_AT_ONCE:
            return self._said(head, "Others have the server look at itself now. Try again in a minute.", 503)
        run = self._begin(address)
        return redirect(f"{head.root_path}{DIAGNOSIS}?run={run}", 303)

    def _begin(self, address: Address) -> str:
        run = f"{int(self.now())}-{secrets.token_hex(8)}"
        self._runs[run] = None
        while len(self._runs) > _MOST_KEPT:
            self._runs.popitem(last=False)
        token = self.credentials.new_token()

        def done(report: Report) -> None:
            self._runs[run] = report

        def failed(failure: object) -> None:
            del self._runs[run]
            _log.error("the server could not look at itself: {why!r}", why=getattr(failure, "value", failure))

        looking = self.threads.run(lambda: diagnosed(address, token, silence_seconds=self.seconds))
        looking.addCallback(done).addErrback(failed)
        return run

    async def _refusal(self, request: Request) -> Response | None:
        identity, head = request.identity, request.head
        if identity is None:
            return sign_in_redirect(head)
        if identity == self.owner:
            return None
        try:
            account = await self.accounts.get(identity.user)
        except (ThreadsBusy, ThreadTimeout):
            return self._said(head, "The account database does not answer. Try again.", 503, "Not possible now")
        if account is None or account.uid != identity.uid or not self.groups & account.groups:
            return self._said(
                head, "This page is for members of the groups that admin-group names.", 403, "Not allowed"
            )
        return None

    def _said(self, head: RequestHead, message: str, status: int, title: str = "Not done") -> Response:
        page = self.templates.render("error", title=title, message=message, base=head.root_path + "/")
        return html(page, status)

    def _page(self, head: RequestHead, content: Html, refresh: Html = _NOTHING) -> Response:
        token = csrf_token(head)
        page = self.templates.render(
            "diagnosis", base=head.root_path + "/", csrf_token=token, content=content, refresh=refresh
        )
        return html(page, 200, (self.credentials.csrf(token, secure=head.secure, root_path=head.root_path),))

    def _refresh(self, run: str) -> str:
        return self.templates.part("diagnosis_refresh", seconds=_REFRESH_SECONDS, run=run)

    def _shown(self, report: Report) -> Html:
        between = "No proxy in between." if report.is_direct else f"Through {report.proxy or 'a proxy'}."
        words = "All is well." if not report.findings else f"Found: {len(report.findings)}."
        findings = "".join(map(self._finding, report.findings))
        return self.templates.part(
            "diagnosis_report", url=report.address.url, summary=f"{words} {between}", findings=Html(findings)
        )

    def _finding(self, finding: Finding) -> Html:
        fault = finding.fault
        lines = [("Do", fault.everywhere)] if fault.everywhere else []
        rows = (
            self.templates.part("diagnosis_line", place=name, line=line)
            for name, line in [*lines, *fault.lines.items()]
        )
        return self.templates.part(
            "diagnosis_finding",
            kind="finding" if fault.grave else "finding note",
            cause=fault.cause,
            code=fault.code,
            effect=fault.effect,
            evidence=finding.evidence,
            lines=Html("".join(rows)),
        )


def _address_of_page(referer: str) -> Address:
    """The address in front of this page, as the browser sees it; BadAddress."""
    parts = urlsplit(referer[:2048])
    if not parts.path.endswith(DIAGNOSIS):
        raise BadAddress("the Referer header is missing")
    return parse(f"{parts.scheme}://{parts.netloc}{parts.path.removesuffix(DIAGNOSIS)}/")
