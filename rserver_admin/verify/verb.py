"""The verb itself: everything is looked at, whatever is wrong with the rest."""

from rserver_admin.configuration import must_be_good
from rserver_admin.verb import EXIT_FAILED, Context, Refused, Result
from rserver_admin.verify.check import Check
from rserver_admin.verify.server_checks import server_checks
from rserver_admin.verify.session_account import session_account
from rserver_admin.verify.session_checks import session_checks


def verify_installation(context: Context) -> Result:
    """All checks; exit code 1 when one fails."""
    server = context.server
    if (process := server.process()) is not None:
        raise Refused(f"rserver runs (pid {process.pid}). Stop it first: rstudio-server stop. Sessions keep running.")
    must_be_good(context.invocation.options, context.environ)
    wanted = context.invocation.own.get("verify-user", "")
    checks = list(server_checks(server))
    try:
        account = session_account(server, wanted)
    except Refused as refusal:
        checks.append(Check("session", False, str(refusal), "name an ordinary account with --verify-user=NAME"))
    else:
        checks += session_checks(server, account, context.environ, chosen=bool(wanted))
    ok = all(check.ok for check in checks)
    data = {
        "ok": ok,
        "checks": [{"name": check.name, "ok": check.ok, "text": check.text, "mend": check.mend} for check in checks],
    }
    return Result("\n".join(map(_shown, checks)), data, 0 if ok else EXIT_FAILED)


def _shown(check: Check) -> str:
    text = f"{'ok' if check.ok else 'FAILED':6}  {check.name}: {check.text}"
    return f"{text}\n        mend: {check.mend}" if check.mend else text
