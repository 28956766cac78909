"""What several processes share: tables, formats, identities. Pure: no Twisted, no I/O but reading a named file."""
