"""The door of programs: bearer tokens, sessions that run code, their objects and files, as a REST interface."""
