"""Who may be a member of a shared project."""

from collections.abc import Callable, Iterable

from rserver.accounts import Accounts
from rserver.sharing.refused import UNAVAILABLE, ShareRefused
from rserver.sign_in.policy import Account, SignInPolicy
from rserver.worker_threads import ThreadsBusy, ThreadTimeout
from rserver_core.nobody import NOBODY_UIDS
from rserver_core.shared_project import MAX_MEMBERS
from rserver_core.user_name import is_user_name


class People:
    """Accounts that may sign in. policy: the one that counts at the moment."""

    def __init__(self, accounts: Accounts, policy: Callable[[], SignInPolicy]) -> None:
        self._accounts, self._policy = accounts, policy

    async def check(self, names: Iterable[str], owner_uid: int) -> None:
        """ShareRefused unless all of them may be members. Unknown names are refused as those are that may not."""
        accounts = [(name, await self._account(name)) for name in names]
        refused = [name for name, account in accounts if not self._may_be_member(name, account, owner_uid)]
        if refused:
            who, they = ", ".join(refused[:5]), "it" if len(refused) == 1 else "they"
            raise ShareRefused(
                f"The project cannot be shared with {who}: there is no such account here, or {they} may not use it."
            )

    def _may_be_member(self, name: str, account: Account | None, owner_uid: int) -> bool:
        if account is None or account.name != name or account.uid in {0, owner_uid, *NOBODY_UIDS}:
            return False
        return self._policy().refusal(account) is None

    async def uids(self, names: Iterable[str]) -> list[int]:
        """Of those that there are."""
        found = [await self._account(name) for name in names]
        return [account.uid for account in found if account is not None]

    async def full_name(self, name: str) -> str:
        """What the account's entry calls its owner."""
        account = await self._account(name)
        return account.full_name if account is not None else ""

    async def _account(self, name: str) -> Account | None:
        try:
            return await self._accounts.get(name)
        except (ThreadsBusy, ThreadTimeout):
            raise ShareRefused("The account database of this machine does not answer.", UNAVAILABLE) from None


def checked_names(value: object) -> tuple[str, ...]:
    """From a request. ShareRefused."""
    if not isinstance(value, list) or len(value) > MAX_MEMBERS:
        raise ShareRefused(f"members must be a list of at most {MAX_MEMBERS} account names.")
    names: list[str] = []
    for name in value:
        if not isinstance(name, str) or not is_user_name(name):
            raise ShareRefused("members must hold account names only.")
        names.append(name)
    return tuple(dict.fromkeys(names))
