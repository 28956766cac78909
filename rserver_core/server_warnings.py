"""What the server can do without, and its administrator should know all the same."""

import os
from collections.abc import Mapping

from rserver_core import r_versions_file
from rserver_core.options.rserver import RserverSettings
from rserver_core.r_list import RSearch, list_versions


def warnings(settings: RserverSettings, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Sentences, such as about an R that cannot be used. The files are good."""
    sources = RSearch(
        settings.rsession_which_r,
        environ.get("PATH", os.defpath),
        settings.r_versions_scan,
        settings.modules_bin_path,
        tuple(r_versions_file.read(environ)[0]),
    )
    listed = list_versions(sources)
    return (f"there is no default R: {listed.fault}", *listed.warnings) if listed.fault else listed.warnings
