"""The worker without front, reactor and master: pages and gate as they are, neighbours as doubles."""

import asyncio
import json
from collections.abc import Iterable
from http.cookies import SimpleCookie
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from rserver.composition import Worker, build
from rserver.sessions.probe import NoAnswer
from rserver.sessions.session import Session
from rserver.sessions.suspend_call import SuspendAnswer
from rserver.sign_in.policy import Account
from rserver.sign_in.standing import Holder
from rserver.surroundings import Surroundings, Threads
from rserver.web.request import Authentication, Identity, Request, RequestHead, Response
from rserver_core.launch_wire import SessionRecord
from tests.rserver.doubles import FakeMaster, ThreadsAtOnce, record

if TYPE_CHECKING:
    from rserver.sessions.activity import Activity
    from rserver.sessions.quit_call import QuitAnswer
    from rserver.sessions.r_report import RReport

PASSWORD = "right horse"
ALICE, BOB = Identity("alice", 1001), Identity("bob", 1002)
NONCE_MARK = "<script nonce='__CSP_NONCE__'></script>"


GROUPS = {"alice": ("alice", "stat"), "bob": ("bob",)}


def check_password(message: dict[str, Any]) -> dict[str, Any]:
    return {"exit": 0 if message["password"] == PASSWORD else 1, "reason": ""}


def accounts(name: str) -> Account | None:
    uids = {"alice": 1001, "bob": 1002, "root": 0}
    if name not in uids:
        return None
    return Account(name, uids[name], uids[name], f"/home/{name}", "/bin/sh", frozenset(GROUPS.get(name, ())))


class FakeFront:
    """Counts whom it was told to cut off."""

    def __init__(self) -> None:
        self.users: list[str] = []
        self.sessions: list[str] = []
        self.joins: list[tuple[str, str]] = []
        self.listening: dict[str, int] = {}

    def listeners(self) -> dict[str, int]:
        return self.listening

    def close_user(self, user: str) -> int:
        self.users.append(user)
        return 1

    def close_session(self, session_id: str) -> int:
        self.sessions.append(session_id)
        return 1

    def close_join(self, session_id: str, host_id: str) -> int:
        self.joins.append((session_id, host_id))
        return 1


class House:
    """A worker; `browse` gives somebody in front of it."""

    def __init__(self, directory: Path, options: dict[str, Any] | None = None, life: str = "", **greeting: Any) -> None:
        self.clock, self.time, self.front = Clock(), 1_700_000_000.0, FakeFront()
        self.master = FakeMaster(check_password=check_password)
        self.probes: list[Deferred[None]] = []
        self.blockers: list[str] | None = None
        self.is_blocked = True
        self.activity: Activity | None = None
        self.quit_answer: QuitAnswer | None = None
        self.saves: list[str] = []
        self.r_report: RReport | None = None
        self.links: dict[str, str] = {}
        self.directory = directory
        self.names: dict[str, int] = {"alice": 1001, "bob": 1002, "root": 0}
        self.names_asked = 0
        ide = directory / "ide"
        ide.mkdir(exist_ok=True)
        (directory / "db").mkdir(exist_ok=True)
        (ide / "index.html").write_text(NONCE_MARK)
        at_once = ThreadsAtOnce()
        around = Surroundings(
            self.clock,
            Threads(at_once, at_once, at_once, at_once),
            asyncio.get_running_loop,
            self.master,
            self._probe,
            self._ask_to_suspend,
            self._ask_activity,
            self._ask_to_quit,
            self._ask_for_r,
            self._ask_for_folder,
            lambda record, by: succeed(None),
            now=lambda: self.time + self.clock.seconds(),
            lookup=accounts,
            whose=self._whose,
            ide=ide,
            life=life,
        )
        full = {
            "options": {"server-lib-dir": str(directory), "server-data-dir": str(directory), **(options or {})},
            "cookie_keys": ["61" * 32],
            "single_user": None,
            **greeting,
        }
        self.worker: Worker = self.result(Deferred.fromCoroutine(build(around, full)))
        self.worker.link.front = self.front
        if self.worker.gate.accounts is not None:
            for name, uid in self.names.items():
                self.worker.gate.accounts.standings.seen(name, uid)

    def _whose(self, user: str, uid: int) -> Holder:
        self.names_asked += 1
        return Holder(self.names.get(user), next((name for name, of in self.names.items() if of == uid), None))

    def _probe(self, _record: SessionRecord) -> "Deferred[None]":
        self.probes.append(Deferred())
        return self.probes[-1]

    def _ask_to_suspend(self, _record: SessionRecord, _force: bool) -> "Deferred[SuspendAnswer]":
        """By default the session knows no such question."""
        return (
            fail(NoAnswer())
            if self.blockers is None
            else succeed(SuspendAnswer(False, tuple(self.blockers), self.is_blocked))
        )

    def _ask_activity(self, _record: SessionRecord) -> "Deferred[Activity]":
        """By default the session knows no such question."""
        return fail(NoAnswer()) if self.activity is None else succeed(self.activity)

    def _ask_to_quit(self, _record: SessionRecord, save: str) -> "Deferred[QuitAnswer]":
        """By default the session knows no such question."""
        self.saves.append(save)
        return fail(NoAnswer()) if self.quit_answer is None else succeed(self.quit_answer)

    def _ask_for_r(self, _record: SessionRecord) -> "Deferred[RReport]":
        """By default the session knows no such question."""
        return fail(NoAnswer()) if self.r_report is None else succeed(self.r_report)

    def _ask_for_folder(self, asked: SessionRecord) -> "Deferred[str]":
        session = self.worker.control.table.get(asked.session)
        assert session
        return succeed(self.links.get(session.project, session.project))

    def result(self, waiting: "Deferred[Any]", seconds: float = 120.0) -> Any:
        """What waiting gives, time passing as needed."""
        results: list[Any] = []
        waiting.addBoth(results.append)
        while not results and seconds > 0:
            self.clock.advance(0.05)
            seconds -= 0.05
        assert results, "never answered"
        if hasattr(results[0], "raiseException"):
            results[0].raiseException()
        return results[0]

    def browse(self, user: str = "", **more: Any) -> "Browser":
        """A new browser; signed in when user is given."""
        browser = Browser(self, **more)
        if user:
            assert browser.sign_in(user).status == 302
        return browser

    def session_of(self, identity: Identity = ALICE) -> Session:
        """The user's session."""
        return self.worker.control.table.one_of_user(identity.user, identity.uid)

    def run(self, session: Session, pid: int = 100) -> None:
        """The launch that is under way succeeds."""
        made = record(session.id, session.user, session.uid, pid)
        self.master.answer("launch", {"session": made.to_json()})
        self.probes.pop().callback(None)

    def exit(self, session: Session, pid: int = 100, **how: Any) -> None:
        """The process ends."""
        event = {"event": "exited", "session": session.id, "pid": pid, "code": None, "signal": None, "stderr_tail": ""}
        self.worker.on_event({**event, **how})


