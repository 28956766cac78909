"""What this machine cannot test is skipped, with the reason."""

import os
import shutil

import pytest

_MISSING = {
    "root": None if os.geteuid() == 0 else "needs root (real accounts, PAM, privilege changes)",
    "r": None if shutil.which("R") else "needs R (Debian: r-base-core)",
    "browser": None if shutil.which("chromium") else "needs Chromium (Debian: chromium)",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip by marker."""
    for item in items:
        for name, reason in _MISSING.items():
            if reason and item.get_closest_marker(name):
                item.add_marker(pytest.mark.skip(reason=reason))
