"""Values of objects: how R makes them, and how they are recognised."""

import random
from dataclasses import dataclass

NAMES = [f"v{number}" for number in range(8)]
_LENGTHS = (1, 10, 50_000, 400_000)

# Looks at every object of ours, and at what else belongs to the state.
ASK = (
    'cat("<S>", paste(c(vapply(ls(pattern = "^v[0-9]$"), function(n) { x <- get(n); if (is.list(x)) x <- x[[1]](); '
    'sprintf("%s=%d:%.0f:%.0f", n, length(x), x[[1]], sum(x)) }, ""), sprintf("opt=%s", getOption("chaos.n", "")), '
    'sprintf("env=%s", Sys.getenv("CHAOS_N")), sprintf("cwd=%s", basename(getwd()))), collapse = ";"), "<E>\\n", '
    'sep = "")'
)


@dataclass(frozen=True, slots=True)
class Value:
    """Numbers first + 1, first + 2, …; is_closure: in the environment of a function."""

    first: int
    length: int
    is_closure: bool

    @classmethod
    def draw(cls, source: random.Random) -> "Value":
        """A small or a large one."""
        return cls(source.randrange(10_000), source.choice(_LENGTHS), source.random() < 0.3)

    @property
    def code(self) -> str:
        """R code that makes it."""
        numbers = f"{self.first} + seq_len({self.length})"
        return f"local({{ v <- {numbers}; list(function() v, environment()) }})" if self.is_closure else numbers

    @property
    def digest(self) -> str:
        """As ASK shows it."""
        total = self.length * self.first + self.length * (self.length + 1) // 2
        return f"{self.length}:{self.first + 1}:{total}"


def read(output: str) -> dict[str, str] | None:
    """The state in what ASK wrote; None when it is not there whole."""
    _, begin, rest = output.rpartition("<S>")
    inside, end, _ = rest.partition("<E>")
    if not begin or not end:
        return None
    return dict(pair.split("=", 1) for pair in inside.split(";"))
