"""The published files: whole, swapped at once, refused when odd."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.kernel.errors import Failure
from troth.publish import tree
from troth.publish.tree import Rendering, TreeError


def rendering(now, **bodies):
    made = Rendering(generated=now, valid_until=now)
    for name, body in bodies.items():
        made.put(f"/{name}", tree.TEXT, body, f"stale {body}")
    return made


def test_both_variants_are_published_together(tmp_path, bench):
    tree.publish(tmp_path, rendering(bench.NOW, a="one"), now=bench.NOW)

    manifest = tree.read(tmp_path)

    entry = manifest.entries["/a"]
    assert (manifest.folder / entry.current).read_text() == "one"
    assert (manifest.folder / entry.stale).read_text() == "stale one"
    assert manifest.valid_until == manifest.generated == bench.NOW
    assert entry.current_tag != entry.stale_tag


@pytest.mark.parametrize("odd", ["a", "/a/../b", "/a b", "/ä", "/a?b", "/taken"])
def test_an_odd_or_taken_address_is_refused(bench, odd):
    made = rendering(bench.NOW, taken="x")

    with pytest.raises(ValueError, match=re.escape(odd)):
        made.put(odd, tree.TEXT, "x", None)


def test_what_cannot_be_written_leaves_the_old_one_standing(tmp_path, bench):
    tree.publish(tmp_path, rendering(bench.NOW, a="one"), now=bench.NOW)
    made = rendering(bench.NOW, b="two")
    made.put("/b/c", tree.TEXT, "a folder where a page is", None)
    made.put("/b.html/d", tree.TEXT, "so it cannot be written", None)

    with pytest.raises(Failure):
        tree.publish(tmp_path, made, now=bench.NOW.replace(second=59))

    assert "/a" in tree.read(tmp_path).entries


@given(raw=st.binary(max_size=60))
def test_a_manifest_that_is_none_is_refused(tmp_path_factory, raw):
    public = tmp_path_factory.mktemp("public")
    (public / "r1").mkdir()
    (public / "now").symlink_to("r1")
    (public / "r1" / "manifest.json").write_bytes(raw)

    with pytest.raises(TreeError):
        tree.read(public)


def test_nothing_published_is_said(tmp_path):
    with pytest.raises(TreeError, match="nothing has been published"):
        tree.read(tmp_path)
    (tmp_path / "now").symlink_to("now")
    with pytest.raises(TreeError):
        tree.read(tmp_path)
