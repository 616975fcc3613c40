"""The room's one failure."""

from troth.kernel.errors import Failure


class LogError(Failure):
    """A log, proof, note or witness that is not what it must be. Nothing was overwritten."""
