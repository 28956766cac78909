"""Looks at the server from outside, through whatever reverse proxies are in front, and names what they do wrong."""
