"""The TLS door: what was agreed to, and a refusal that is the server's."""

import ssl
import warnings

import pytest

from troth.adapters import tcp, tls
from troth.adapters.tls import TlsError, Version


def context_of(authority, **bounds):
    context = authority.context()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        for name, value in bounds.items():
            setattr(context, name, value)
    return context


def wait(door):
    door.recv(1)


def test_what_was_agreed_to(serve, authority):
    context = context_of(authority)
    context.set_alpn_protocols(["h2", "http/1.1"])
    server = serve(wait, context)
    client = tls.client_context(ca_file=authority.ca, alpn=("h2",))

    agreed = tls.handshake("demo.localhost", server.port, context=client, source="127.66.1.1")

    assert (agreed.version, agreed.alpn, agreed.is_verified) == ("TLSv1.3", "h2", True)
    assert agreed.bits >= 128
    assert tls.certificate_names(agreed.certificate) == ("demo.localhost", "127.0.0.1")
    assert server.peers == ["127.66.1.1"]


@pytest.mark.parametrize("version", list(Version))
def test_each_version_can_be_offered_alone(serve, authority, version):
    server = serve(wait, authority.context())
    client = tls.client_context(verify=False, minimum=version, maximum=version)

    agreed = tls.handshake("demo.localhost", server.port, context=client)

    assert agreed.version == version.value
    assert not agreed.is_verified


@pytest.mark.parametrize("version", [Version.TLS1, Version.TLS1_1])
def test_a_refused_version_is_the_servers_refusal(serve, authority, version):
    server = serve(wait, context_of(authority, minimum_version=ssl.TLSVersion.TLSv1_2))
    client = tls.client_context(verify=False, minimum=version, maximum=version)

    with pytest.raises(TlsError) as refused:
        tls.handshake("demo.localhost", server.port, context=client)

    assert refused.value.is_peers
    assert "PROTOCOL_VERSION" in refused.value.alert


def test_a_weak_cipher_is_offered_and_its_refusal_is_the_servers(serve, authority):
    context = context_of(authority, maximum_version=ssl.TLSVersion.TLSv1_2)
    context.set_ciphers("ECDHE+AESGCM")
    server = serve(wait, context)
    weak = tls.client_context(verify=False, maximum=Version.TLS1_2, ciphers="AES128-SHA")

    with pytest.raises(TlsError) as refused:
        tls.handshake("demo.localhost", server.port, context=weak)

    assert refused.value.is_peers
    strong = tls.client_context(verify=False, maximum=Version.TLS1_2)
    assert "GCM" in tls.handshake("demo.localhost", server.port, context=strong).cipher


def test_no_peer_and_no_tls_are_not_refusals(serve, answer):
    client = tls.client_context(verify=False)
    plain = serve(lambda door: door.sendall(b"SSH-2.0-OpenSSH\r\n") or door.recv(65536))

    with pytest.raises(TlsError) as failed:
        tls.handshake("127.0.0.1", plain.port, context=client, timeout_s=0.5)
    assert not failed.value.is_peers
    with pytest.raises(tcp.TcpError):
        tls.handshake("127.0.0.1", 1, context=client, timeout_s=2)
    mute = serve(lambda door: door.recv(65536) and door.recv(65536))
    with pytest.raises(TimeoutError):
        tls.handshake("127.0.0.1", mute.port, context=client, timeout_s=0.3)


def test_the_wrong_name_is_not_trusted(serve, authority):
    server = serve(wait, authority.context())
    client = tls.client_context(ca_file=authority.ca)

    with pytest.raises(TlsError, match="not trusted"):
        tls.handshake("elsewhere.localhost", server.port, context=client)
    assert tls.handshake(
        "elsewhere.localhost", server.port, context=client, server_name="demo.localhost"
    ).is_verified


def test_one_group_can_be_offered_alone(serve, authority):
    context = context_of(authority)
    context.set_ecdh_curve("prime256v1")
    server = serve(wait, context)

    tls.handshake(
        "127.0.0.1", server.port, context=tls.client_context(verify=False, group="prime256v1")
    )
    with pytest.raises(TlsError) as refused:
        tls.handshake(
            "127.0.0.1", server.port, context=tls.client_context(verify=False, group="X25519")
        )
    assert refused.value.is_peers


def test_the_group_that_a_modern_client_gets(serve, authority):
    context = context_of(authority)
    context.set_ecdh_curve("secp384r1")
    server = serve(wait, context)

    assert "384" in tls.group("demo.localhost", server.port)
    old = serve(wait, context_of(authority, maximum_version=ssl.TLSVersion.TLSv1_2))
    with pytest.raises(TlsError, match="handshake failed"):
        tls.group("demo.localhost", old.port)
    mute = serve(lambda door: door.recv(65536) and door.recv(65536))
    with pytest.raises(TimeoutError):
        tls.group("127.0.0.1", mute.port, timeout_s=0.3)


def test_raw_bytes_inside_tls(serve, answer, authority):
    server = serve(answer(b"HTTP/1.1 400 Bad Request\r\n\r\n"), authority.context())
    client = tls.client_context(ca_file=authority.ca)

    got = tls.exchange(
        "demo.localhost", server.port, b"GET / HTTP/1.1\r\n bad\r\n\r\n", context=client
    )

    assert got.startswith(b"HTTP/1.1 400")


def test_a_server_of_ours_speaks_only_the_new(serve, authority):
    context = tls.server_context(authority.certificate, authority.key)
    server = serve(wait, context)
    old = tls.client_context(verify=False, minimum=Version.TLS1_1, maximum=Version.TLS1_1)
    weak = tls.client_context(verify=False, maximum=Version.TLS1_2, ciphers="ECDHE+AES:!AESGCM")
    new = tls.client_context(ca_file=authority.ca)

    for client in (old, weak):
        with pytest.raises(TlsError) as refused:
            tls.handshake("demo.localhost", server.port, context=client)
        assert refused.value.is_peers
    assert tls.handshake("demo.localhost", server.port, context=new).version == "TLSv1.3"


def test_files_that_cannot_be_used(tmp_path, authority):
    nothing = tmp_path / "nothing.pem"
    with pytest.raises(TlsError, match="cannot be offered or trusted"):
        tls.client_context(ca_file=str(nothing))
    with pytest.raises(TlsError, match="cannot be used"):
        tls.server_context(str(nothing), authority.key)
    with pytest.raises(TlsError, match="cannot be offered"):
        tls.client_context(ciphers="NO-SUCH-CIPHER")
    with pytest.raises(TlsError):
        tls.certificate_names(b"nothing")
