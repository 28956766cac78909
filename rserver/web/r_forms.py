"""The parts of /home about R versions: which one a session runs, and forms to choose. Nothing to choose, no forms."""

from collections.abc import Iterable
from html import escape

from rserver.sessions.r_chooser import Offer
from rserver.sessions.session import Session
from rserver.web.templates import Html, Templates
from rserver_core.r_version import BadWish, RVersion, RWish, titles


def of_new_session(offer: Offer | None) -> Html:
    """The field of the form for a new session."""
    if offer is None or len(offer.versions) < 2:
        return Html("")
    return _field("R version", _options(offer, "", f"Default: {_title(offer, offer.default)}"))


def of_default(offer: Offer | None, templates: Templates, token: str, base: str) -> Html:
    """The form for one's own default."""
    if offer is None or len(offer.versions) < 2:
        return Html("")
    field = _field("R version of new sessions", _options(offer, offer.own, "The server's default"))
    return templates.part("home_r_default", csrf_token=token, base=base, field=field)


def of_session(session: Session, offer: Offer | None, templates: Templates, token: str, base: str) -> Html:
    """The form that changes the R of a session from its next start on."""
    if offer is None or len(offer.versions) < 2:
        return Html("")
    field = _field("R version from the next start on", _options(offer, session.r_wish, "Default"))
    return templates.part("home_r_change", id=session.id, title=session.title, csrf_token=token, base=base, field=field)


def of_failed(session: Session, offer: Offer | None) -> Html:
    """The field of the form that starts a session again."""
    if offer is None or len(offer.versions) < 2:
        return Html("")
    return _field("R version", _options(offer, session.r_wish, "Default"))


def description(session: Session) -> str:
    """What it runs, and what it will run."""
    runs = RWish(session.r_version, label=_wish(session.r_key).label).title.removeprefix("R ")
    wanted = _wish(session.r_wish)
    shown = runs if session.r_version else "not chosen yet"
    if wanted.version and session.r_key and session.r_wish != session.r_key and not session.r_note:
        return f"{shown}; from the next start {wanted.title.removeprefix('R ')}"
    return shown


def note(session: Session) -> Html:
    """Why it is not the wanted one."""
    return Html(f'<p class="cause">{escape(session.r_note)}</p>' if session.r_note else "")


def _wish(text: str) -> RWish:
    try:
        return RWish.parse(text)
    except BadWish:
        return RWish()


def _title(offer: Offer, version: RVersion) -> str:
    return titles(offer.versions).get(version, version.wish.title)


def _options(offer: Offer, chosen: str, first: str) -> Iterable[tuple[str, str, bool]]:
    yield "", first, not chosen
    for version, title in titles(offer.versions).items():
        yield str(version.wish), title, str(version.wish) == chosen


def _field(words: str, options: Iterable[tuple[str, str, bool]]) -> Html:
    shown = "".join(
        f'<option value="{escape(value)}"{" selected" if is_chosen else ""}>{escape(title)}</option>'
        for value, title, is_chosen in options
    )
    return Html(f'<label class="field"><span>{escape(words)}</span><select name="r_version">{shown}</select></label>')
