"""The verb verify-installation: would the server work on this machine?"""
