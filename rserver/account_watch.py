"""What becomes of visitors and sessions whose account is gone, or somebody else's by now."""

from rserver.accounts import Accounts
from rserver.sessions.control import SessionControl
from rserver.sessions.evictions import Evictions
from rserver.sign_in.farewell import Farewell
from rserver.sign_in.standing import Standings
from rserver.surroundings import Surroundings
from rserver.web.account_check import AccountCheck
from rserver.web.templates import Templates


def watch_accounts(
    around: Surroundings, accounts: Accounts, control: SessionControl, farewell: Farewell, templates: Templates
) -> tuple[AccountCheck, Evictions]:
    """Who turns such visitors away, and who ends such sessions; both learn from every look at an account."""
    standings = Standings(around.clock, around.threads.accounts, around.whose)
    accounts.on_found = lambda account: standings.seen(account.name, account.uid)
    check = AccountCheck(standings, farewell.credentials, templates)
    return check, Evictions(around.clock, standings, control, farewell.account_gone)
