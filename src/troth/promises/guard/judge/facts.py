"""What the judges of this area share: how "could not look" becomes the verdict `error`."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from troth.kernel.model import Judgement, Verdict
from troth.promises.guard.settings import GuardSettings

Judge = Callable[[Mapping[str, Any], GuardSettings], Judgement]
Shape = TypeVar("Shape", bound=Struct)


class Unseen(Exception):  # noqa: N818 -- not an error of ours: the probe could not look
    """A positive control is missing: nothing can be said."""


def judging(judge: Judge) -> Judge:
    """Turn "could not look" into the verdict `error`."""

    @wraps(judge)
    def judged(facts: Mapping[str, Any], settings: GuardSettings) -> Judgement:
        try:
            return judge(facts, settings)
        except Unseen as unseen:
            return Judgement(Verdict.ERROR, str(unseen))

    return judged


def shaped(facts: Mapping[str, Any], shape: type[Shape]) -> Shape:
    """The facts as `shape`. Raises Unseen for anything else."""
    try:
        return msgspec.convert(dict(facts), shape, strict=True)
    except (msgspec.ValidationError, TypeError, ValueError) as error:
        raise Unseen("the facts are not as the probe writes them") from error
