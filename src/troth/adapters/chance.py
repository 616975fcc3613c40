"""The only dice. Everything else takes `rng` as an argument."""

import random
import secrets

Dice = random.Random  # the type of `rng`


def system() -> random.Random:
    """The system's own randomness, fit for keys, salts and tokens."""
    return secrets.SystemRandom()


def seeded(seed: int) -> random.Random:
    """Repeatable dice, for sampling by seed only; never for anything secret."""
    return random.Random(seed)  # noqa: S311 -- repeatability is the purpose
