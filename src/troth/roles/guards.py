"""How many guards there are, and which of them decide."""

from troth.adapters.config import ConfigError
from troth.catalogue import Settings


def active(settings: Settings) -> int:
    """How many guards decide.

    Raises ConfigError for several that would each admit the whole limit, and for counters that are
    shared without a key.
    """
    if settings.guard.active > 1 and not settings.counters.url:
        raise ConfigError(
            f"{settings.guard.active} guards would each admit the whole limit",
            where="[guard] active",
            mend='say [counters] url = "file:/path" (a file with redis://...), or active = 1',
        )
    if settings.counters.url and not settings.counters.key:
        raise ConfigError(
            "what is shared has no key, so the server would be told names",
            where="[counters] key",
            mend='say key = "file:/path": 32 random characters or more, the same for all guards',
        )
    return settings.guard.active


def guards(settings: Settings) -> tuple[str, ...]:
    """Their names: those that decide, or the one that does and its standby."""
    return tuple(f"guard-{index}" for index in range(max(active(settings), 2)))
