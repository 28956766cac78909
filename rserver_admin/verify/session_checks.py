"""Checks of what sessions need: R, the session program, a session that computes."""

import os
import subprocess
from collections.abc import Iterator, Mapping

from rserver_admin import installation
from rserver_admin.server import Server
from rserver_admin.verify.check import Check, bad, good
from rserver_admin.verify.session_account import at_home, pam_session
from rserver_admin.verify.trial_session import Trial, TrialFailed, run_trial, temporary_home
from rserver_core.r_installation import NoR, RInstallation
from rserver_core.r_scan import find_installation
from rserver_process.accounts import Account
from rserver_process.keeper_settings import installed_rsession

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PROGRAM_SECONDS = 30.0


def session_checks(server: Server, account: Account, environ: Mapping[str, str], *, chosen: bool) -> Iterator[Check]:
    """All of them, those left out that others make pointless. chosen: the account was named, so PAM must let it in."""
    settings = server.settings
    try:
        found = find_installation(settings.rsession_which_r, _PATH)
    except NoR as error:
        yield bad("R", str(error), "apt-get install r-base-core, or name an R in rsession-which-r")
        return
    yield good("R", f"{found.version} in {found.home}")
    program = (settings.rsession_path,) if settings.rsession_path else installed_rsession()
    checked = session_program(program, found, account)
    yield checked
    if os.geteuid() == 0 and settings.auth_pam_sessions_enabled and chosen:
        yield pam_session(settings.auth_pam_sessions_profile, account)
    if checked.ok:
        yield session(Trial(found, program, environ), account)


def session_program(program: tuple[str, ...], found: RInstallation, account: Account) -> Check:
    """rsession and its compiled part load as that account."""
    name, root = "rsession", os.geteuid() == 0
    try:
        done = subprocess.run(
            [*program, "--help"],
            env={"PATH": _PATH, **found.environment()},
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PROGRAM_SECONDS,
            user=account.uid if root else None,
            group=account.gid if root else None,
            extra_groups=list(account.groups) if root else None,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return bad(name, f"cannot be run as {account.name}: {error}", f"can {account.name} read {installation.ROOT}?")
    if done.returncode == 0:
        return good(name, f"loads as {account.name}")
    last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    mend = f"`make setup` builds its compiled part; can {account.name} read {installation.ROOT}?"
    return bad(name, f"does not load as {account.name}: {last[:300]}", mend)


def session(trial: Trial, account: Account) -> Check:
    """R computes in a real session."""
    name = "session"
    with temporary_home(account) as home:
        try:
            version = run_trial(trial, at_home(account, home))
        except (TrialFailed, OSError) as error:
            output = f"; its last words: {error.output}" if isinstance(error, TrialFailed) and error.output else ""
            mend = "see docs/how-to/troubleshoot-a-session.md; `bash --login -c 'R --version'` as that user shows more"
            return bad(name, f"{error} (as {account.name}){output}", mend)
    return good(name, f"R {version} computed as {account.name} in a temporary home")
