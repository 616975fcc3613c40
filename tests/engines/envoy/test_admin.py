"""Envoy's admin door on a warm edge."""

import pytest

from troth.engines.envoy.admin import Admin, _quoted
from troth.engines.envoy.errors import EnvoyError


def test_ready(edge, tmp_path):
    assert edge.server.admin.is_ready()
    assert not Admin(tmp_path / "nobody").is_ready()


def test_only_owner_and_group_may_open_it(edge):
    assert edge.server.admin.socket.stat().st_mode & 0o777 == 0o660


def test_stats_are_numbers_and_texts(edge):
    stats = edge.server.admin.stats(r"^listener_manager\.lds\.(update_success|version_text)$")

    assert isinstance(stats["listener_manager.lds.update_success"], int)
    assert isinstance(stats["listener_manager.lds.version_text"], str)


def test_a_refused_question_is_told(edge):
    with pytest.raises(EnvoyError, match="refuses /nonsense"):
        edge.server.admin._ask("/nonsense", "GET")


def test_patterns_are_quoted():
    assert _quoted("^a.b|c$") == "%5Ea.b%7Cc%24"
