"""How many guards there are, and which of them decide."""

from troth.adapters.config import ConfigError
from troth.catalogue import Settings


def active(settings: Settings) -> int:
    """How many guards decide.

    Raises ConfigError for several that would each admit the whole limit.
    """
    if settings.guard.active > 1 and not settings.counters.url:
        raise ConfigError(
            f"{settings.guard.active} guards would each admit the whole limit",
            where="[guard] active",
            mend='say [counters] url = "file:/path" (a file with redis://...), or active = 1',
        )
    return settings.guard.active


def guards(settings: Settings) -> tuple[str, ...]:
    """Their names: those that decide, or the one that does and its standby."""
    return tuple(f"guard-{index}" for index in range(max(active(settings), 2)))
