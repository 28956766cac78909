"""The verb test-config, and the same test before a start."""

from collections.abc import Mapping, Sequence

from rserver_admin.verb import Context, Refused, Result
from rserver_core.checked_files import CHECKED_FILES
from rserver_core.config_errors import EXIT_CODE, ConfigErrors
from rserver_core.options.command_line import load
from rserver_core.options.rserver import RSERVER
from rserver_core.options.rsession import RSESSION
from rserver_core.server_warnings import warnings


def test(context: Context) -> Result:
    """Everything that is wrong with the configuration."""
    try:
        settings = load(
            RSERVER,
            context.invocation.options,
            context.environ,
            also=(RSESSION,),
            files=CHECKED_FILES,
        )
    except ConfigErrors as errors:
        return Result(
            f"The configuration cannot be used:\n{errors}",
            {"ok": False, "errors": [error._asdict() for error in errors.errors]},
            EXIT_CODE,
        )
    found = warnings(settings, context.environ)
    text = "".join(f"\nWarning: {warning}" for warning in found)
    return Result(f"The configuration is good.{text}", {"ok": True, "errors": [], "warnings": found})


def must_be_good(options: Sequence[str], environ: Mapping[str, str]) -> None:
    """Refused when a server with these options would not start because of its configuration."""
    try:
        load(RSERVER, options, environ, also=(RSESSION,), files=CHECKED_FILES)
    except ConfigErrors as errors:
        raise Refused(f"The configuration cannot be used, nothing was changed:\n{errors}", EXIT_CODE) from None
