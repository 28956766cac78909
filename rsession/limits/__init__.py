"""What the machine allows this session: watching it, and telling the user before and when it is reached."""
