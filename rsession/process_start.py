"""When a process began, which tells it from a later one that has its number."""


def start_of(pid: int) -> int | None:
    """Clock ticks from boot to its start; None when it has ended, or cannot be seen."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])
