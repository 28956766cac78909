"""Why a session failed or ended, as a sentence for its user. Pure."""

import signal
from collections.abc import Sequence
from dataclasses import replace

from rserver.sessions import last_words
from rserver.sessions.machine import Fate, State, Status
from rserver_core import last_word

MAX_TAIL = 8192
SUSPENDED_CODE = 101
RESTARTED_CODE = 102
KILLED_CODE = 103
_TERM_CODE = 128 + signal.SIGTERM

_SIGNALS = {
    "SIGSEGV": "a crash in compiled code",
    "SIGBUS": "a crash in compiled code, or a full disk",
    "SIGABRT": "compiled code gave up",
    "SIGILL": "compiled code made for another processor",
    "SIGFPE": "an arithmetic error in compiled code",
    "SIGKILL": "by hand, or because memory ran out",
    "SIGTERM": "somebody asked it to end",
    "SIGXCPU": "the limit of processor time was reached",
    "SIGXFSZ": "the limit of file size was reached",
}
_CODES = {
    75: "Another process works with this session, see the messages",
    126: "The program of the session may not be executed",
    127: "The program of the session, or a library that it needs, was not found",
}
CUT_OFF = "The machine or the server stopped while it ran."
_TOO_FEW_FILES = "the limit on the number of open files is too low"
_SLOW = "a home directory on a file server that does not answer, or a login script that waits, is a usual reason"
_PROJECT_CODES = {
    201: "{path} is not a folder, so that no project can be opened there.",
    202: "There is no project file (.Rproj) in {path}.",
    203: "The project folder {path} is gone.",
    204: "The project folder {path} cannot be read.",
    205: "The project {path} could not be made: see the last messages.",
}
_KEPT_BESIDES = " The objects of the session are kept, and come back without the project too."
NO_PROJECT_FILE, PROJECT_GONE, _NOT_MADE = 202, 203, 205
_STARTS = {
    71: "The environment module of this R version could not be loaded",
    72: "The start script of this R version failed",
}
_REFUSALS = {
    "busy": "The server is starting too many sessions at the moment. Try again",
    "timeout": "The launcher did not answer in time",
    "refused": "The server's rules do not allow a session for this account",
    "pam": "PAM did not open a session for this account",
    "closed": "The server is being restarted",
}


def of_exit(
    code: int | None,
    signal_number: int | None,
    stderr_tail: str,
    *,
    answered: bool,
    project: str = "",
    memory: object = None,
    kept: str = "",
    has_stored: bool = False,
) -> Fate:
    """The fate of a process that ended; answered: it had been seen to work; project: folder of its project.

    memory: what the keeper tells of the kernel's reasons; kept: a sentence about the objects that come back.
    has_stored: an earlier process of the session has left objects.
    """
    said, rest = last_word.split(stderr_tail)
    tail, when = rest[-MAX_TAIL:], "" if answered else " before it was ready"
    if signal_number is not None:
        cause = f"{last_words.of_memory(memory) or _by_signal(signal_number, when)} {kept}".strip()
    elif project and not answered and code in _PROJECT_CODES:
        cause = _PROJECT_CODES[code].format(path=project) + (_KEPT_BESIDES if has_stored else "")
        # The process said the same; only of what could not be made it knows more.
        tail = tail if code == _NOT_MADE else ""
    else:
        cause = _by_code(code, tail, answered)
    return Fate(f"{cause} {said}".strip(), code, signal_number, tail)


def _by_code(code: int | None, tail: str, answered: bool) -> str:
    when = "" if answered else " before it was ready"
    if code == 0:
        return "R was quit." if answered else f"R ended{when}. A profile may have called quit()."
    if answered and was_quit(code, tail):
        return f"R was quit with status {code}."
    if code == SUSPENDED_CODE:
        return of_suspension().cause
    if code == RESTARTED_CODE:
        return "R is restarted."
    if code == KILLED_CODE:
        return "The session was killed."
    if code in _STARTS and not answered:
        return f"{_STARTS[code]}. Its last words are below; the administrator can help."
    if code in _CODES:
        return f"{_CODES[code]} (exit code {code})."
    return f"The session ended with exit code {code}{when}.{_hint(tail, answered)}"


