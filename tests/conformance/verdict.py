"""Which differences are explained, which are not, and which explanations nothing needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.conformance.compare import Difference
from tests.conformance.known_differences import KNOWN, Known
from tests.conformance.run import Outcome


@dataclass(frozen=True, slots=True)
class Verdict:
    """Differences by the explanation that covers them, and those that none covers."""

    explained: Mapping[Known, tuple[Difference, ...]]
    unexplained: tuple[Difference, ...]

    @property
    def needless(self) -> tuple[Known, ...]:
        """Explanations of what no longer differs, but for those that need not differ in every run."""
        return tuple(known for known in KNOWN if known.always and known not in self.explained)


def judge(outcomes: Sequence[Outcome]) -> Verdict:
    """Match every difference with the first explanation that covers it."""
    explained: dict[Known, tuple[Difference, ...]] = {}
    unexplained: list[Difference] = []
    for difference in (difference for outcome in outcomes for difference in outcome.differences):
        known = next((known for known in KNOWN if known.covers(difference)), None)
        if known is None:
            unexplained.append(difference)
        else:
            explained[known] = (*explained.get(known, ()), difference)
    return Verdict(explained, tuple(unexplained))
