"""Somebody at the prompt of a session of their own."""

from tests.system.accounts import Account
from tests.system.running_server import RunningServer
from tests.system.visitor import Visitor


def at_prompt(server: RunningServer, who: Account) -> Visitor:
    """Signed in, the one session opened, what it printed at its start read."""
    visitor = Visitor(server.port)
    visitor.sign_in(who.name, who.password)
    visitor.open_session()
    visitor.seen = 0
    visitor.wait_for_prompt()
    return visitor
