"""The replay's set, and where its values are put."""

from urllib.parse import parse_qs, unquote, urlsplit

import msgspec
import pytest

from troth.promises.guard.probe.replay import MOVED, PLACES, SAMPLED, load, placed


def test_the_set_has_both_kinds_and_no_value_twice():
    cases = load()
    attacks = [one for one in cases if one.is_attack]
    harmless = [one for one in cases if not one.is_attack]

    assert min(len(attacks), len(harmless)) >= 5 * SAMPLED
    assert {"sql", "xss", "shell", "path", "template", "xxe", "lookup"} <= {o.kind for o in attacks}
    assert {"en", "de", "it", "fr"} <= {one.kind for one in harmless}
    assert len({one.value for one in cases}) == len(cases)
    assert any("\r\n" in one.value for one in attacks), "escapes are decoded"


@pytest.mark.parametrize("value", ["' OR 1=1 -- -", "a\r\nb: c", "Gänse & Füße", "../x"])
def test_a_value_is_whole_wherever_it_is_put(value):
    for place in PLACES:
        method, path, headers, body = placed(value, place)

        is_plain = value.isascii() and value.isprintable()
        is_moved = (place in {"header", "cookie"} and not is_plain) or (
            place == "path" and bool(set(value) & MOVED)
        )
        assert found("form" if is_moved else place, path, dict(headers), body) == value
        assert method == ("POST" if body else "GET")
        assert path[:1] in {"", "?", "/"}


def found(place, path, fields, body):
    match place:
        case "query":
            return parse_qs(urlsplit(path).query)["q"][0]
        case "json":
            return msgspec.json.decode(body)["note"]["text"]
        case "header":
            return fields["X-Note"]
        case "cookie":
            return unquote(fields["Cookie"].partition("=")[2])
        case "path":
            return unquote(path.removeprefix("/"))
        case _:
            return parse_qs(body.decode())["note"][0]
