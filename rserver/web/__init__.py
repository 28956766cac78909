"""The web door: what the worker answers to browsers itself."""
