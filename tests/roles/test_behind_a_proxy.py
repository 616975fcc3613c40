"""Debian's nginx in front: the visitor's own address arrives, and nobody else can say another."""

import json
import os
import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

import ports
from troth.adapters import config, http
from troth.adapters.config import ConfigError
from troth.adapters.tcp import TcpError
from troth.adapters.tls import TlsError
from troth.catalogue import Settings
from troth.roles import check, edge_plan
from troth.roles.places import Places

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin")
STREAM = Path("/usr/lib/nginx/modules/ngx_stream_module.so")
VISITOR, OTHER = "127.0.0.77", "127.0.0.78"
pytestmark = pytest.mark.skipif(not NGINX, reason="no nginx here")

HTTP = """
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass https://127.0.0.1:{edge}; proxy_ssl_server_name on; proxy_ssl_name {host};
      proxy_set_header Host {host}:{edge}; proxy_http_version 1.1;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }}
  }}
}}
"""
THROUGH = """
stream {{
  server {{ listen 127.0.0.1:{port}; proxy_pass 127.0.0.1:{edge}; proxy_protocol on; }}
}}
"""


@pytest.fixture
def free_port() -> int:
    return ports.free(1)[0]


@contextmanager
def nginx(folder: Path, body: str, *, port: int, edge: int, host: str):
    text = body.format(folder=folder, port=port, edge=edge, host=host)
    module = f"load_module {STREAM};\n" if "stream" in text else ""
    path = folder / "nginx.conf"
    user = "user root;\n" if os.geteuid() == 0 else ""
    path.write_text(
        f"{module}daemon off; pid {folder}/pid; error_log {folder}/error.log;\n{user}"
        f"worker_processes 1; events {{ worker_connections 64; }}\n{text}"
    )
    with subprocess.Popen([NGINX, "-c", path, "-e", folder / "early.log"]) as child:
        try:
            deadline = time.monotonic() + 10
            while not (folder / "pid").exists():
                assert child.poll() is None, (folder / "early.log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.02)
            yield
        finally:
            child.terminate()
            child.wait(10)


def seen(text: str) -> dict[str, str]:
    """The headers that the application received."""
    return {name.lower(): value for name, value in json.loads(text)["headers"]}


def test_a_load_balancer_that_appends(edge, free_port, tmp_path):
    with (
        edge.altered(trusted_hops=1),
        nginx(tmp_path, HTTP, port=free_port, edge=edge.plan.port, host=edge.plan.app_host),
    ):
        url = f"http://127.0.0.1:{free_port}/"
        plain = seen(http.fetch(url, source=VISITOR).text)
        lied = seen(
            http.fetch(url, source=VISITOR, headers={"X-Forwarded-For": "203.0.113.9"}).text
        )

    for told in (plain, lied):
        assert told["x-forwarded-for"] == VISITOR
        assert told["x-troth-client"] == VISITOR


@pytest.mark.skipif(not STREAM.exists(), reason="no libnginx-mod-stream here")
def test_a_proxy_that_speaks_the_proxy_protocol(edge, free_port, tmp_path):
    with (
        edge.altered(is_behind_proxy_protocol=True),
        nginx(tmp_path, THROUGH, port=free_port, edge=edge.plan.port, host=edge.plan.app_host),
    ):
        answer = http.fetch(
            edge.url(),
            ca_file=edge.ca_file,
            connect_to=("127.0.0.1", free_port),
            source=VISITOR,
            headers={"X-Forwarded-For": "203.0.113.9"},
        )

    told = seen(answer.text)
    assert told["x-forwarded-for"] == VISITOR
    assert told["x-troth-client"] == VISITOR


def test_without_trusted_hops_nobody_is_believed(edge):
    told = seen(edge.ask(source=OTHER, headers={"X-Forwarded-For": "203.0.113.9"}).text)

    assert told["x-forwarded-for"] == OTHER


def test_who_is_no_trusted_proxy_gets_no_answer(edge):
    lie = {"X-Forwarded-For": "203.0.113.9"}
    with edge.altered(trusted_hops=1, trusted_proxies=(f"{VISITOR}/32",)):
        told = seen(edge.ask(source=VISITOR, headers=lie).text)
        with pytest.raises((TlsError, TcpError, http.HttpError)):
            edge.ask(source=OTHER, headers=lie)

    assert told["x-forwarded-for"] == "203.0.113.9"


TOML = """
[troth]
name = "x"
host = "troth.x.example"
[application]
host = "x.example"
upstream = "http://127.0.0.1:9000"
[status]
host = "status.x.example"
[edge]
{}
"""


@pytest.mark.parametrize(
    ("lines", "is_fine"),
    [
        ("trusted_hops = 1", False),
        ("proxy_protocol = true", False),
        ('proxy_protocol = true\naddresses = ["127.0.0.1", "::1"]', True),
        ('trusted_hops = 1\ntrusted_proxies = ["10.0.0.0/8", "fd00::/8", "192.0.2.1"]', True),
        ('trusted_hops = 1\ntrusted_proxies = ["10.0.0.1/8"]', False),
        ('trusted_hops = 1\ntrusted_proxies = ["10.0.0.0/64"]', False),
    ],
)
def test_who_may_say_it_must_be_said(tmp_path, lines, is_fine):
    settings = config.parse(TOML.format(lines).encode(), Settings, where="troth.toml")
    if is_fine:
        edge_plan.plan(settings, Places(tmp_path))
    else:
        with pytest.raises(ConfigError, match="trusted_proxies"):
            edge_plan.plan(settings, Places(tmp_path))


def test_the_error_names_the_line(tmp_path):
    path = tmp_path / "troth.toml"
    path.write_text(TOML.format('trusted_hops = 1\ntrusted_proxies = ["10.0.0.1/8"]'))

    with pytest.raises(ConfigError) as refused:
        check.check(path)
    assert refused.value.where == f"{path}:12"
