"""Named origins, and nobody else."""

import pytest

from troth.promises.edge.enforce.cors import APPLICATIONS_OWN

NAMED = {"cors": {"origins": ["https://a.example", "https://b.example:8443"], "paths": ["/api/"]}}
EVIL = (
    *("https://evil.example", "null", "https://sub.a.example", "https://a.example.evil"),
    *("https://xa.example", "http://a.example", "https://a.example:1", "https://aXexample"),
)
RUDE = ("Access-Control-Allow-Origin: *", "Access-Control-Allow-Credentials: true")


def allowed(answer) -> dict[str, str | None]:
    return {name: answer.one(name) for name in APPLICATIONS_OWN if answer.all(name)}


def preflight(edge, path, origin):
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    return edge.ask(path, method="OPTIONS", headers=headers)


def test_nobody_unless_named(told, edge):
    assert allowed(told(*RUDE, headers={"Origin": "https://a.example"})) == {}
    answer = preflight(edge, "/", "https://a.example")
    assert (answer.status, allowed(answer)) == (204, {})


@pytest.mark.parametrize("origin", ["https://a.example", "https://b.example:8443"])
def test_named_origins_get_exactly_theirs(edge, with_settings, origin):
    with with_settings(**NAMED):
        answer = edge.ask("/api/x?header=Access-Control-Allow-Origin:*", headers={"Origin": origin})
        asked = preflight(edge, "/api/x", origin)

    assert allowed(answer) == {"access-control-allow-origin": origin}
    assert answer.one("vary") == "Origin"
    assert asked.one("access-control-allow-origin") == origin
    assert asked.one("access-control-allow-methods") == "GET, POST"
    assert asked.one("access-control-allow-credentials") is None
    assert len(asked.all("strict-transport-security")) == 1


def test_the_others_get_nothing(edge, with_settings):
    with with_settings(**NAMED):
        for origin in EVIL:
            target = "/api/x?header=Access-Control-Allow-Origin:*"
            assert allowed(edge.ask(target, headers={"Origin": origin})) == {}, origin
            assert allowed(preflight(edge, "/api/x", origin)) == {}, origin


def test_only_on_named_paths(edge, with_settings):
    with with_settings(**NAMED):
        assert allowed(edge.ask("/apix", headers={"Origin": "https://a.example"})) == {}
        assert allowed(preflight(edge, "/apix", "https://a.example")) == {}


def test_credentials_where_set(edge, with_settings):
    with with_settings(cors={"origins": ["https://a.example"], "credentials": True}):
        answer = edge.ask(headers={"Origin": "https://a.example"})
        asked = preflight(edge, "/", "https://a.example")
        other = edge.ask(headers={"Origin": "https://b.example"})

    assert answer.one("access-control-allow-credentials") == "true"
    assert asked.one("access-control-allow-credentials") == "true"
    assert allowed(other) == {}


def test_an_ordinary_options_request_reaches_the_application(edge):
    assert '"method": "OPTIONS"' in edge.ask(method="OPTIONS").text


def test_without_the_fragment_the_application_decides(told, without):
    with without("cors-policy"):
        answer = told(*RUDE, headers={"Origin": "https://evil.example"})

    assert answer.one("access-control-allow-origin") == "*"
