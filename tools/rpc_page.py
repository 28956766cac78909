"""The reference page of the RPC methods, from the table that a session itself uses. Runs in .venv."""

import json
import tempfile
from pathlib import Path

from twisted.internet.task import Clock

from rserver_core.options.rsession import RSESSION
from rsession import r_version
from rsession.collab.register import register as collab
from rsession.core_methods import SessionFacts, add_core_methods
from rsession.limits import register as limits
from rsession.presence import register as presence
from rsession.presence.presence import Presence
from rsession.presence.running import own_process
from rsession.presence.sentry import Sentry
from rsession.projects import register as projects
from rsession.r_version import SessionR
from rsession.rpc import Clients
from rsession.rpc_method import REQUIRED, Method, Param
from rsession.services import register
from rsession.services.background import in_thread
from rsession.session import Session
from rsession.sharing.register import register as sharing
from rsession.state_paths import StatePaths
from rsession.timeouts.policy import Limits
from rsession.workspace.register import Workspace
from rsession.workspace.settings import WorkspaceSettings

_INTRO = """\
# RPC methods of a session

`POST /s/<session>/rpc/<method>` with the body `{"method", "params": [...], "kwparams": {...}, "clientId"}` answers
`{"result": ...}` or `{"error": {"code", "message"}}`. Parameters are given in this order, or by name in `kwparams`;
those with a default may be left out. Results, events and error codes: [Protocols](internal-protocols.md) §4.

| method | parameters | what it does |
| --- | --- | --- |
"""


def rpc_page() -> str:
    """The page in Markdown."""
    return _INTRO + "".join(f"{_row(method)}\n" for method in sorted(_methods(), key=lambda method: method.name))


def _methods() -> list[Method]:
    """The table of a session whose R never starts."""
    with tempfile.TemporaryDirectory() as home:
        session = Session(Clock(), StatePaths.of_home(Path(home), "00000000"), {"HOME": home})
        add_core_methods(session, SessionFacts("00000000", "", "", 0.0), Clients())
        r_version.register(session, SessionR("", "", ""))
        documents = register(session)
        alone = Presence(session, Sentry("", "", "", own_process()), home, in_thread)
        collab(session, documents, alone, "", session.clock)  # type: ignore[arg-type]
        projects.register(session, RSESSION.defaults({"HOME": home}, root=False))
        presence.register(session, "")
        sharing(session, RSESSION.defaults({"HOME": home}, root=False), documents)
        limits.add_methods(session, None)
        Workspace(session, WorkspaceSettings(), Limits()).add_methods()
    return list(session.rpc)


def _row(method: Method) -> str:
    parameters = ", ".join(_parameter(param) for param in method.params) or "none"
    stranger = " Needs no clientId." if method.open_to_strangers else ""
    return f"| `{method.name}` | {parameters} | {_one_line(method.doc)}{stranger} |"


def _parameter(param: Param) -> str:
    kind = f"{param.kind} or null" if param.nullable else param.kind
    default = "" if param.default is REQUIRED else f" = {json.dumps(param.default)}"
    doc = f" ({_one_line(param.doc)})" if param.doc else ""
    return f"`{param.name}`: {kind}{default}{doc}"


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
