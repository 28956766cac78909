"""What the master is made of; standard library only, nothing here parses a byte from the network."""
