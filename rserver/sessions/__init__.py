"""Sessions as the server sees them: state machine, table, starter."""
