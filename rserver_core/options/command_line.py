"""From a program's command line and configuration files to its settings."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from rserver_core import conf_file
from rserver_core.conf_file import Entry
from rserver_core.config_errors import EXIT_CODE, ConfigError, ConfigErrors
from rserver_core.options.table import COMMAND_LINE, Finding, OptionTable

T = TypeVar("T")
CONFIG_FILE = "config-file"
ReadFile = Callable[[Mapping[str, str]], object]
"""Reads another file of the configuration directory, which the environment names; raises ConfigErrors."""


def load_or_exit(
    table: OptionTable[T],
    argv: Sequence[str],
    environ: Mapping[str, str],
    also: Sequence[OptionTable[Any]] = (),
    files: Sequence[ReadFile] = (),
    warnings: Callable[[T, Mapping[str, str]], Sequence[str]] = lambda settings, environ: (),
) -> T:
    """The settings of this process. Ends it after --help and --test-config (0) and on errors (2, one line each).

    also: tables whose files are checked together with ours; files: other files that are; warnings: what --test-config
    says of a good configuration; it may find errors, too: ConfigErrors.
    """
    if "--help" in argv:
        from rserver_core.options.pages import help_text

        print(help_text(table), end="")
        sys.exit(0)
    try:
        settings = load(table, [text for text in argv if text != "--test-config"], environ, also, files)
        told = warnings(settings, environ) if "--test-config" in argv else ()
    except ConfigErrors as errors:
        print(f"{table.program}: the configuration cannot be used\n{errors}", file=sys.stderr)
        sys.exit(EXIT_CODE)
    if "--test-config" in argv:
        for warning in told:
            print(f"{table.program}: warning: {warning}", file=sys.stderr)
        sys.exit(0)
    return settings


def load(
    table: OptionTable[T],
    argv: Sequence[str],
    environ: Mapping[str, str],
    also: Sequence[OptionTable[Any]] = (),
    files: Sequence[ReadFile] = (),
) -> T:
    """The settings; ConfigErrors with every finding of command line and files."""
    root = os.geteuid() == 0
    environ = _completed(environ)
    errors: list[ConfigError] = []
    settings = None
    try:
        arguments = list(entries(argv))
        settings = table.parse(arguments, _conf(table, arguments, environ), environ, root=root)
    except ConfigErrors as found:
        errors.extend(found.errors)
    checks = [partial(other.parse, (), _conf(other, (), environ), environ, root=root) for other in also]
    for check in [*checks, *(partial(read, environ) for read in files)]:
        try:
            check()
        except ConfigErrors as found:
            errors.extend(found.errors)
    if settings is None or errors:
        raise ConfigErrors(errors)
    return settings


def entries(argv: Sequence[str]) -> Iterator[Finding]:
    """`--name=value` or `--name value`, in order; what is neither is a finding."""
    rest = iter(argv)
    for argument in rest:
        name, equals, value = argument.removeprefix("--").partition("=")
        if not argument.startswith("--") or not name:
            yield ConfigError(COMMAND_LINE, "", f"expected --name=value, found {argument[:80]!r}")
        elif equals:
            yield Entry(COMMAND_LINE, name, value)
        elif (following := next(rest, None)) is not None:
            yield Entry(COMMAND_LINE, name, following)
        else:
            yield ConfigError(COMMAND_LINE, name[:80], "has no value")


def _conf(table: OptionTable[Any], arguments: Sequence[Finding], environ: Mapping[str, str]) -> Iterator[Finding]:
    named = [entry.value for entry in arguments if isinstance(entry, Entry) and entry.key == CONFIG_FILE]
    path = named[0] if named else os.path.join(conf_file.directory(environ), table.conf_name)
    try:
        text = conf_file.read(path)
    except FileNotFoundError:
        if named:
            yield ConfigError(COMMAND_LINE, CONFIG_FILE, f"there is no file {path}")
        return
    if isinstance(text, ConfigError):
        yield text
    else:
        yield from conf_file.parse(text, path)


def _completed(environ: Mapping[str, str]) -> Mapping[str, str]:
    """environ with a HOME, which service managers do not set, and without another account's run-time directory.

    Such a directory is left behind by `su` without a login.
    """
    completed = {"HOME": os.path.expanduser("~"), **environ}
    try:
        ours = os.stat(environ["XDG_RUNTIME_DIR"]).st_uid == os.geteuid()
    except (KeyError, OSError):
        ours = False
    if not ours:
        completed.pop("XDG_RUNTIME_DIR", None)
    return completed
