"""The text of the configuration files."""

import re
from pathlib import Path

import pytest

from troth.engines.postgres import configuration


def conf(major: int = 18, group: int | None = None) -> dict[str, str]:
    text = configuration.postgresql_conf(
        major=major, socket_directory=Path("/run/it's"), socket_group=group, name="state"
    )
    return dict(line.split(" = ", 1) for line in text.splitlines() if " = " in line)


def test_it_is_durable_and_has_no_tcp():
    settings = conf()

    assert settings["listen_addresses"] == "''"
    assert settings["fsync"] == settings["full_page_writes"] == "'on'"
    assert settings["synchronous_commit"] == "'on'"


def test_quotes_are_doubled():
    assert conf()["unix_socket_directories"] == "'/run/it''s'"


def test_a_setting_of_a_later_version_is_left_out():
    assert "io_method" in conf(18)
    assert "io_method" not in conf(17)


def test_the_socket_group_is_named_only_when_given():
    assert conf(group=77)["unix_socket_group"] == "'77'"
    assert "unix_socket_group" not in conf()


def test_every_connection_is_judged_by_who_the_kernel_says_it_is():
    rules = [line.split() for line in configuration.hba_conf().splitlines() if line[0] != "#"]

    assert rules
    assert all(rule[0] == "local" and rule[3:] == ["peer", "map=troth"] for rule in rules)


def test_members_become_a_map_in_a_fixed_order():
    text = configuration.ident_conf({"www": ("guard",), "root": (configuration.ANY_ROLE,)})

    assert text.splitlines()[1:] == ['troth  "root"  all', 'troth  "www"  "guard"']


@pytest.mark.parametrize("name", ["", "/.*", 'a"b', "a\nb"])
def test_a_name_that_would_mean_more_is_a_bug(name: str):
    with pytest.raises(ValueError, match=f"^{re.escape(name)}$"):
        configuration.ident_conf({name: ("guard",)})
