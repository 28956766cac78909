"""The R versions of this server, as far as its process may know them.

Looked up anew in a thread whenever somebody asks, so an R that was installed a moment ago counts, and so does a change
of the administrator's file. What was found is remembered in a file: a disk that does not answer stops nobody.
"""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from twisted.logger import Logger

from rserver.clock import Clock, limit
from rserver.settings import WorkerSettings
from rserver.worker_threads import ThreadsBusy, WorkerThreads
from rserver_core import r_versions_file
from rserver_core.r_installation import NoR
from rserver_core.r_list import RList, RSearch, list_versions
from rserver_core.r_version import RVersion
from rserver_core.r_versions_file import RRecord

if TYPE_CHECKING:
    from rserver_core.config_errors import ConfigError

LIMIT_SECONDS = 10.0
FRESH_SECONDS = 2.0
_NO_ANSWER = "the disk that R lies on does not answer"
_MOST_BYTES = 1 << 20

_log = Logger()


class RInstallations:
    """Finds the R versions that the options of settings allow. Only the thread looks at the disk."""

    def __init__(
        self,
        clock: Clock,
        threads: WorkerThreads,
        settings: WorkerSettings,
        environ: Mapping[str, str] = os.environ,
        look: Callable[[RSearch], RList] = list_versions,
    ) -> None:
        self.settings = settings
        self._clock, self._threads, self._environ, self._look = clock, threads, environ, look
        self._lock = Lock()
        self._findings: list[ConfigError] = []
        self._last: RList | None = None
        self._cached: str | None = None
        self._stale_at = 0.0
        self._unanswered = False

    def reload(self, settings: WorkerSettings) -> None:
        """The options or the administrator's file may have changed. Sessions that run keep their R."""
        self.settings = settings
        self._stale_at = 0.0
        self._threads.run(self._listed).addErrback(_not_looked)

    async def listed(self) -> RList:
        """All of them; when the disk does not answer, those that were found last. NoR when there is nothing to tell."""
        if self._unanswered and self._last is not None:
            return self._last
        found = self._threads.run(self._listed)
        try:
            return await limit(found, LIMIT_SECONDS, self._clock, NoR(_NO_ANSWER))
        except (NoR, ThreadsBusy):
            self._unanswered = True
            if self._last is None:
                raise NoR(_NO_ANSWER) from None
            return self._last

    # In the thread

    def _listed(self) -> RList:
        with self._lock:
            if self._last is None:
                self._last = self._read_cache()
            now = self._clock.seconds()
            if self._last is None or now >= self._stale_at:
                self._refresh()
                self._stale_at = now + FRESH_SECONDS
            self._unanswered = False
            assert self._last is not None
            return self._last

    def _refresh(self) -> None:
        records, findings = r_versions_file.read(self._environ)
        if findings != self._findings:
            self._findings = findings
            for finding in findings:
                _log.error("{finding}; the R versions stay as they were", finding=str(finding))
        if self._last is None or not findings:
            self._take(self._look(self._sources(records)))

    def _sources(self, records: list[RRecord]) -> RSearch:
        settings = self.settings
        return RSearch(
            settings.rsession_which_r,
            self._environ.get("PATH", os.defpath),
            settings.r_versions_scan,
            settings.modules_bin_path,
            tuple(records),
        )

    def _take(self, found: RList) -> None:
        before, self._last = self._last, found
        if before is not None and before == found:
            return
        for warning in found.warnings:
            if before is None or warning not in before.warnings:
                _log.warn("{warning}", warning=warning)
        shown = ", ".join(f"{version.wish.title} ({version.home or 'by its module'})" for version in found.versions)
        _log.info("R versions: {shown}", shown=shown or found.fault or "none")
        self._write_cache(found)

    @property
    def _cache(self) -> Path:
        return Path(self.settings.r_versions_path or Path(self.settings.server_lib_dir, "db", "r-versions"))

    def _read_cache(self) -> RList | None:
        try:
            with self._cache.open(encoding="utf-8") as file:
                self._cached = file.read(_MOST_BYTES)
            value = json.loads(self._cached)
            versions = tuple(RVersion.from_json(item) for item in value["versions"])
            return RList(versions, str(value["fault"]), tuple(map(str, value["warnings"])))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, LookupError, TypeError) as error:
            _log.warn("{path} is not used: {error}", path=str(self._cache), error=str(error))
            return None

    def _write_cache(self, found: RList) -> None:
        versions = [version.to_json() for version in found.versions]
        text = json.dumps({"versions": versions, "fault": found.fault, "warnings": found.warnings}, indent=1)
        if text == self._cached:
            return
        aside = self._cache.with_name(self._cache.name + ".new")
        try:
            with aside.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            aside.rename(self._cache)
            self._cached = text
        except OSError as error:
            _log.warn("the R versions are not remembered: {error}", error=str(error))


def _not_looked(failure: object) -> None:
    _log.error("R versions were not looked up: {why}", why=str(getattr(failure, "value", failure)))
