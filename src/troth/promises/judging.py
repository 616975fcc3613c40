"""What the judges of every area share: how "could not look" becomes the verdict `error`."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from troth.kernel.model import Judgement, Verdict

Settings = TypeVar("Settings", bound=Struct)
Judge = Callable[[Mapping[str, Any], Settings], Judgement]
Shape = TypeVar("Shape", bound=Struct)


class Unseen(Exception):  # noqa: N818 -- not an error of ours: the probe could not look
    """A positive control is missing: nothing can be said."""


class Broken(Exception):  # noqa: N818 -- a verdict
    """The promise is broken; the message says how."""


def judging(judge: Judge[Settings]) -> Judge[Settings]:
    """Turn Unseen into the verdict `error`, and Broken into `fail`; each keeps its message."""

    @wraps(judge)
    def judged(facts: Mapping[str, Any], settings: Settings) -> Judgement:
        try:
            return judge(facts, settings)
        except Unseen as unseen:
            return Judgement(Verdict.ERROR, str(unseen))
        except Broken as broken:
            return Judgement(Verdict.FAIL, str(broken))

    return judged


def shaped(facts: Mapping[str, Any], shape: type[Shape]) -> Shape:
    """The facts as `shape`. Raises Unseen for anything else."""
    try:
        return msgspec.convert(dict(facts), shape, strict=True)
    except (msgspec.ValidationError, TypeError, ValueError) as error:
        raise Unseen("the facts are not as the probe writes them") from error
