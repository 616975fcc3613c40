"""The request as every door makes it."""

from troth.kernel.request import FINE, Opinion, Request


def request(target: bytes) -> Request:
    headers = ((b"a", b"1"), (b"b", b"2"), (b"a", b"3"))
    return Request(method=b"GET", target=target, host=b"h", headers=headers)


def test_the_path_ends_where_the_query_begins():
    assert request(b"/a/b?c=/d?e").path == b"/a/b"
    assert request(b"/a").path == b"/a"
    assert request(b"*").path == b"*"


def test_every_value_of_a_header_in_order():
    assert request(b"/").values(b"a") == [b"1", b"3"]
    assert request(b"/").values(b"c") == []


def test_fine_says_nothing():
    assert Opinion() == FINE
    assert FINE.refusal is None
