"""Reading what is published, as strictly as a careful reader."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.promises.trust import promise, rules

PAGE = """<!doctype html><html lang="it"><body><main>
<section class="hero" data-page="current" data-generated="2026-11-21T07:43:12+00:00">
<ul class="counts">
<li class="s-proven"><svg aria-hidden="true"><use href="#i-proven"/></svg>12 Provata</li></ul>
</section>
<ul><li id="a" data-slug="a" data-state="planned">
<h3><a href="/trust/it/a">Una &amp; due
 frasi.</a></h3>
<p><b><svg aria-hidden="true"><use href="#i-planned"/></svg>Prevista</b> · <time>2027-01-01</time>
<a href="/trust/evidence/log/1" data-evidence="log:1">Prova</a></p>
<details><ul><li>inner</li></ul></details></li></ul>
<h3>Loose.</h3>
<pre><code data-check="a.look">curl &quot;$APP&quot; | grep x</code></pre>
<address>Example <b>Courts</b><br>1 Street</address>
</main></body></html>"""


def test_a_page_is_read():
    page = rules.read_page(PAGE)

    (item,) = page.items
    assert (item.slug, item.state, item.word) == ("a", "planned", "Prevista")
    assert item.sentence == "Una & due frasi."
    assert item.evidence == ("log:1",)
    assert item.has_icon
    assert item.has_date
    assert page.language == "it"
    assert page.generated == "2026-11-21T07:43:12+00:00"
    assert page.loose == 1
    assert page.counted == {"proven": 12}
    assert page.codes == {"a.look": 'curl "$APP" | grep x'}
    assert page.footer == "Example Courts 1 Street"
    assert "/trust/it/a" in page.links


def test_an_icon_of_another_state_is_not_its_own():
    page = rules.read_page(PAGE.replace("#i-planned", "#i-proven"))

    assert not page.items[0].has_icon


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader(text):
    assert rules.read_page(text).items == [] or "data-slug" in text


def test_colours_of_each_scheme():
    css = ":root{--proven:#111;--planned:#222}@media x{:root{--proven:#333;--planned:#444}}"

    assert list(rules.colours(css)) == [("#222", "#111"), ("#444", "#333")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<a/>",
        "<feed",
        '<!DOCTYPE x [<!ENTITY e "x">]><feed xmlns="http://www.w3.org/2005/Atom"/>',
    ],
)
def test_what_is_no_feed_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        rules.read_feed(text)


@pytest.mark.parametrize(
    ("command", "is_own"),
    [
        ('curl --cacert "$CA" "$TROTH/trust/" | grep -q x', True),
        ('openssl s_client -connect "$APP"', True),
        ("troth prove hsts", False),
        ("curl x && troth show hsts", False),
        ("python3 verify.py x", False),
        ("curl a\ncurl b", False),
        ("", False),
        ("  ", False),
    ],
)
def test_a_readers_own_command(command, is_own):
    assert rules.is_readers_own(command) is is_own


def test_every_declared_command_of_this_area_is_a_readers_own():
    declared = [p for p in vars(promise).values() if isinstance(p, promise.Promise)]

    assert len(declared) == 7
    for each in declared:
        for check in each.checks:
            assert rules.is_readers_own(check.command), check.id


def test_security_txt_fields():
    text = "# Contact: no\nContact: mailto:a@b.example\nContact: https://x\nExpires: 2027\n"

    assert rules.read_security_txt(text) == {
        "contact": ["mailto:a@b.example", "https://x"],
        "expires": ["2027"],
    }


def test_ages():
    now = datetime(2026, 11, 21, tzinfo=UTC)

    assert rules.age_s("2026-11-20T23:59:00+00:00", now) == 60
    assert rules.age_s("2026-11-20", now) is None
    assert rules.age_s("nonsense", now) is None


def test_texts_are_compared_as_a_reader_does():
    assert rules.squeezed("<p>Example\n <b>Courts</b>") == "example courts"
