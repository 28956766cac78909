"""How long a sign-in lasts and when it is renewed. Pure."""

from dataclasses import dataclass

from rserver.sign_in.cookies import Ticket

RENEW_AFTER_SECONDS = 30
_DAY = 86400


@dataclass(frozen=True, slots=True)
class CookieLife:
    """The two options that decide: minutes of idle life (0: fixed life), days for those who asked to stay."""

    timeout_minutes: int = 60
    stay_days: int = 30

    def seconds(self, stay: bool) -> int:
        """Life of a cookie made now. Without idle life all last as long; only those that stay outlive the browser."""
        return self.timeout_minutes * 60 if self.timeout_minutes and not stay else self.stay_days * _DAY

    def new(self, user: str, uid: int, issued: int, stay: bool) -> Ticket:
        """A ticket from a moment in microseconds since 1970."""
        return Ticket(user, uid, issued, issued // 1_000_000 + self.seconds(stay), stay)

    def needs_renewal(self, ticket: Ticket, now: float) -> bool:
        """True when a foreground request at now (seconds) should get a fresh cookie."""
        slides = self.timeout_minutes > 0 and not ticket.stay
        return slides and now - ticket.issued / 1e6 >= RENEW_AFTER_SECONDS

    def max_age(self, ticket: Ticket) -> int | None:
        """Max-Age of the cookie in seconds; None when it ends with the browser."""
        return self.seconds(True) if ticket.stay else None
