"""From the command line to a verb and from its result to output and exit code."""

import json
import os
import sys
from collections.abc import Mapping, Sequence

from rserver_admin import pages
from rserver_admin.command_line import Invocation, UsageError, parse
from rserver_admin.verb import EXIT_USAGE, Context, Refused, Result, Verb
from rserver_admin.verbs import VERBS
from rserver_core.config_errors import EXIT_CODE, ConfigErrors


def run(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """The exit code of one call."""
    try:
        invocation = parse(argv)
        if not invocation.verb:
            print(pages.usage(VERBS.values()), end="")
            return 0
        verb = _verb(invocation)
    except UsageError as error:
        text = f"rstudio-server: {error}. See rstudio-server --help."
        return _tell(Result(text, {"error": text}, EXIT_USAGE), as_json="--json" in argv)
    return _tell(_perform(verb, Context(invocation, environ)), as_json=invocation.json)


def _verb(invocation: Invocation) -> Verb:
    verb = VERBS.get(invocation.verb)
    if verb is None:
        raise UsageError(f"there is no verb {invocation.verb[:80]!r}; there are {', '.join(VERBS)}")
    if len(invocation.operands) != (1 if verb.operand else 0):
        raise UsageError(f"{verb.name} takes {'one ' + verb.operand if verb.operand else 'no argument'}")
    for name in invocation.own:
        if name not in verb.options:
            raise UsageError(f"{verb.name} takes no --{name}")
    return verb


def _perform(verb: Verb, context: Context) -> Result:
    try:
        if not verb.for_anybody:
            _may(verb, context)
        return verb.run(context)
    except Refused as refusal:
        return Result(str(refusal), {"error": str(refusal)}, refusal.code)
    except ConfigErrors as errors:
        return Result(f"The configuration cannot be used:\n{errors}", {"error": str(errors)}, EXIT_CODE)
    except PermissionError as error:
        text = f"{error.filename} cannot be used: {error.strerror}."
        return Result(text, {"error": text}, 1)


def _may(verb: Verb, context: Context) -> None:
    """Refused unless the server is the caller's: root's, or that of a user who runs it without root.

    Root too: who owns the run directory could name any process in it.
    """
    root, server = os.geteuid() == 0, context.server
    if not root and not server.settings.auth_none:
        raise Refused(f"This server signs people in, so only root may do this: sudo rstudio-server {verb.name}")
    try:
        owner = server.run_dir.stat().st_uid
    except OSError:
        if root or verb.makes_server or server.process() is not None:
            return
        raise Refused(
            f"You have no server of your own ({server.run_dir} does not exist). The machine's needs root: "
            f"sudo rstudio-server {verb.name}"
        ) from None
    if owner != os.geteuid():
        who = "" if owner == 0 else f"-u '#{owner}' "
        raise Refused(
            f"This server is not yours ({server.run_dir} belongs to uid {owner}): sudo {who}rstudio-server {verb.name}"
        )


def _tell(result: Result, *, as_json: bool) -> int:
    if as_json:
        print(json.dumps(dict(result.data), indent=1, ensure_ascii=False))
    else:
        print(result.text, file=sys.stderr if "error" in result.data else sys.stdout)
    return result.code
