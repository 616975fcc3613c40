"""What the roles said: the last of it, and what comes, across a rotation."""

import threading

import pytest

from troth.roles import logs
from troth.roles.logs import LogsError
from troth.roles.places import Places
from troth.roles.rotation import rotate


@pytest.fixture
def places(tmp_path):
    made = Places(tmp_path)
    made.prepare()
    (made.logs / "edge.log").write_text("one\ntwo\nthree\n")
    (made.logs / "guard-0.log").write_text("four\n")
    (made.logs / "guard-0~.log").write_text("a spare's\n")
    return made


def test_the_last_lines(places):
    assert logs.known(places) == ["edge", "guard-0"]
    assert logs.last(places, (), 2) == [("edge", "two"), ("edge", "three"), ("guard-0", "four")]
    assert logs.last(places, ("guard-0",), 5) == [("guard-0", "four")]


@pytest.mark.parametrize("role", ["nobody", "../troth", "/etc/passwd"])
def test_a_role_without_a_log(places, role):
    with pytest.raises(LogsError, match="edge, guard-0"):
        logs.last(places, (role,), 1)


def test_following_across_a_rotation(places):
    path = places.logs / "edge.log"
    lines = logs.follow(places, ("edge",))

    with path.open("a") as old:

        def write():
            old.write("five\n")
            old.flush()

        threading.Timer(0.2, write).start()
        assert next(lines) == ("edge", "five")
        rotate(path)
        old.write("six\n")
    path.write_text("seven\n")

    assert next(lines) == ("edge", "six")
    assert next(lines) == ("edge", "seven")
    lines.close()
