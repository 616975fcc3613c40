"""What counters may fail with."""

from troth.kernel.errors import Failure


class CountersError(Failure):
    """Counters that could not be asked; whether something was taken is then not known."""
