"""Links that a crawl follows."""

from hypothesis import given, settings
from hypothesis import strategies as st

from troth.promises.edge.probe.links import links

BASE = "https://a.example:8443/shop/index"


def test_same_origin_links_in_order_each_once():
    page = """<a href=/x>x</a><a href="y?z=1#part">y</a> <A HREF='https://a.example:8443/x#top'>
    <link rel=stylesheet href=/style.css><script src=app.js></script><img src="/i.png">
    <a>none</a><a href>empty</a><form action=/post></form>"""

    assert links(page, BASE) == [
        "https://a.example:8443/x",
        "https://a.example:8443/shop/y?z=1",
        "https://a.example:8443/style.css",
        "https://a.example:8443/shop/app.js",
        "https://a.example:8443/i.png",
    ]


def test_what_leads_elsewhere_is_left_alone():
    page = """<a href=http://a.example:8443/x><a href=https://a.example/><a href=//b.example/>
    <a href="javascript:alert(1)"><a href=mailto:a@example.org><a href=data:,x>
    <a href="https://[broken/">"""

    assert links(page, BASE) == []


@settings(deadline=None, max_examples=50)
@given(st.text(alphabet='<a href="/>x:[]#?', max_size=60))
def test_any_text_has_links_of_the_same_origin_only(text):
    assert all(link.startswith("https://a.example:8443") for link in links(text, BASE))
