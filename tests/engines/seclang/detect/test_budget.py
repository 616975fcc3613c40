import pytest
from harmless import ALL

from troth.engines.seclang.detect import budget


def test_what_is_decoded_in_part_only_is_said():
    assert budget.find(b"&lt;" * 50_000) == "exhausted"
    assert budget.find(b"[" + b",".join(b'"v %d"' % number for number in range(9999)) + b"]")


@pytest.mark.parametrize("value", ALL)
def test_what_people_write_is_read_whole(value):
    assert budget.find(value) is None
