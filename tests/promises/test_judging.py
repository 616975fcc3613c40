"""What all judges share: nothing that could not be seen is a pass."""

import pytest
from msgspec import Struct

from troth.kernel.model import Judgement, Verdict
from troth.promises.judging import Broken, Unseen, judging, shaped


class Seen(Struct, frozen=True):
    count: int


@judging
def counted(facts, limit):
    seen = shaped(facts, Seen)
    if not seen.count:
        raise Unseen("nothing was sent")
    if seen.count > limit:
        raise Broken(f"{seen.count} came through")
    return Judgement(Verdict.PASS, "as promised")


@pytest.mark.parametrize(
    ("facts", "verdict", "says"),
    [
        ({"count": 1}, Verdict.PASS, "as promised"),
        ({"count": 3}, Verdict.FAIL, "3 came through"),
        ({"count": 0}, Verdict.ERROR, "nothing was sent"),
        ({"count": "1"}, Verdict.ERROR, "the facts are not as the probe writes them"),
        ({}, Verdict.ERROR, "the facts are not as the probe writes them"),
    ],
)
def test_each_way_to_end(facts, verdict, says):
    assert counted(facts, 2) == Judgement(verdict, says)


def test_an_error_of_ours_is_not_swallowed():
    @judging
    def broken(_facts, _settings):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken({}, None)
