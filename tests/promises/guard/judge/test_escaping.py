"""Judge of how pages show what they were told."""

import pytest

from troth.kernel.model import Verdict
from troth.promises.guard.judge.escaping import escaped
from troth.promises.guard.settings import GuardSettings
from troth.promises.guard.settings.escaping import Escaping

PASS, FAIL, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.ERROR
SETTINGS = GuardSettings(escaping=Escaping(reflected=("/search?q={plant}",)))
FACTS = {
    "forms": 1, "pages": 2, "shown": 3, "raw": [], "refused": 0, "missed": 0, "undone": True,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, PASS),
        ({"raw": ["page"]}, FAIL),
        ({"raw": ["query"], "refused": 1, "undone": False}, FAIL),
        ({"shown": 0}, ERROR),
        ({"refused": 1}, ERROR),
        ({"missed": 1}, ERROR),
        ({"undone": False}, ERROR),
        ({"raw": None}, ERROR),
    ],
)
def test_it_comes_back_as_text_alone(changes, verdict):
    assert escaped(FACTS | changes, SETTINGS).verdict is verdict


def test_where_nothing_is_named_nothing_is_known():
    assert escaped(FACTS, GuardSettings()).verdict is ERROR
