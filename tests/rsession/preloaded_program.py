"""Stands for rsession in its own suites: R is started as a template starts it and goes on from there as a session.

Without keeper and fork, which the system tests have. It is run by
`RSESSION_UNDER_TEST=tests/rsession/preloaded_program.py pytest tests/rsession`.
"""

import os
import sys
from typing import NoReturn

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def main() -> NoReturn:
    """Never back."""
    from rserver_core.launch_wire import LaunchSpec
    from rserver_process import signals
    from rserver_template import app
    from rserver_template.body import Body, replace_environment
    from rsession import _shim
    from rsession.launch import find_r

    class Standing(Body):
        """A body that is the session's from the beginning."""

        def stand(self) -> tuple[list[bytes], int, int]:
            signals.all_at_default()
            self.hold(app.descriptor_of(app.FORK_POINT))
            return self.become(LaunchSpec("0" * 21, "test", tuple(sys.argv[1:])), given)

        def give_up(self, reason: str) -> NoReturn:
            program = os.path.join(_ROOT, "rsession", "__main__.py")
            os.execve(sys.executable, [sys.executable, "-I", "-S", program, *sys.argv[1:]], given)

    given = dict(os.environ)
    installation = find_r()
    replace_environment(installation.environment() | {"LANG": "C.UTF-8", "HOME": "/", "R_ENVIRON_USER": ""})
    body = Standing(installation)
    body.load_modules()
    os.environ["R_PROFILE"] = app.FORK_POINT
    _shim.run_template(
        os.fsencode(installation.library), body.arguments, body.sources, body.stand, body.begin, body.give_up
    )


if __name__ == "__main__":
    sys.path[0] = _ROOT
    sys.path.append(
        f"{os.path.dirname(os.path.dirname(sys.executable))}/lib/python3.{sys.version_info.minor}/site-packages"
    )
    main()
