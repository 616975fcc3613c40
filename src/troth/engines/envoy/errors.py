"""What can go wrong with Envoy."""

from troth.kernel.errors import Failure


class EnvoyError(Failure):
    """Envoy is missing, refuses a configuration, or does not answer."""
