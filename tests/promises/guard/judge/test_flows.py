"""Judge of abused flows."""

import pytest

from troth.kernel.model import Verdict
from troth.promises.guard.judge.flows import BUDGETS, SLUG, stopped
from troth.promises.guard.settings import GuardSettings
from troth.promises.guard.settings.flows import Flow

PASS, FAIL, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.ERROR
SETTINGS = GuardSettings(flows=(Flow(name="hold", kind="count", path="/hold"),))
NO = [429, SLUG]


def abused(name, served=None, status=200):
    return [[status, ""]] * (BUDGETS[name] if served is None else served) + [NO] * 3


FACTS = {
    "is_elsewhere": False, "flows": ["hold"], "scraping": abused("scraping"),
    "enumeration": abused("enumeration", status=404), "skipping": [[403, SLUG]],
    "hoarding": abused("hoarding"), "visit": [[200, ""]] * 9,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, PASS),
        ({"scraping": [[200, ""]] * 20}, FAIL),
        ({"hoarding": abused("hoarding", BUDGETS["hoarding"] + 1)}, FAIL),
        ({"hoarding": abused("hoarding", BUDGETS["hoarding"] - 1)}, FAIL),
        ({"enumeration": []}, FAIL),
        ({"skipping": [[200, ""]]}, FAIL),
        ({"visit": [[200, ""], NO]}, FAIL),
        ({"visit": []}, ERROR),
        ({"visit": [[200, ""], [503, ""]]}, ERROR),
        ({"scraping": [[403, "auto-response"]] * 9}, ERROR),
        ({"scraping": None}, ERROR),
        ({"is_elsewhere": True}, ERROR),
    ],
)
def test_abuse_is_stopped_and_a_visit_is_not(changes, verdict):
    assert stopped(FACTS | changes, SETTINGS).verdict is verdict


def test_where_no_flow_is_declared_nothing_is_known():
    assert stopped(FACTS, GuardSettings()).verdict is ERROR
