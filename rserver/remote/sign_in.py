"""Programs sign in with the names and passwords that people have, by the same rules."""

import hmac
from dataclasses import dataclass

from rserver.remote.answers import error
from rserver.sign_in.flow import Attempt, Secret, SignInFlow
from rserver.sign_in.policy import Account, Trouble
from rserver.web.request import Identity, Response

_REFUSED = "The user name or the password is not right, or this account may not sign in here."
_TROUBLE = "The server cannot check passwords at the moment. Try again later."


@dataclass(slots=True)
class ProgramSignIn:
    """flow None: single-user mode, where the owner's password is the server's token."""

    flow: SignInFlow | None
    owner: Identity | None = None
    token: str = ""

    async def check(self, user: str, password: str, address: str) -> Identity | Response:
        """Who it is, or the answer to give."""
        if self.flow is None:
            return self._check_owner(user, password)
        outcome = await self.flow.check(Attempt(user, Secret(password), address))
        if isinstance(outcome, Account):
            return Identity(outcome.name, outcome.uid)
        return error(503, _TROUBLE) if isinstance(outcome.kind, Trouble) else error(401, _REFUSED)

    def _check_owner(self, user: str, password: str) -> Identity | Response:
        owner = self.owner
        is_right = bool(self.token) and hmac.compare_digest(password.encode("utf-8", "replace"), self.token.encode())
        if owner is None or user != owner.user or not is_right:
            return error(401, _REFUSED)
        return owner
