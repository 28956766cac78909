"""TLS: certificates are read and checked in a process of their own, the worker only serves with them."""
