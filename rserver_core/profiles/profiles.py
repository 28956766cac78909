"""All sections of the file, and who gets what of them."""

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from rserver_core.profiles.profile import NOTHING, Profile

EVERYBODY, GROUP_MARK = "*", "@"


class Section(NamedTuple):
    """`[*]`, `[@group]` or `[user]` and what it says."""

    name: str
    profile: Profile

    @property
    def group(self) -> str | None:
        """The group that it is for; None when it is for one user, or everybody."""
        return self.name.removeprefix(GROUP_MARK) if self.name.startswith(GROUP_MARK) else None


class Profiles(NamedTuple):
    """The sections in the order of the file."""

    sections: tuple[Section, ...] = ()

    @property
    def groups(self) -> frozenset[str]:
        """The groups that somebody has to be asked about."""
        return frozenset(section.group for section in self.sections if section.group is not None)

    def of(self, user: str, groups: Collection[str]) -> Profile:
        """The profile of a user who is in these groups: later sections win, key by key."""
        profile = NOTHING
        for section in self._sections_of(user, groups):
            profile = profile.followed_by(section.profile)
        return profile

    def section_of(self, user: str, groups: Collection[str], key: str) -> str:
        """Name of the section from which this user has that attribute of the profile; empty: from none."""
        saying = [each.name for each in self._sections_of(user, groups) if getattr(each.profile, key) is not None]
        return saying[-1] if saying else ""

    def _sections_of(self, user: str, groups: Collection[str]) -> Iterator[Section]:
        for section in self.sections:
            if section.name in {EVERYBODY, user} or (section.group is not None and section.group in groups):
                yield section

    def to_json(self) -> list[Any]:
        """For a message to another process."""
        return [[section.name, section.profile.to_json()] for section in self.sections]

    @classmethod
    def from_json(cls, value: list[Any]) -> "Profiles":
        """From such a message of a process that we trust; TypeError or ValueError when it is something else."""
        return cls(tuple(Section(str(name), Profile.from_json(values)) for name, values in value))
