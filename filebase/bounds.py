"""What one member may send, keep and ask for. Every figure bounds something that a hostile member could grow."""

MESSAGE = 16 << 20
"""Bytes of one message: the whole state of the largest document, as a page brings it to a new host."""
TEXT = 5 << 20
"""Bytes of the text in UTF-8, as the editor itself takes them."""
STATE = 32 << 20
"""Bytes of the text with its history."""
AWARENESS = 4 << 10
CONTROL = 1 << 10
CLIENTS_PER_MEMBER = 16
"""Client numbers, one for each time that a page was loaded."""
MEMBERS = 64
BACKLOG = 32 << 20
"""Bytes that wait for a member who does not read."""
MESSAGES_PER_SECOND = 200.0
MESSAGE_BURST = 1000.0
BYTES_PER_SECOND = float(2 << 20)
BYTE_BURST = float(2 * MESSAGE)
