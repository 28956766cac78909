"""What can be wrong in front of the server."""

from collections.abc import Mapping
from dataclasses import dataclass

PROXIES = ("nginx", "apache", "haproxy", "traefik")


def printable(text: str) -> str:
    """What others sent, fit for a terminal and short."""
    return "".join(character if character.isprintable() else "?" for character in text[:600])


@dataclass(frozen=True, slots=True)
class Fault:
    """A row of the table: what is wrong, what people notice, and for each proxy the line to change.

    grave: something does not work or is not safe; otherwise it could be better. everywhere: the mend that is not one of
    a proxy. lines: by name of PROXIES.
    """

    code: str
    cause: str
    effect: str
    lines: Mapping[str, str]
    everywhere: str = ""
    grave: bool = True


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault that was found, and what was seen of it."""

    fault: Fault
    evidence: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "evidence", printable(self.evidence))

    def data(self) -> dict[str, object]:
        """For programs."""
        fault = self.fault
        return {
            "code": fault.code,
            "grave": fault.grave,
            "cause": fault.cause,
            "effect": fault.effect,
            "evidence": self.evidence,
            "mend": {"everywhere": fault.everywhere, **fault.lines} if fault.everywhere else dict(fault.lines),
        }

    def text(self) -> str:
        """For people."""
        fault = self.fault
        rows = [f"{'WRONG' if fault.grave else 'note':6} {fault.cause} ({fault.code})", f"       {fault.effect}"]
        rows.append(f"       seen: {self.evidence}")
        if fault.everywhere:
            rows.append(f"       mend: {fault.everywhere}")
        rows += [f"       {name}: {line}" for name, line in fault.lines.items()]
        return "\n".join(rows)
