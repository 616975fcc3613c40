"""Where a value holds no byte that a transformation is touched by, it comes out as it went in."""

import random

import pytest
from tests.engines.seclang.scan.values import values

from troth.engines.seclang.scan.touch import BY_ENDING, ENDING, SAME, TOUCHED
from troth.engines.seclang.transform import FUNCTIONS


@pytest.mark.parametrize("name", sorted(TOUCHED))
def test_untouched_values_stay(name: str):
    dice = random.Random(name)
    others = bytes(byte for byte in range(256) if byte not in TOUCHED[name])
    function = FUNCTIONS[name]
    made = [value.translate(None, TOUCHED[name]) for value in values(400, 3)]
    made += [bytes(dice.choices(others, k=dice.randint(0, 30))) for _ in range(400)]

    for value in made:
        if name not in BY_ENDING or not value.endswith(ENDING):
            assert function(value) == value


@pytest.mark.parametrize(("name", "other"), SAME.items())
def test_two_names_are_one_thing(name: str, other: str):
    assert all(FUNCTIONS[name](value) == FUNCTIONS[other](value) for value in values(200, 5))
