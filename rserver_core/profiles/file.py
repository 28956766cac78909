"""Reading the file `profiles`: strict, every error at once with its line."""

import os
from collections.abc import Iterable, Mapping
from typing import Any

from rserver_core import conf_file
from rserver_core.conf_file import Entry, Heading
from rserver_core.config_errors import ConfigError, ConfigErrors
from rserver_core.options.kinds import NotAllowed
from rserver_core.profiles.keys import KEYS
from rserver_core.profiles.profile import Profile
from rserver_core.profiles.profiles import EVERYBODY, GROUP_MARK, Profiles, Section
from rserver_core.user_name import is_user_name

FILE_NAME = "profiles"


def load(environ: Mapping[str, str]) -> Profiles:
    """The profiles of the configuration directory, none when there is no such file; ConfigErrors."""
    path = os.path.join(conf_file.directory(environ), FILE_NAME)
    try:
        text = conf_file.read(path)
    except FileNotFoundError:
        return Profiles()
    if isinstance(text, ConfigError):
        raise ConfigErrors([text])
    return parse(text, path)


def parse(text: str, path: str) -> Profiles:
    """The profiles in a file's text; ConfigErrors with every finding."""
    reader = _Reader()
    reader.read(conf_file.parse_sections(text, path))
    if reader.errors:
        raise ConfigErrors(reader.errors)
    return Profiles(tuple(Section(name, Profile(**values)) for name, values in reader.sections.items()))


class _Reader:
    def __init__(self) -> None:
        self.errors: list[ConfigError] = []
        self.sections: dict[str, dict[str, Any]] = {}
        self._places: dict[tuple[str, str], str] = {}
        self._values: dict[str, Any] | None = None
        self._name = ""

    def read(self, lines: Iterable[Heading | Entry | ConfigError]) -> None:
        for line in lines:
            if isinstance(line, ConfigError):
                self.errors.append(line)
            elif isinstance(line, Heading):
                self._begin(line)
            elif self._values is None:
                self._report(line.place, line.key, "stands before the first section, such as [*]")
            else:
                self._store(line, self._values)

    def _begin(self, heading: Heading) -> None:
        # What follows a bad heading is checked all the same.
        self._name, self._values = heading.name, {}
        if heading.name != EVERYBODY and not is_user_name(heading.name.removeprefix(GROUP_MARK)):
            self._report(heading.place, f"[{heading.name[:80]}]", "expected [*], [@group] or [user]")
        elif not self._is_again(heading.place, heading.name, "", f"[{heading.name}]"):
            self._values = self.sections.setdefault(heading.name, {})

    def _store(self, entry: Entry, values: dict[str, Any]) -> None:
        option = KEYS.get(entry.key)
        if option is None:
            self._report(entry.place, entry.key, f"unknown key; there are {', '.join(KEYS)}")
        elif not self._is_again(entry.place, self._name, entry.key, entry.key):
            try:
                values[option.attribute] = option.read(entry.value, {})
            except NotAllowed:
                problem = f"expected {option.row.kind.allowed}, found {entry.value[:200]!r}"
                self._report(entry.place, entry.key, problem)

    def _is_again(self, place: str, section: str, key: str, shown: str) -> bool:
        first = self._places.setdefault((section, key), place)
        if first != place:
            self._report(place, shown, f"is given twice, first at {first}")
        return first != place

    def _report(self, place: str, key: str, problem: str) -> None:
        self.errors.append(ConfigError(place, key[:80], problem))
