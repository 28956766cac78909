"""Every R that people may choose on this machine: what a scan found and what the administrator's records say."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rserver_core.r_installation import NoR, RInstallation, read_home, site_libraries
from rserver_core.r_scan import USUAL, UsualPlaces, find_installation, in_usual_places, on_path, version_key
from rserver_core.r_version import RVersion, joined_path
from rserver_core.r_versions_file import RRecord

_NOWHERE = UsualPlaces((), ())


@dataclass(frozen=True, slots=True)
class RSearch:
    """Where to look. which_r, scan and modules_bin are the options rsession-which-r, r-versions-scan and
    modules-bin-path; path is PATH.
    """

    which_r: str = ""
    path: str = ""
    scan: bool = True
    modules_bin: str = ""
    records: tuple[RRecord, ...] = ()
    places: UsualPlaces = USUAL


@dataclass(frozen=True, slots=True)
class RList:
    """versions: the default first, then the newest first. fault: why there is no default. warnings: sentences about
    records that cannot be used.
    """

    versions: tuple[RVersion, ...] = ()
    fault: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def default(self) -> RVersion:
        """The one to use when nobody wishes; NoR."""
        if self.fault or not self.versions:
            raise NoR(self.fault or "no R on the PATH and in the usual places")
        return self.versions[0]


def list_versions(sources: RSearch) -> RList:
    """Looks at the disk; blocks as long as that takes."""
    warnings: list[str] = []
    recorded = _recorded(sources, warnings)
    standard, fault = _standard(sources, recorded)
    listed = _without_twins([*recorded, *_scanned(sources, standard)])
    listed.sort(key=lambda version: version_key(version.version), reverse=True)
    if standard is not None:
        # What the administrator wrote about the default counts for it, too.
        first = next(version for version in listed if _is_same_home(version.home, standard.home))
        listed = [first, *(version for version in listed if version is not first)]
    return RList(tuple(listed), fault, tuple(warnings))


def _recorded(sources: RSearch, warnings: list[str]) -> list[RVersion]:
    versions = []
    for record in sources.records:
        try:
            versions.append(_of_record(record))
        except NoR as error:
            warnings.append(f"{record.place}: this R is not offered: {error}")
        warnings += [f"{record.place}: {sentence}" for sentence in _doubts(record, sources.modules_bin)]
    return versions


def _of_record(record: RRecord) -> RVersion:
    found = RVersion.of(read_home(record.path)) if record.path else RVersion("", "", record.module)
    return replace(
        found,
        label=record.label or found.label,
        module=record.module,
        script=record.script,
        repo=record.repo,
        library=_libraries(record.library, found.home),
    )


def _libraries(recorded: str, home: str) -> str:
    """Those of a record in front of its R's own, which are known where that has a home."""
    return joined_path(recorded, site_libraries(home)) if recorded and home else recorded


def _doubts(record: RRecord, modules_bin: str) -> list[str]:
    doubts = []
    if record.module and not modules_bin:
        doubts.append(f"the module {record.module} needs the command `module`: set modules-bin-path in rserver.conf")
    doubts += [
        f"{name}: there is no file {path}"
        for name, path in (("Script", record.script), ("Repo", record.repo))
        if path.startswith("/") and not os.path.isfile(path)
    ]
    return doubts


def _standard(sources: RSearch, recorded: Sequence[RVersion]) -> tuple[RInstallation | None, str]:
    """The default R and why there is none; neither when the newest of the list is it."""
    path = sources.path if sources.scan or not recorded else ""
    try:
        if not sources.which_r:
            first = next(on_path(path, []), None)
            if first is not None or recorded:
                return first, ""
        return find_installation(sources.which_r, path, sources.places if sources.scan else _NOWHERE), ""
    except NoR as error:
        return None, str(error)


def _scanned(sources: RSearch, standard: RInstallation | None) -> list[RVersion]:
    found = [standard] if standard is not None else []
    if sources.scan:
        found += [*on_path(sources.path, []), *in_usual_places(sources.places, [])]
    return [RVersion.of(installation) for installation in found]


def _without_twins(versions: Sequence[RVersion]) -> list[RVersion]:
    """Without a found R in a home of which a record speaks, and each home that was found once."""
    kept: list[RVersion] = []
    homes: set[str] = set()
    for version in versions:
        home = os.path.realpath(version.home) if version.home else ""
        is_described = bool(version.label or version.module or version.script or version.repo or version.library)
        if is_described or home not in homes:
            kept.append(version)
        homes.add(home)
    return kept


def _is_same_home(home: str, other: str) -> bool:
    return bool(home) and os.path.realpath(home) == os.path.realpath(other)