class Browser:
    """Cookies and an address; requests go through the gate to the pages, as the front does it."""

    def __init__(
        self, house: House, address: str = "192.0.2.1", host: str = "r.example:8787", port: int = 5000
    ) -> None:
        self.house, self.address, self.host, self.port = house, address, host, port
        self.jar: dict[str, str] = {}
        self.headers: dict[str, str] = {}
        self.set_cookies: list[str] = []

    def head(self, method: str, path: str, query: str = "", headers: dict[str, str] | None = None) -> RequestHead:
        fields = {"host": self.host, **self.headers, **(headers or {})}
        peer, root = (self.address, self.port), self.house.worker.settings.root_path.rstrip("/")
        return RequestHead(method, path, query, fields, dict(self.jar), peer, False, self.host, root)

    def request(self, method: str, target: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Response:
        path, _, query = target.partition("?")
        head = self.head(method, path, query, headers)
        seen: Authentication = self.house.worker.gate.authenticate(head)
        answer = self.house.worker.pages.answer(Request(head, seen.identity, body))
        response: Response = self.house.result(Deferred.fromCoroutine(answer))
        self._keep([*seen.cookies, *response.cookies])
        return response

    def get(self, target: str, headers: dict[str, str] | None = None) -> Response:
        return self.request("GET", target, headers=headers)

    def post(self, path: str, **fields: str) -> Response:
        return self.request("POST", path, urlencode({"rs-csrf-token": self.token, **fields}).encode())

    def json(self, method: str, path: str, value: Any = None) -> tuple[int, Any]:
        response = self.request(method, path, b"" if value is None else json.dumps(value).encode())
        return response.status, json.loads(response.body)

    @property
    def token(self) -> str:
        return self.jar.get("rs-csrf-token", "")

    def sign_in(self, user: str, password: str = PASSWORD, **fields: str) -> Response:
        self.get("/auth-sign-in")
        return self.post("/auth-do-sign-in", username=user, password=password, **fields)

    def user(self) -> str | None:
        seen = self.house.worker.gate.authenticate(self.head("GET", "/"))
        return seen.identity.user if seen.identity else None

    def _keep(self, set_cookies: Iterable[str]) -> None:
        self.set_cookies = list(set_cookies)
        for header in self.set_cookies:
            for name, morsel in SimpleCookie(header).items():
                if morsel["max-age"] == "0":
                    self.jar.pop(name, None)
                else:
                    self.jar[name] = header.partition("=")[2].partition(";")[0]


def location(response: Response) -> str:
    """Where a redirect leads."""
    return dict(response.headers).get("Location", "")


def new(browser: Browser, **wanted: Any) -> Session:
    """A new session of whoever sits there; its launch is under way."""
    status, made = browser.json("POST", "/api/sessions", wanted)
    assert status == 201, made
    session = browser.house.worker.control.table.get(made["id"])
    assert session
    return session


def running(browser: Browser, pid: int = 100, **wanted: Any) -> Session:
    """As new, and it runs."""
    session = new(browser, **wanted)
    browser.house.run(session, pid)
    return session
