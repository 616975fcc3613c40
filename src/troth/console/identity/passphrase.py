"""What a passphrase must not be, beyond too short, too common or the owner's own address."""

from itertools import pairwise

from django.core.exceptions import ValidationError

MIN_DISTINCT = 6  # a word repeated or a key held down has fewer
MOST_IN_A_ROW = 0.6  # English prose has a tenth of its pairs in the rows
_ROWS = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")


def is_monotonous(passphrase: str) -> bool:
    """Whether it repeats a unit, has too few different characters, or walks along rows of keys."""
    text = passphrase.casefold()
    # A text repeats a unit exactly when its double holds it elsewhere than at the two ends.
    return (
        len(set(text)) < MIN_DISTINCT
        or text in (text + text)[1:-1]
        or _share_in_rows(text) > MOST_IN_A_ROW
    )


def _share_in_rows(text: str) -> float:
    """How many of its neighbouring pairs are neighbours in a row too, either way."""
    pairs = [a + b for a, b in pairwise(text)]
    known = [pair for pair in pairs if any(pair in row or pair[::-1] in row for row in _ROWS)]
    return len(known) / max(1, len(pairs))


class MonotonyValidator:
    """Django's way of asking `is_monotonous`."""

    def validate(self, password: str, user: object = None) -> None:
        """Raise ValidationError when it repeats itself."""
        del user
        if is_monotonous(password):
            raise ValidationError(self.get_help_text(), code="monotonous")

    def get_help_text(self) -> str:
        """What is asked for."""
        return (
            "Your passphrase must not repeat itself or follow a row of keys: some unrelated words "
            "are easy to keep."
        )
