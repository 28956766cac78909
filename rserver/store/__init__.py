"""What must survive a restart of the worker: sessions' metadata and revocations, in SQLite."""
