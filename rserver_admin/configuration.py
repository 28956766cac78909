"""The verb test-config, and the same test before a start."""

import subprocess
from collections.abc import Mapping, Sequence

from rserver_admin import installation
from rserver_admin.verb import Context, Refused, Result
from rserver_core.checked_files import CHECKED_FILES
from rserver_core.config_errors import EXIT_CODE, ConfigError, ConfigErrors
from rserver_core.options.command_line import load
from rserver_core.options.rserver import RSERVER
from rserver_core.options.rsession import RSESSION
from rserver_core.server_warnings import warnings

_SECONDS = 60.0
_WARNING = "rserver: warning: "


def test(context: Context) -> Result:
    """Everything that is wrong with the configuration."""
    try:
        found = _check(context.invocation.options, context.environ, is_thorough=True)
    except ConfigErrors as errors:
        return Result(
            f"The configuration cannot be used:\n{errors}",
            {"ok": False, "errors": [error._asdict() for error in errors.errors]},
            EXIT_CODE,
        )
    text = "".join(f"\nWarning: {warning}" for warning in found)
    return Result(f"The configuration is good.{text}", {"ok": True, "errors": [], "warnings": found})


def must_be_good(options: Sequence[str], environ: Mapping[str, str]) -> None:
    """Refused when a server with these options would not start because of its configuration."""
    try:
        _check(options, environ, is_thorough=False)
    except ConfigErrors as errors:
        raise Refused(f"The configuration cannot be used, nothing was changed:\n{errors}", EXIT_CODE) from None


def _check(options: Sequence[str], environ: Mapping[str, str], *, is_thorough: bool) -> Sequence[str]:
    """Sentences of warning, if is_thorough; ConfigErrors."""
    settings = load(RSERVER, options, environ, also=(RSESSION,), files=CHECKED_FILES)
    if settings.ssl_enabled and settings.ssl_certificate:
        return _checked_by_server(options, environ)
    return warnings(settings, environ) if is_thorough else ()


def _checked_by_server(options: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    """Of certificates only the server itself can tell: what reads them is not loaded into this process."""
    argv = [*installation.python(installation.RSERVER), "--test-config", *options]
    try:
        done = subprocess.run(
            argv,
            env=installation.environment(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise ConfigErrors([ConfigError("certificates", "", "they could not be looked at in time")]) from None
    lines = done.stderr.splitlines()
    if done.returncode:
        raise ConfigErrors(_finding(line) for line in lines if not line.startswith("rserver: "))
    return [line.removeprefix(_WARNING) for line in lines if line.startswith(_WARNING)]


def _finding(line: str) -> ConfigError:
    place, _, problem = line.partition(": ")
    return ConfigError(place, "", problem)
