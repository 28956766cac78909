"""REST of R versions, below /api/r-versions: what somebody may choose among, and the own default."""

from dataclasses import replace

import msgspec

from rserver.sessions.r_chooser import DEFAULT_SETTING, Offer
from rserver.sessions.user_actions import Refused, UserActions
from rserver.store.store import Store
from rserver.web.request import Identity, Request, Response
from rserver.web.responses import NOT_A_REQUEST, NOT_SIGNED_IN, UNAVAILABLE, json_answer, rpc_error
from rserver.worker_threads import ThreadsBusy
from rserver_core.r_installation import NoR
from rserver_core.r_version import titles

R_VERSIONS = "/api/r-versions"
_DEFAULT = R_VERSIONS + "/default"


class Default(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of PUT /api/r-versions/default; null: the rules of the server."""

    r_version: str | None


class RVersionsApi:
    """Answers for /api/r-versions and below, and keeps own defaults in the store."""

    def __init__(self, actions: UserActions, store: Store) -> None:
        self._actions, self._store = actions, store

    async def handle(self, request: Request) -> Response:
        """Any request to /api/r-versions…; the front has checked the CSRF header."""
        if request.identity is None:
            return rpc_error(NOT_SIGNED_IN, "You are not signed in.")
        match request.path, request.method:
            case (path, "GET") if path == R_VERSIONS:
                return await self._list(request.identity)
            case (path, "PUT") if path == _DEFAULT:
                return await self._put(request, request.identity)
            case (path, _) if path in {R_VERSIONS, _DEFAULT}:
                answer = rpc_error(NOT_A_REQUEST, "The method is not allowed here.", 405)
                return replace(answer, headers=(("Allow", "GET" if path == R_VERSIONS else "PUT"),))
        return rpc_error(NOT_A_REQUEST, "There is no such address.", 404)

    async def set_default(self, identity: Identity, r_version: str) -> None:
        """Which R new sessions of this user get; empty: what the server's rules say. Refused."""
        wish = await self._actions.checked_wish(identity.user, identity.uid, r_version)
        defaults, account = self._actions.chooser.defaults, (identity.user, identity.uid)
        if wish:
            defaults[account] = wish
        else:
            defaults.pop(account, None)
        await self._store.put_setting(identity.user, identity.uid, DEFAULT_SETTING, wish)

    async def _list(self, identity: Identity) -> Response:
        try:
            return json_answer(shown(await self._actions.chooser.offer(identity.user, identity.uid)))
        except (NoR, ThreadsBusy) as error:
            return rpc_error(UNAVAILABLE, f"No R was found: {error}.", 503)

    async def _put(self, request: Request, identity: Identity) -> Response:
        try:
            wanted = msgspec.json.decode(request.body or b"{}", type=Default).r_version or ""
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            return rpc_error(NOT_A_REQUEST, f"The body is not acceptable: {error}", 400)
        try:
            await self.set_default(identity, wanted)
        except Refused as error:
            return rpc_error(error.code, str(error), 400)
        return await self._list(identity)


def shown(offer: Offer) -> dict[str, object]:
    """As GET /api/r-versions shows them. id: what to send back to choose one."""
    versions = [
        {
            "id": str(version.wish),
            "title": title,
            "version": version.version or None,
            "home": version.home or None,
            "label": version.label or None,
            "module": version.module or None,
        }
        for version, title in titles(offer.versions).items()
    ]
    return {"versions": versions, "default": str(offer.default.wish), "own_default": offer.own or None}
