"""One spelling for every path, and the patterns it is compared with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.promises.guard.rules.paths import MAX_SEGMENTS, pattern, spelled


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (b"/", "/"),
        (b"", "/"),
        (b"*", "/*"),
        (b"/Login?x=/y", "/login"),
        (b"/a/./b//c/", "/a/b/c"),
        (b"/a/../b", "/b"),
        (b"/../../b", "/b"),
        (b"/%61", "/a"),
        (b"/%2561", "/a"),
        (b"/%252561", "/a"),
        (b"/a%2fb", "/a/b"),
        (b"/a\\b", "/a/b"),
        (b"/a;v=1/b;", "/a/b"),
        (b"/a#x", "/a"),
        (b"/%ff", "/\ufffd"),
        ("/\u00c4".encode(), "/\u00e4"),
        (b"/100%", "/100%"),
    ],
)
def test_one_spelling(target, expected):
    assert spelled(target) == expected


@given(st.binary(max_size=60))
def test_a_spelling_is_a_plain_path(target):
    path = spelled(target)

    assert path.startswith("/")
    assert "//" not in path
    assert not {".", ".."} & set(path.split("/"))


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("/", "/", {}),
        ("/a", "/a", {}),
        ("/A/", "/a", {}),
        ("/a", "/a/b", None),
        ("/a", "/b", None),
        ("/u/{Id}/x", "/u/7/x", {"id": "7"}),
        ("/u/{id}/x", "/u/7/y", None),
        ("/u/{id}", "/u", None),
        ("/a/*", "/a", {}),
        ("/a/*", "/a/b/c", {}),
        ("/a/*", "/ab", None),
        ("/*", "/", {}),
        ("/{a}/{b}/*", "/1/2/3/4", {"a": "1", "b": "2"}),
    ],
)
def test_patterns(text, path, expected):
    assert pattern(text).match(path) == expected


def test_a_path_without_end_matches_nothing():
    assert pattern("/*").match("/a" * (MAX_SEGMENTS + 1)) is None


@pytest.mark.parametrize(("text", "why"), [("/*/a", "last segment"), ("/a*", "last segment"),
                                           ("/{a}/{a}", "twice")])  # fmt: skip
def test_patterns_that_are_none(text, why):
    with pytest.raises(ValueError, match=why):
        pattern(text)
