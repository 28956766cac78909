"""Which R a session gets: its own choice first, then the rules, each told apart from what there is.

The wish of a project lies in its user's home, which only the session can read: it gets the list with it and decides
before it starts R.
"""

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from rserver.r_installations import RInstallations
from rserver.sessions.session import Session
from rserver_core.launch_wire import MAX_VALUE
from rserver_core.profiles.profile import Profile
from rserver_core.r_choice import choose, sentence
from rserver_core.r_list import RList
from rserver_core.r_version import BadWish, RVersion, RWish

DEFAULT_SETTING = "r-version"
"""Name in the store of the R that a user chose for all new sessions."""

Wishes = Iterator[tuple[str, RWish]]


@dataclass(frozen=True, slots=True)
class Chosen:
    """note: a sentence when it is not what was wanted. others: among which the session's project may choose.

    library_path and modules_bin: the options rsession-ld-library-path and modules-bin-path.
    """

    version: RVersion
    note: str = ""
    others: tuple[RVersion, ...] = ()
    library_path: str = ""
    modules_bin: str = ""

    def variables(self) -> dict[str, str]:
        """For the launch spec."""
        values = {"RS_R_KEY": str(self.version.wish), "RS_R_NOTE": self.note, "RS_MODULES_BIN_PATH": self.modules_bin}
        if self.others:
            values["RS_R_VERSIONS"] = _listing(self.others)
        return self.version.environment(self.library_path) | {name: value for name, value in values.items() if value}


@dataclass(frozen=True, slots=True)
class Offer:
    """What a user may choose among, and what a new session gets without a choice. own: the user's own default."""

    versions: tuple[RVersion, ...]
    default: RVersion
    own: str = ""


@dataclass(slots=True)
class RChooser:
    """profile_of: what the administrator's profiles say of a user. defaults: own ones, by user and uid."""

    installations: RInstallations
    profile_of: Callable[[str], Awaitable[Profile]]
    defaults: dict[tuple[str, int], str] = field(default_factory=dict)

    async def choose(self, session: Session) -> Chosen:
        """NoR when there is none."""
        chosen, settings = await self._choose(session), self.installations.settings
        return replace(chosen, library_path=settings.rsession_ld_library_path, modules_bin=settings.modules_bin_path)

    async def _choose(self, session: Session) -> Chosen:
        listed, profile = await self.installations.listed(), await self.profile_of(session.user)
        if not self._is_free(profile):
            return _first(_of_profile(profile), listed)
        wishes = (*_of_session(session), *self._of_user(session.user, session.uid), *_of_profile(profile))
        # A session that was told which R, or that ran already, keeps it whatever its project says.
        is_open = bool(session.project) and not session.r_wish and not session.r_key and len(listed.versions) > 1
        return _first(iter(wishes), listed, listed.versions if is_open else ())

    async def offer(self, user: str, uid: int) -> Offer:
        """NoR when there is none."""
        listed, profile = await self.installations.listed(), await self.profile_of(user)
        if not self._is_free(profile):
            only = _first(_of_profile(profile), listed).version
            return Offer((only,), only)
        own = self.defaults.get((user, uid), "")
        default = _first(iter((*self._of_user(user, uid), *_of_profile(profile))), listed).version
        return Offer(listed.versions, default, own)

    def _is_free(self, profile: Profile) -> bool:
        said = profile.r_versions_multiple
        return self.installations.settings.r_versions_multiple if said is None else said

    def _of_user(self, user: str, uid: int) -> Wishes:
        return _wish("Your own default is", self.defaults.get((user, uid), ""))


def _of_session(session: Session) -> Wishes:
    yield from _wish("This session wants", session.r_wish)
    yield from _wish("This session ran", session.r_key)


def _of_profile(profile: Profile) -> Wishes:
    return _wish("The administrator gives you", profile.r_version or "")


def _wish(whose: str, text: str) -> Wishes:
    try:
        if text:
            yield whose, RWish.parse(text)
    except BadWish:
        return


def _first(wishes: Wishes, listed: RList, others: tuple[RVersion, ...] = ()) -> Chosen:
    """The R of the first wish that can be met more or less, else the default."""
    note = ""
    for whose, wish in wishes:
        found = choose(wish, listed.versions)
        if found is not None:
            return Chosen(found, note or sentence(whose, wish, found), others)
        note = note or sentence(whose, wish, listed.default)
    return Chosen(listed.default, note, others)


def _listing(versions: tuple[RVersion, ...]) -> str:
    """As many as fit into a variable; what their own scripts set the session reads itself."""
    listed: list[Mapping[str, str]] = []
    for version in versions:
        item = {name: value for name, value in version.to_json().items() if name != "variables"}
        if len(json.dumps([*listed, item])) >= MAX_VALUE:
            break
        listed.append(item)
    return json.dumps(listed)
