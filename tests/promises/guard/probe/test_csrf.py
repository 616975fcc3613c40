"""What a replay of a form post is made of."""

import pytest

from troth.promises.guard.probe.csrf import _altered, _filled
from troth.promises.guard.rules import paths


@pytest.mark.parametrize("pattern", ["/pay", "/admin/*", "/orders/{id}/cancel", "/"])
def test_a_declared_path_is_filled_in_so_that_it_is_like_its_pattern(pattern):
    filled = _filled(pattern)

    assert paths.pattern(pattern).match(paths.spelled(filled.encode())) is not None
    assert not set(filled) & set("{}*")


@pytest.mark.parametrize("token", ["1a2b.c.d", "68ff.c.d"])
def test_an_altered_token_is_another_one_of_the_same_length(token):
    assert _altered(token) != token
    assert len(_altered(token)) == len(token)
