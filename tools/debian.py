"""Debian packages that the server and its tests need, and what for."""

import os
import subprocess
from collections.abc import Iterable

from tools.steps import SetUpError, command, say

RUN = {
    "r-base-core": "R, as a library in every session",
    "r-recommended": "the packages that every R has (MASS, lattice, survival …)",
    "build-essential": "compiles the session's C shim and pylibacl",
    "python3-dev": "headers for them",
    "python3-venv": "makes .venv",
    "libpam0g-dev": "PAM, for sign-in",
    "libpam-modules": "pam_unix, pam_limits, pam_mkhomedir",
    "libacl1-dev": "headers for pylibacl",
    "libxxhash0": "checksums of the objects of a suspended session",
    "liblz4-1": "their compression",
    "acl": "getfacl and setfacl",
    "fonts-dejavu-core": "letters in plots",
}
TEST = {
    "chromium": "the browser of the browser tests",
    "testssl.sh": "looks for weaknesses of HTTPS",
    "dnsutils": "needed by that",
    "bsdextrautils": "the same",
    "nginx-light": "a proxy in front",
    "apache2": "another, only started by tests",
    "haproxy": "the same",
    "caddy": "the same",
    "pamtester": "an independent PAM client to compare with",
    "bindfs": "a file system that can be made to hang",
    "user-mode-linux": "a guest kernel that has control groups of version 2",
    "libpam-wrapper": "PAM modules made for tests",
    "libfaketime": "a clock that runs fast, or jumps",
    "r-cran-later": "event loop packages that must run at the prompt",
    "r-cran-httpuv": "the same",
    "r-cran-shiny": "an app shown through the server",
    "r-cran-plumber": "an API shown through the server",
}
_ENVIRONMENT = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}


def ensure(names: Iterable[str]) -> None:
    """Install what is missing; without root say what to ask for and go on."""
    absent = missing(names)
    if not absent:
        return
    if os.geteuid() != 0:
        say(f"these Debian packages are missing, ask your administrator: apt-get install {' '.join(absent)}")
        return
    say(f"Debian packages: {' '.join(absent)} (some minutes)")
    command("apt-update", ["apt-get", "update", "-q"], env=_ENVIRONMENT)
    command("apt-install", ["apt-get", "install", "-qy", "--no-install-recommends", *absent], env=_ENVIRONMENT)
    still = missing(absent)
    if still:
        raise SetUpError(f"apt-get could not install {' '.join(still)}")


def missing(names: Iterable[str]) -> list[str]:
    """Those of names that are not installed; none where dpkg does not exist."""
    wanted = list(names)
    query = ["dpkg-query", "-W", "-f=${Package} ${db:Status-Status}\n", *wanted]
    try:
        answer = subprocess.run(
            query, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
    except FileNotFoundError:
        say(f"this is no Debian system; what it needs is there called {' '.join(wanted)}")
        return []
    installed = {line.split()[0] for line in answer.stdout.splitlines() if line.endswith(" installed")}
    return [name for name in wanted if name not in installed]
