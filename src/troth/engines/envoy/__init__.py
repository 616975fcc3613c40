"""Envoy as a library: its binary, its resources as JSON, its admin door. Knows no promise.

`resources` is pure and reaches no adapter; `binary`, `admin`, `push` and `server` touch the world.
"""
