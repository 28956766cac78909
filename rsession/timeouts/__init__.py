"""When a session that nobody uses suspends, quits or kills itself, and who is told before."""
