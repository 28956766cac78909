"""Refuses who signed in with an account that is gone since, or is somebody else's."""

from dataclasses import dataclass

from rserver.sign_in.credentials import Credentials
from rserver.sign_in.standing import Standings
from rserver.web.request import Identity, RequestHead, Response
from rserver.web.responses import NOT_SIGNED_IN, html, rpc_error, wants_page
from rserver.web.templates import Templates


@dataclass(slots=True)
class AccountCheck:
    """Of every request that came with a cookie."""

    standings: Standings
    credentials: Credentials
    templates: Templates

    def known(self, identity: Identity) -> str | None:
        """See Standings."""
        return self.standings.known(identity.user, identity.uid)

    async def problem(self, identity: Identity) -> str:
        """See Standings."""
        return await self.standings.problem(identity.user, identity.uid)

    def refusal(self, head: RequestHead, problem: str) -> Response:
        """What somebody is told for whom that problem stands. Whoever was shown it on a page has no cookie any more."""
        if not wants_page(head):
            return rpc_error(NOT_SIGNED_IN, problem)
        base = head.root_path + "/"
        cookies = (self.credentials.clear(secure=head.secure, root_path=head.root_path),)
        return html(self.templates.render("error", title="Not signed in", message=problem, base=base), 403, cookies)
