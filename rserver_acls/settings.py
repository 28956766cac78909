"""The command line of rserver-acls, which the server fixes."""

import os
from typing import NamedTuple

from rserver_acls.refusal import BadRequest

_USAGE = "usage: rserver-acls [--state=DIR] [--account=NAME] [--minimum-uid=N] [--sharing-root=DIR] [--progress]"


class Settings(NamedTuple):
    """state: directory of what must be remembered. account: whom the walled-in part runs as."""

    state: str = "/var/lib/rstudio-server/acls"
    account: str = "rserver-acls"
    minimum_uid: int = 1000
    sharing_root: str = ""
    progress: bool = False


def parse(arguments: list[str]) -> Settings:
    """BadRequest when they are none of ours."""
    values: dict[str, str] = {}
    for argument in arguments:
        name, _, value = argument.partition("=")
        if name not in {"--state", "--account", "--minimum-uid", "--sharing-root", "--progress"} or name in values:
            raise BadRequest(_USAGE)
        values[name] = value
    uid = values.get("--minimum-uid", "1000")
    paths = [values[name] for name in ("--state", "--sharing-root") if values.get(name)]
    if not uid.isdecimal() or not all(map(os.path.isabs, paths)):
        raise BadRequest(_USAGE)
    plain = Settings()
    return Settings(
        values.get("--state", plain.state),
        values.get("--account", plain.account),
        int(uid),
        values.get("--sharing-root", ""),
        "--progress" in values,
    )
