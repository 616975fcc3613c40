"""ACME against pebble, an authority for tests: as strict as the protocol, and sometimes rude."""

import http.server
import socket
import threading

import pytest
from cryptography import x509

from troth.adapters import clock
from troth.engines.certificates import acme, pair
from troth.engines.certificates.errors import CertificateError

HOST = "shop.example"
PREFIX = "/.well-known/acme-challenge/"


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves the server's tokens."""

    def do_GET(self):
        answer = self.server.tokens.get(self.path.removeprefix(PREFIX), "").encode()
        self.send_response(200 if answer else 404)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


class Challenges:
    """The plain-HTTP listener of a host, with what was published on it."""

    def __init__(self, port):
        self.published = []
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.tokens = {}
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def publish(self, tokens):
        self.server.tokens = dict(tokens)
        self.published.append(dict(tokens))

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def answering(pebble):
    challenges = Challenges(pebble[1])
    yield challenges
    challenges.close()


def test_issued_twice_with_the_same_account(pebble, answering, tmp_path):
    account, _ = pebble

    chain, key = acme.obtain(account, HOST, answering.publish)
    again, other_key = acme.obtain(account, HOST, answering.publish)

    files = pair.Pair(tmp_path / "c.pem", tmp_path / "c.key")
    pair.write(files, chain, key)
    leaf = pair.check(files, (HOST,), clock.now())
    assert len(x509.load_pem_x509_certificates(chain)) > 1
    assert pair.names_of(leaf) == (HOST,)
    assert (chain, key) != (again, other_key)
    assert account.key.stat().st_mode & 0o777 == 0o600
    assert answering.published[1::2] == [{}, {}]


def test_a_token_that_is_not_served_is_told_in_the_authoritys_words(pebble, answering):
    account, _ = pebble

    with pytest.raises(CertificateError) as caught:
        acme.obtain(account, "unproven.example", lambda _tokens: None)

    assert caught.value.where == "unproven.example"
    assert "404" in caught.value.what
    assert "port 80" in caught.value.mend


def test_a_name_that_it_does_not_issue_for(pebble, answering):
    with pytest.raises(CertificateError):
        acme.obtain(pebble[0], "blocked-domain.example", answering.publish)


def test_an_authority_that_is_not_there(tmp_path):
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
    account = acme.Account(
        directory=f"https://localhost:{port}/dir", contact="", ca_file="", key=tmp_path / "key"
    )

    with pytest.raises(CertificateError, match="cannot be asked"):
        acme.obtain(account, HOST, lambda _tokens: None)


def test_an_authority_that_is_not_trusted(pebble, tmp_path):
    account = acme.Account(
        directory=pebble[0].directory, contact="", ca_file="", key=tmp_path / "key"
    )

    with pytest.raises(CertificateError, match="cannot be asked"):
        acme.obtain(account, HOST, lambda _tokens: None)


def test_a_key_that_is_none(tmp_path):
    (tmp_path / "key").write_text("no key")
    account = acme.Account(directory="", contact="", ca_file="", key=tmp_path / "key")

    with pytest.raises(CertificateError, match="not a PEM private key"):
        acme.obtain(account, HOST, lambda _tokens: None)
