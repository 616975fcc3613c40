"""Troth makes a security page true: it enforces each promise, proves it, publishes it.

The three verbs are the rooms: `enforce`, `prove`, `publish`. What they enforce, prove and publish
stands in `promises`, one folder an area; `catalogue.py` is the table of contents.
"""

__version__ = "0.1.0"