def is_about_project(fate: Fate, project: str) -> bool:
    """The project in that folder could not be opened; R code may end with the same exit codes."""
    return fate.code in _PROJECT_CODES and fate.cause.startswith(_PROJECT_CODES[fate.code].format(path=project))


def was_quit(code: int | None, stderr_tail: str) -> bool:
    """Whether R ended because it was told to: with code 0, or with the word that a session leaves for other codes."""
    return code == 0 or stderr_tail.rstrip().endswith(f"R was quit with status {code}.")


def of_suspension() -> Fate:
    """The fate of a session that was suspended and whose end nobody saw."""
    return Fate("The session was suspended. Its objects are kept.", SUSPENDED_CODE)


def _hint(tail: str, answered: bool) -> str:
    if answered:
        return ""
    if _TOO_FEW_FILES in tail:
        return " R may open too few files: the administrator can raise max-open-files in profiles, or nofile of PAM."
    if tail.strip():
        return ""
    return " It wrote nothing: a login script such as ~/.bash_profile or ~/.profile may have ended it."


def of_refusal(code: str, message: str) -> Fate:
    """The fate of a session that was not started: the protocol's error code and message."""
    sentence = _REFUSALS.get(code, "The session could not be started")
    return Fate(f"{sentence}: {message[:500]}" if message else f"{sentence}.")


def of_silence(seconds: int) -> Fate:
    """The fate of a session that did not answer in time."""
    return Fate(f"The session did not answer within {seconds} seconds. It may still be starting: {_SLOW}.")


def of_wish(exit_fate: Fate | None = None, *, killed: bool = False) -> Fate:
    """The fate of a session that its user ended; exit_fate: of the process, when it had one."""
    how = "killed" if killed else "ended"
    return replace(exit_fate or Fate("", 0), cause=f"The session was {how} by its user.")


def was_told_to_end(fate: Fate) -> bool:
    """Somebody outside sent it SIGTERM, which R ends at in order."""
    return fate.signal == signal.SIGTERM or fate.code == _TERM_CODE


def of_term(fate: Fate, kept: str) -> Fate:
    """The fate of a session that ended at SIGTERM; kept: a sentence about the objects that come back."""
    return replace(fate, cause=f"The session was ended from outside: its process was sent SIGTERM. {kept}".strip())


def of_administrator(fate: Fate, kept: str) -> Fate:
    """The fate of a session that an administrator killed; kept as in of_term."""
    return replace(fate, cause=f"An administrator ended this session. {kept}".strip())


def of_blockers(reasons: Sequence[str]) -> Fate:
    """Why a session that was asked to suspend itself still runs, in its own words."""
    return Fate(" ".join(["The session was not suspended.", *reasons]))


def of_staying(seconds: float) -> Fate:
    """Why a session that was told to suspend itself still runs."""
    return Fate(f"The session was asked to suspend and did not within {seconds:g} seconds: something keeps it busy.")


def of_loss() -> Fate:
    """The fate of a session that is gone and left no word."""
    return Fate("The session is gone. How it ended is not known, the server was being restarted at that time.")


def of_unseen_end(stored: float | None) -> Fate:
    """The fate of a session whose keeper was gone before it ended; stored: as of a session."""
    return Fate(
        "The session is gone. How it ended is not known: the process that watches over it was gone before. "
        f"{_what_is_left(stored)}"
    )


def of_restart(stored: float | None) -> Fate:
    """The fate of a session that ran when the whole server ended, and does not any more; stored: as of a session."""
    return Fate(f"The server or the machine was restarted while it ran. {_what_is_left(stored)}")


def was_cut_off(status: Status) -> bool:
    """Whether it ran when the whole server ended: what suspended itself has an exit code."""
    return status.state is State.SUSPENDED and status.fate is not None and status.fate.code is None


def _what_is_left(stored: float | None) -> str:
    if stored is None:
        return "What was saved last comes back, if anything was."
    if stored == 0:
        return "As far as the server knows nothing had been saved of its objects yet."
    return "What was saved last comes back."


def _by_signal(number: int, when: str) -> str:
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = "unknown"
    why = _SIGNALS.get(name)
    return f"The session was ended{when} by signal {number} ({name})" + (f": {why}." if why else ".")
