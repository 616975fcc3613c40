"""The one root of errors that a person is meant to read."""


class Failure(Exception):  # noqa: N818 -- the house's word for what a person can mend
    """Something outside the code went wrong, and somebody can mend it.

    Each room has one subclass. Bugs stay built-in exceptions; expected outcomes are values.

    Args:
        what: what could not be done, as a sentence without a full stop.
        where: the file with line, path, address or name that it is about; empty when there is none.
        mend: what the reader can do about it; empty when nothing is known.
    """

    def __init__(self, what: str, *, where: str = "", mend: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.mend = mend

    def hint(self) -> str:
        """One line for a terminal: where, what, mend."""
        place = f"{self.where}: " if self.where else ""
        mend = f" ({self.mend})" if self.mend else ""
        return f"{place}{self.what}{mend}"

    def __str__(self) -> str:
        return self.hint()
