"""Where the nginx lies that `server-http=1` runs."""

import os
import shutil

_FOLDERS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class NginxMissing(Exception):
    """There is none that can be used; the text is a sentence for the administrator."""


def nginx_path(named: str) -> str:
    """The program named by server-http-nginx, or the first one in the usual folders; NginxMissing."""
    path = named or shutil.which("nginx", path=_FOLDERS)
    if path is None:
        raise NginxMissing(
            "server-http=1 needs nginx, and there is none: install it (apt-get install nginx-light), name it with "
            "server-http-nginx, or set server-http=0"
        )
    if not os.path.isfile(path) or not os.access(path, os.X_OK):
        raise NginxMissing(f"server-http-nginx: {path} cannot be run: there is no such program")
    return path
