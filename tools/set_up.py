"""The set-up: everything that `make run`, `make test` and `make check` need, done once."""

import os
from collections.abc import Sequence

from tools import accounts, debian, pam_profiles, python_env, web_bundle
from tools.steps import only_one


def for_run() -> None:
    """What the server needs."""
    _all(debian.RUN, ())


def for_test() -> None:
    """What tests and checks need besides."""
    _all({**debian.RUN, **debian.TEST}, ("test", "check"))


def for_check() -> None:
    """What the checks need besides; no browser and no built page."""
    _all(debian.RUN, ("test", "check"), build=False)


def _all(packages: dict[str, str], extras: Sequence[str], *, build: bool = True) -> None:
    os.umask(0o022)
    with only_one():
        debian.ensure(packages)
        for step in python_env.steps(*extras):
            step.run()
        for step in web_bundle.steps(build=build):
            step.run()
        if os.geteuid() == 0:
            accounts.ensure_service_accounts()
            pam_profiles.ensure()
