"""What the master runs to have certificates read: no right, no network, one question on stdin, one answer on stdout.

Question: `{"certificates": [{"certificate", "key", "password"} …]}`, in base64, or `{"self_signed": [name …]}`.
Answer: `{"materials": [{"chain", "key", "names", "warnings"} or {"error"} …]}`, or `{"pem": text}`.
"""

import base64
import json
import sys
from typing import Any

if __package__ in {None, ""}:
    # Run as a file with -I -S, which leaves only the standard library on the path.
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rserver.worker_main import library_folders

_MOST_BYTES = 32 << 20


def main() -> int:
    """Answer one question."""
    sys.path.extend(library_folders())
    question = json.loads(sys.stdin.buffer.read(_MOST_BYTES))
    json.dump(_answer(question), sys.stdout)
    return 0


def _answer(question: dict[str, Any]) -> dict[str, Any]:
    if "self_signed" in question:
        from rserver.tls import self_signed

        return {"pem": self_signed.make(question["self_signed"]).decode("ascii")}
    return {"materials": [_material(files) for files in question["certificates"]]}


def _material(files: dict[str, str]) -> dict[str, Any]:
    from rserver.tls import material

    try:
        certificate, key, password = (base64.b64decode(files[name]) for name in ("certificate", "key", "password"))
        found = material.read(certificate, key, password)
    except material.BadMaterial as error:
        return {"error": str(error)}
    return {"chain": found.chain, "key": found.key, "names": found.names, "warnings": found.warnings}


if __name__ == "__main__":
    sys.exit(main())
