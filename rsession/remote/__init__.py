"""What programs use of a session: code with its output, objects, files. The remote-execution door leads here."""
