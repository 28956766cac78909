"""Which R of the list comes closest to a wish, and what is said when it is not the one that was wanted. Pure."""

from collections.abc import Callable, Sequence

from rserver_core.r_scan import version_key
from rserver_core.r_version import RVersion, RWish

Test = Callable[[RVersion], bool]


def choose(wish: RWish, versions: Sequence[RVersion]) -> RVersion | None:
    """The first that there is of: exactly this one; this version in this home; this version; the newest of the same
    major.minor; the next higher; the newest.

    None when the list is empty, or the wish has no version and nothing has that label or home.
    """
    for fits in _tests(wish):
        for version in versions:
            if fits(version):
                return version
    return _nearest(version_key(wish.version), [version for version in versions if version.version and wish.version])


def _tests(wish: RWish) -> tuple[Test, ...]:
    def same_version(version: RVersion) -> bool:
        return bool(wish.version) and version.version == wish.version

    return (
        lambda version: version.wish == wish,
        lambda version: same_version(version) and version.home == wish.home,
        lambda version: same_version(version) and (not wish.label or version.label == wish.label),
        same_version,
        lambda version: not wish.version and bool(wish.label) and version.label == wish.label,
        lambda version: not wish.version and not wish.label and _is_in(version.home, wish.home),
    )


def _is_in(home: str, wanted: str) -> bool:
    """Also where wanted is the prefix that an R was installed to."""
    return home in {wanted, f"{wanted}/lib/R", f"{wanted}/lib64/R"}


def _nearest(wanted: tuple[int, ...], versions: list[RVersion]) -> RVersion | None:
    """Of several R of one version the first."""
    same = [version for version in versions if _key(version)[:2] == wanted[:2]]
    higher = [version for version in versions if _key(version) > wanted]
    if same or not higher:
        return max(same or versions, key=_key, default=None)
    return min(higher, key=_key)


def _key(version: RVersion) -> tuple[int, ...]:
    return version_key(version.version)


def is_met(wish: RWish, version: RVersion) -> bool:
    """Whether whoever wished so got it: a version such as 4.2 is met by every 4.2.x."""
    if not wish.version:
        return any(fits(version) for fits in _tests(wish))
    if wish.label and wish.label != version.label:
        return False
    wanted = version_key(wish.version)
    return version_key(version.version)[: max(len(wanted), 2)] == wanted


def sentence(whose: str, wish: RWish, version: RVersion) -> str:
    """What its user reads; empty when the wish is met. whose: such as `This session wants`."""
    if is_met(wish, version):
        return ""
    return f"{whose} {wish.title}, which is not on this server; this session runs {version.wish.title} instead."
