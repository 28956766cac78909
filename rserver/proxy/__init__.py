"""The data plane: from the bytes of a client to the socket of a session and back."""
