"""Start of rserver-acls, as a console script or as `python3 -I -S <this file>`, which starts sooner."""

import os
import sys


def main() -> int:
    """The exit code of one request."""
    if not __package__:
        sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        # Without site the libraries beside this interpreter are unknown; pylibacl is one of them.
        version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        sys.path.append(os.path.join(os.path.dirname(os.path.dirname(sys.executable)), "lib", version, "site-packages"))
    from rserver_acls.app import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # Taking the interpreter down in order would cost another millisecond.
    os._exit(code)
