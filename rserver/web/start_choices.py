"""The ways in which a session can be started again, for its failure page and for the list of sessions. Pure."""

from rserver.sessions.machine import State
from rserver.sessions.session import Session, StartChoices
from rserver.web.templates import Html

HOW = {
    "retry": StartChoices(),
    "no-restore": StartChoices(restore=False),
    "no-profile": StartChoices(run_rprofile=False),
    "empty": StartChoices(run_rprofile=False, restore=False),
}
ENOUGH_FAILURES = 2
"""After so many quick failures in a row another way to start is proposed."""

_WORDS = {
    "no-restore": "Without restoring objects",
    "no-profile": "Without .Rprofile",
    "empty": "Empty: without both",
}


def proposed_first(session: Session) -> list[str]:
    """Names of HOW; the first is the proposal."""
    names = list(HOW)
    if session.quick_failures >= ENOUGH_FAILURES:
        names.sort(key=lambda name: name != ("empty" if session.stored == 0 else "no-restore"))
    return names


def words_of(name: str, session: Session) -> str:
    """What a button says."""
    again = "Start a new R session" if session.state is State.ENDED else "Start R again"
    return _WORDS.get(name, again)


def buttons(session: Session) -> Html:
    """Of a form that is sent with `how`."""
    first, *others = (
        f'name="how" value="{name}" type="submit">{words_of(name, session)}</button>\n'
        for name in proposed_first(session)
    )
    return Html(f'<button class="primary" {first}' + "".join(f"<button {other}" for other in others))


def advice(session: Session) -> str:
    """What to tell besides; empty unless it failed again and again."""
    if session.quick_failures < ENOUGH_FAILURES:
        return ""
    times = f"R failed {session.quick_failures} times in a row soon after its start."
    if session.stored == 0:
        return f"{times} .Rprofile or .RData may be the reason: start it empty."
    return (
        f"{times} What is restored may be the reason: start without restoring first. "
        "The objects are set aside then, not deleted."
    )
