"""Several workers: one has control of sessions and sign-in, the others only carry data."""
