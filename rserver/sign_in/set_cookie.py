"""Set-Cookie headers. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CookieStyle:
    """What our cookies have in common. same_site: none, lax, strict; empty is lax."""

    same_site: str = ""
    force_secure: bool = False

    def set(
        self, name: str, value: str, *, secure: bool, root_path: str, script: bool = False, max_age: int | None = None
    ) -> str:
        """The header that sets a cookie for what lies below root_path, which is "" or "/prefix".

        script: may be read by it; max_age in seconds, None ends with the browser.
        """
        secure = secure or self.force_secure
        parts = [f"{name}={value}", f"Path={root_path}/", f"SameSite={self._site(secure)}"]
        parts += [] if max_age is None else [f"Max-Age={max_age}"]
        parts += [] if script else ["HttpOnly"]
        parts += ["Secure"] if secure else []
        return "; ".join(parts)

    def clear(self, name: str, *, secure: bool, root_path: str) -> str:
        """The header that makes the browser forget a cookie."""
        return self.set(name, "", secure=secure, root_path=root_path, max_age=0)

    def _site(self, secure: bool) -> str:
        match self.same_site.lower():
            case "strict":
                return "Strict"
            case "none" if secure:
                return "None"
        # Also for none without Secure: browsers would drop such a cookie.
        return "Lax"
