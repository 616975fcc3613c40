"""What can go wrong with transparency."""

from troth.kernel.errors import Failure


class TransparencyError(Failure):
    """A log list, a certificate or a search's answer that cannot be used."""
