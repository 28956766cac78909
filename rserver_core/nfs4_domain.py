"""How NFS servers that map ids to names call accounts and groups of this machine."""

_MAPPING = "/etc/idmapd.conf"
_MOST = 65536


def domain_of_machine(host: str, mapping: str = _MAPPING) -> str:
    """The domain that this machine's id mapping uses: as configured, or that of its host name."""
    try:
        with open(mapping, encoding="utf-8", errors="replace") as file:
            lines = file.read(_MOST).splitlines()
    except OSError:
        lines = []
    for line in lines:
        key, _, value = line.partition("=")
        if key.strip().lower() == "domain" and value.strip():
            return value.strip()
    return host.partition(".")[2] or "localdomain"


def spelled(name: str, domain: str) -> bytes:
    """name@domain; a name of a directory service that has a realm already stays as it is."""
    return (name if "@" in name else f"{name}@{domain}").encode()
