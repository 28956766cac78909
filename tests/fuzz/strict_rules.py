"""The rules that no head may break that is carried on, written a second time, with nothing of the reader's own ways."""


def breach(block: bytes) -> str | None:
    """The first rule that a complete request head breaks, None when it breaks none."""
    if not block.endswith(b"\r\n\r\n"):
        return "no empty line at the end"
    lines = block[:-4].split(b"\r\n")
    return _of_line_ends(lines) or _of_request_line(lines[0]) or _of_fields(lines[0], lines[1:])


def _of_line_ends(lines: list[bytes]) -> str | None:
    if any((byte < 0x20 and byte != 0x09) or byte == 0x7F for line in lines for byte in line):
        return "control byte or bare line end"
    return "empty line" if b"" in lines else None


def _of_request_line(line: bytes) -> str | None:
    words = line.split(b" ")
    if len(words) != 3 or not all(words) or b"\t" in line:
        return "not three words"
    method, target, version = words
    if version not in {b"HTTP/1.0", b"HTTP/1.1"}:
        return "version"
    if not target.startswith(b"/") or b"#" in target or any(byte > 0x7E for byte in target):
        return "target"
    return (
        "method" if method in {b"CONNECT", b"TRACE"} or any(byte in b'"(),/:;<=>?@[\\]{}' for byte in method) else None
    )


def _of_fields(first: bytes, lines: list[bytes]) -> str | None:
    if any(line[:1] in {b" ", b"\t"} for line in lines):
        return "folded line"
    pairs = [line.split(b":", 1) for line in lines]
    if any(len(pair) != 2 or not pair[0] or pair[0] != pair[0].strip() for pair in pairs):
        return "name of a field"
    named = [(name.lower(), value.strip(b" \t")) for name, value in pairs]
    lengths = [value for name, value in named if name == b"content-length"]
    codings = [value.lower() for name, value in named if name == b"transfer-encoding"]
    hosts = [value for name, value in named if name == b"host"]
    if len(lengths) + len(codings) > 1:
        return "more than one framing"
    if any(not length.isdigit() for length in lengths) or any(coding != b"chunked" for coding in codings):
        return "framing"
    if len(hosts) > 1 or (b"HTTP/1.1" in first and hosts in ([], [b""])):
        return "Host"
    return "coding in HTTP/1.0" if codings and first.endswith(b"HTTP/1.0") else None
