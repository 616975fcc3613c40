"""What the guard alone knows: the keys of its tokens, and one that dies with the process."""

from dataclasses import dataclass, field

from troth.promises.guard.rules import tokens

PASSWORD_BYTES = 3  # too little to tell which password it was, enough to see the same one again


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """The keys that checks are given.

    Args:
        ring: outlives the process; seals cookies and tokens. Empty where nobody gave one: then no
            device is known and no token is made.
        passing: of this process alone; under it passwords are named in memory.
    """

    ring: tokens.Keyring = field(default_factory=tokens.Keyring)
    passing: tokens.Key = field(default_factory=lambda: tokens.Key("passing", b""))

    def account(self, name: str) -> str:
        """The key under which an account's failures are counted; empty for nobody."""
        return tokens.tag(self.passing, "account", name) if name else ""

    def password(self, word: str) -> str:
        """A short name for a password; empty for none."""
        return tokens.tag(self.passing, "password", word, PASSWORD_BYTES) if word else ""
