"""One snapshot from troth.toml: programs are kept, routes read, a bad set changes nothing."""

from dataclasses import replace
from pathlib import Path

import pytest

from troth.adapters.config import ConfigError
from troth.enforce.snapshot import Body, Current
from troth.kernel.errors import Failure
from troth.kernel.request import Request
from troth.promises.guard.settings.waf import Rules
from troth.roles import policy, rules_load
from troth.roles.policy import Programs

CONFIG = """
[troth]
name = "n"
host = "t.localhost"
[application]
host = "a.localhost"
upstream = "http://127.0.0.1:1"
[status]
host = "s.localhost"
[edge]
upload_paths = ["/up/"]
stream_paths = ["/live"]
[guard]
fail_open_paths = ["/open"]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "troth.toml"
    path.write_text(CONFIG)
    return path


def post(target: bytes) -> Request:
    return Request(method=b"POST", target=target, host=b"a.localhost", headers=())


def test_rules_of_uploads_stand_where_uploads_are(config: Path):
    config.write_text(CONFIG + '[[guard.uploads.routes]]\npath = "/up/papers"\n')
    assert policy.build(config).uploads.rules(b"/up/papers").max_bytes
    config.write_text(CONFIG + '[[guard.uploads.routes]]\npath = "/elsewhere"\n')
    with pytest.raises(ConfigError, match="is no upload route"):
        policy.build(config)


def test_what_only_reads_uploads_nothing_and_off_is_off(config: Path):
    def get(target: bytes) -> Request:
        return replace(post(target), method=b"GET")

    assert policy.build(config).body(get(b"/up/x")) is Body.INSPECTED
    config.write_text(CONFIG + '[guard.uploads]\nmode = "off"\n')
    assert policy.build(config).body(post(b"/up/x")) is Body.UNREAD
    assert policy.build(config).uploads is None


def test_what_becomes_of_a_body_is_the_routes_business(config: Path):
    snapshot = policy.build(config)

    kinds = {path: snapshot.body(post(path)) for path in (b"/", b"/up/x", b"/live", b"/up/..%2fx")}
    assert kinds == {
        b"/": Body.INSPECTED, b"/up/x": Body.UPLOAD, b"/live": Body.UNREAD,
        b"/up/..%2fx": Body.INSPECTED,
    }  # fmt: skip
    assert snapshot.max_body_bytes == 1024 * 1024


def test_it_fails_open_only_where_it_was_said_and_beyond_doubt(config: Path):
    snapshot = policy.build(config)

    assert snapshot.fails_open(post(b"/open/x?y"))
    assert not snapshot.fails_open(post(b"/"))
    assert not snapshot.fails_open(post(b"/open/../x"))


def test_no_body_is_read_where_nobody_looks_at_one(config: Path):
    config.write_text(CONFIG + '[guard.rules]\nmode = "off"\n[guard.cards]\nrefuse = false\n')

    snapshot = policy.build(config)

    assert snapshot.body(post(b"/")) is Body.UNREAD
    assert snapshot.max_body_bytes == 10 * 1024 * 1024


def test_a_program_is_made_once(config: Path):
    made: list[Rules] = []

    def load(rules: Rules):
        made.append(rules)
        return rules_load.program_of(rules)

    programs = Programs(load=load)
    policy.build(config, programs=programs)
    config.write_text(CONFIG + '[guard.rules]\nmode = "watch"\n')
    policy.build(config, programs=programs)
    assert len(made) == 1
    config.write_text(CONFIG + "[guard.rules]\nthreshold = 7\n")
    policy.build(config, programs=programs)
    assert len(made) == 2


def test_rules_that_do_not_parse_leave_the_old_set_in_force(config: Path, tmp_path: Path):
    told = []
    programs = Programs()
    current = Current(policy.build(config, programs=programs), lambda *event: told.append(event))
    before = current.snapshot
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "a.conf").write_text("SecRule ARGS\n")
    (bad / "crs-setup.conf").write_text("")
    digest = rules_load.digest_of(bad)
    config.write_text(f'{CONFIG}[guard.rules]\nset = "{bad}"\nsha256 = "{digest}"\n')

    assert not current.renew(lambda: policy.build(config, programs=programs))

    assert current.snapshot is before
    assert "a.conf:1" in str(told[0][1]["because"])
    assert programs.of(Rules()) is not None


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path):
    with pytest.raises(Failure) as caught:
        policy.build(tmp_path / "gone.toml")
    assert str(tmp_path / "gone.toml") in caught.value.hint()
