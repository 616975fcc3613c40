"""Values whose decoding met a bound: what lies behind it was not read, so that nobody can vouch.

This is the stated limit of all detectors, as an operator of its own: a value that needs more forms,
bytes or escapes than `layers` grants is refused as such, not passed unread (it fails closed).
"""

from troth.engines.seclang.detect import layers


def find(value: bytes) -> str | None:
    """Says `exhausted` where `layers.unfold` did not read all of a value's forms."""
    return "exhausted" if layers.unfold(value).is_exhausted else None
