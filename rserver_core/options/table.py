"""The option table of a program: texts from its command line and file become typed settings, or all errors at once."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from rserver_core.conf_file import Entry
from rserver_core.config_errors import ConfigError, ConfigErrors
from rserver_core.options.kinds import NotAllowed
from rserver_core.options.option import Option, options_of
from rserver_core.options.unsupported import BELONGS_IN, UNSUPPORTED

T = TypeVar("T")
COMMAND_LINE = "command line"

Finding = Entry | ConfigError


class OptionTable(NamedTuple, Generic[T]):
    """A program's options.

    program: name of the command; conf_name: its file in the configuration directory; settings: a named tuple of
    option() fields; about: one sentence for --help and the reference page; sections: title by the name of a section's
    first option; contradictions: names of options that do not go together, each with what is wrong.
    """

    program: str
    conf_name: str
    settings: type[T]
    about: str
    sections: Mapping[str, str]
    contradictions: Callable[[T], Iterable[tuple[str, str]]] = lambda settings: ()

    @property
    def options(self) -> dict[str, Option]:
        """All rows by name."""
        return options_of(self.settings)

    def parse(
        self, command_line: Iterable[Finding], conf: Iterable[Finding], environ: Mapping[str, str], *, root: bool
    ) -> T:
        """The settings; the command line wins over the file. ConfigErrors with every finding of both."""
        errors: list[ConfigError] = []
        values = {option.attribute: option.default(environ, root=root) for option in self.options.values()}
        for entries in (conf, command_line):
            values |= _Reader(self.options, self.conf_name, environ, errors).values(entries)
        if errors:
            raise ConfigErrors(errors)
        settings = self.settings(**values)
        if found := [ConfigError(self.conf_name, key, problem) for key, problem in self.contradictions(settings)]:
            raise ConfigErrors(found)
        return settings

    def defaults(self, environ: Mapping[str, str], *, root: bool) -> T:
        """The settings when nobody said anything."""
        return self.parse((), (), environ, root=root)

    def to_json(self, settings: T) -> dict[str, Any]:
        """Every option's value by its name, for a message to another process."""
        return {name: getattr(settings, option.attribute) for name, option in self.options.items()}

    def from_json(self, values: Mapping[str, Any]) -> T:
        """The settings from such a message of a process that we trust; KeyError when one is missing."""
        return self.settings(**{option.attribute: _frozen(values[name]) for name, option in self.options.items()})


class _Reader:
    """Reads the entries of one source; what is wrong goes to errors."""

    def __init__(
        self, options: Mapping[str, Option], conf_name: str, environ: Mapping[str, str], errors: list[ConfigError]
    ) -> None:
        self._options, self._conf_name, self._environ, self._errors = options, conf_name, environ, errors
        self._seen: dict[str, Entry] = {}

    def values(self, entries: Iterable[Finding]) -> dict[str, Any]:
        """The values by attribute."""
        values: dict[str, Any] = {}
        for entry in entries:
            if isinstance(entry, ConfigError):
                self._errors.append(entry)
            elif (option := self._option(entry)) is not None:
                self._store(option, entry, values)
        return values

    def _option(self, entry: Entry) -> Option | None:
        option = self._options.get(entry.key)
        if option is None:
            self._report(entry, _unknown(entry.key, self._conf_name, self._options))
        elif option.row.command_line_only and entry.place != COMMAND_LINE:
            self._report(entry, "can be given on the command line only")
        else:
            return option
        return None

    def _store(self, option: Option, entry: Entry, values: dict[str, Any]) -> None:
        first = self._seen.setdefault(option.name, entry)
        if first is not entry and not option.row.repeatable:
            self._report(entry, f"is given twice, first at {first.place}")
            return
        try:
            value = option.read(entry.value, self._environ)
        except NotAllowed:
            self._report(entry, f"expected {option.row.kind.allowed}, found {entry.value[:200]!r}")
            return
        values[option.attribute] = (*values.get(option.attribute, ()), value) if option.row.repeatable else value

    def _report(self, entry: Entry, problem: str) -> None:
        self._errors.append(ConfigError(entry.place, entry.key[:80], problem))


def _unknown(key: str, conf_name: str, options: Mapping[str, Option]) -> str:
    other = BELONGS_IN.get(key)
    if other is not None and other != conf_name:
        return f"unknown option here; it belongs in {other}"
    if key in UNSUPPORTED:
        return "is an option of RStudio Server that this server does not support"
    # Imported for its one use: it costs more start-up time than the whole table.
    from difflib import get_close_matches

    near = get_close_matches(key[:80], options, n=1)
    return f"unknown option; did you mean {near[0]}?" if near else "unknown option"


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
