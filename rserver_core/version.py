"""Which version of the server this is. setup.cfg takes it from here."""

VERSION = "0.1.0"
