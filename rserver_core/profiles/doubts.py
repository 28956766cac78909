"""What a file of profiles says that cannot be meant on this machine: sections for nobody, an R or processors that are
not there. Sentences; the file counts all the same, since accounts and versions come and go.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple

from rserver_core.profiles.file import FILE_NAME
from rserver_core.profiles.profile import Profile
from rserver_core.profiles.profiles import EVERYBODY, Profiles, Section
from rserver_core.r_choice import choose, is_met
from rserver_core.r_version import BadWish, RVersion, RWish


class Surroundings(NamedTuple):
    """What there is: accounts and groups by name, numbers of processors from 1, R versions."""

    is_user: Callable[[str], bool]
    is_group: Callable[[str], bool]
    processors: Collection[int]
    versions: Sequence[RVersion]


def doubts(profiles: Profiles, around: Surroundings) -> Iterator[str]:
    """One sentence for each."""
    for section in profiles.sections:
        where = f"{FILE_NAME}: [{section.name}]:"
        yield from (f"{where} {problem}" for problem in _about(section, around))


def _about(section: Section, around: Surroundings) -> Iterator[str]:
    if section.group is not None:
        if not around.is_group(section.group):
            yield f"there is no group {section.group} on this machine"
    elif section.name != EVERYBODY and not around.is_user(section.name):
        yield f"there is no account {section.name} on this machine"
    yield from _about_processors(section.profile, around.processors)
    yield from _about_r(section.profile, around.versions)


def _about_processors(profile: Profile, there: Collection[int]) -> Iterator[str]:
    wanted = profile.cpu_affinity or ()
    missing = [str(number) for number in wanted if number not in there]
    if not missing:
        return
    shown = " ".join(str(number) for number in sorted(there))
    if len(missing) == len(wanted):
        yield f"cpu-affinity names no processor that this server may use ({shown}): its sessions cannot start"
    else:
        yield f"cpu-affinity names processors that this server may not use: {' '.join(missing)} (it may use {shown})"


def _about_r(profile: Profile, versions: Sequence[RVersion]) -> Iterator[str]:
    if not profile.r_version:
        return
    try:
        wish = RWish.parse(profile.r_version)
    except BadWish:
        yield f"r-version {profile.r_version} is no version, label or path of an R"
        return
    found = choose(wish, versions)
    if found is None or not is_met(wish, found):
        instead = f": its sessions get {(found or versions[0]).wish.title}" if versions else ""
        yield f"r-version {profile.r_version} is not on this machine{instead}"
