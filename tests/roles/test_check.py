"""What can be known of a troth.toml before it serves anybody."""

import hashlib
import socket

import pytest

from troth.adapters.config import ConfigError
from troth.engines.certificates.errors import CertificateError
from troth.kernel.errors import Failure
from troth.roles import check
from troth.roles.change import change

TOML = """[troth]
name = "x"
host = "troth.demo.localhost"
[application]
host = "demo.localhost"
upstream = "unix:{upstream}"
[status]
host = "status.demo.localhost"
port = {status}
[edge]
addresses = ["127.0.0.1"]
port = {port}
http_port = {plain}
"""


@pytest.fixture
def config(tmp_path, echo):
    doors = [socket.socket() for _ in range(3)]
    for door in doors:
        door.bind(("127.0.0.1", 0))
    ports = [door.getsockname()[1] for door in doors]
    for door in doors:
        door.close()
    path = tmp_path / "troth.toml"
    path.write_text(TOML.format(upstream=echo, status=ports[0], port=ports[1], plain=ports[2]))
    return path


def test_a_good_one(config, tmp_path):
    checked = check.check(config, tmp_path)

    assert checked.warning == ""
    assert checked.digest == hashlib.sha256(config.read_bytes()).hexdigest()
    assert checked.promises > 20
    assert not (tmp_path / "tls").exists()


@pytest.mark.parametrize(
    ("more", "where", "what"),
    [
        ("colour = 1", ":14", "unknown field"),
        ("workers = 65", ":14", "workers"),
        ("[edge.tls]\nauthority = 'files'", ":14", "names no certificate"),
        ("trusted_hops = 1\ntrusted_proxies = ['x']", ":15", "trusted_proxies"),
        ("[promises.none]\nnot_applicable = 'x'", "", "no such promise"),
    ],
)
def test_an_error_names_file_and_line(config, more, where, what):
    text = config.read_text()
    config.write_text(text + more)

    with pytest.raises(ConfigError, match=what) as refused:
        check.check(config)
    assert refused.value.where.startswith(str(config))
    assert where in refused.value.where


def test_a_certificate_that_is_not_there(config, tmp_path):
    more = f"certificate = '{tmp_path}/no.pem'\nkey = 'file:{tmp_path}/no.key'"
    config.write_text(config.read_text() + f"[edge.tls]\nauthority = 'files'\n{more}\n")

    with pytest.raises((CertificateError, ConfigError), match=r"no\.pem|no\.key"):
        check.check(config)


def test_what_is_right_but_would_not_work_now(config):
    text = config.read_text()
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        port = door.getsockname()[1]
        config.write_text(
            "\n".join(line for line in text.splitlines() if not line.startswith("http_port"))
            + f"\nhttp_port = {port}\n"
        )
        assert f"{port} on 127.0.0.1 is taken" in check.check(config).warning
    config.write_text(text.replace("unix:", "unix:/nowhere"))
    assert "does not answer" in check.check(config).warning


def test_a_change_that_cannot_be_served_is_undone(config, tmp_path):
    before = config.read_text()

    with pytest.raises(Failure):
        change(config, tmp_path, {"edge.hsts.max_age_s": -1})
    assert config.read_text() == before

    change(config, tmp_path, {"edge.hsts.max_age_s": 86400})
    assert "max_age_s = 86400" in config.read_text()
