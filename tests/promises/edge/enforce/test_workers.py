"""Service workers only where they are named."""

SCRIPT = {"Service-Worker": "script"}


def test_refused_unless_named(edge):
    assert edge.ask("/sw.js", headers=SCRIPT).status == 403
    assert edge.ask("/sw.js").status == 200


def test_named_scopes_pass(edge, with_settings):
    with with_settings(service_worker_scopes=["/app/", "/other/"]):
        assert edge.ask("/app/sw.js", headers=SCRIPT).status == 200
        assert edge.ask("/other/sw.js", headers=SCRIPT).status == 200
        assert edge.ask("/sw.js", headers=SCRIPT).status == 403
        assert edge.ask("/x/../sw.js", headers=SCRIPT).status == 403


def test_a_wider_scope_must_be_named(told, with_settings):
    assert told("Service-Worker-Allowed: /").one("service-worker-allowed") is None
    with with_settings(service_worker_scopes=["/app/"]):
        assert told("Service-Worker-Allowed: /").one("service-worker-allowed") is None
        assert told("Service-Worker-Allowed: /app/").one("service-worker-allowed") == "/app/"
