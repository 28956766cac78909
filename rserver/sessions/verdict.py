"""How the end of a process is to be taken. Pure but for the time of day."""

import time
from dataclasses import replace

from rserver.sessions import causes, last_words
from rserver.sessions.machine import Fate, Input
from rserver.sessions.session import Session
from rserver_core import last_word
from rserver_core.frame import Message


def verdict(session: Session, event: Message) -> tuple[Input, Fate]:
    """What an `exited` event means for the machine, and the fate that its user is told."""
    code, number, tail = event.get("code"), event.get("signal"), event.get("stderr_tail")
    if code is None and number is None:
        if event.get("by") and not session.end_asked:
            return Input.ENDED_FROM_OUTSIDE, causes.of_administrator(Fate(""), "")
        return unseen_end(session, Input.BAD_EXIT)
    kept = last_words.of_checkpoint(event.get("checkpoint"), time.time())
    answered, said = _was_ready(session, tail if isinstance(tail, str) else "")
    fate = causes.of_exit(
        code if isinstance(code, int) else None,
        number if isinstance(number, int) else None,
        said,
        answered=answered,
        project=session.project,
        memory=event.get("memory"),
        kept=kept,
        has_stored=bool(session.stored),
    )
    if session.withdrawn and causes.is_about_project(fate, session.project):
        fate = replace(fate, cause=f"{fate.cause} {session.withdrawn}")
    was_quit = number is None and causes.was_quit(fate.code, fate.stderr_tail)
    if code in {causes.SUSPENDED_CODE, causes.RESTARTED_CODE} and not was_quit:
        return Input.SUSPENDED_EXIT, fate
    if session.end_cause:
        return Input.ENDED_FROM_OUTSIDE, replace(fate, cause=session.end_cause)
    if session.end_asked:
        return Input.ENDED_BY_USER, causes.of_wish(fate, killed=session.end_asked == "KILL")
    if event.get("by"):
        return Input.ENDED_FROM_OUTSIDE, causes.of_administrator(fate, kept)
    if causes.was_told_to_end(fate) and not was_quit:
        return Input.ENDED_FROM_OUTSIDE, causes.of_term(fate, kept)
    is_clean = answered and (was_quit or code == causes.KILLED_CODE)
    return (Input.CLEAN_EXIT if is_clean else Input.BAD_EXIT), fate


def _was_ready(session: Session, tail: str) -> tuple[bool, str]:
    """Whether its user could do something in it, and what it wrote besides that."""
    word, rest = last_word.split(tail)
    return (False, rest) if word == last_word.NEVER_READY else (session.proven, tail)


def unseen_end(session: Session, happened: Input) -> tuple[Input, Fate]:
    """Nobody saw how its process ended; before that it may have said why it would."""
    if session.kept is not None and session.kept is session.status.record:
        return Input.SUSPENDED_EXIT, causes.of_suspension()
    if session.end_cause:
        return Input.ENDED_FROM_OUTSIDE, Fate(session.end_cause)
    if session.end_asked:
        return Input.ENDED_BY_USER, causes.of_wish(killed=session.end_asked == "KILL")
    return happened, causes.of_loss() if happened is Input.LOST else causes.of_unseen_end(session.stored)
