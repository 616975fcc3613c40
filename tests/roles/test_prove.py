"""What `troth verify` trusts: our own authority, and that for our own hosts alone."""

from pathlib import Path

from troth.roles.prove import trust_of

TOML = """
[troth]
name = "x"
host = "troth.demo.localhost"
[application]
host = "demo.localhost"
upstream = "http://127.0.0.1:9000"
[status]
host = "status.demo.localhost"
[edge]
port = 8443
[edge.tls]
authority = "{}"
"""
OURS = "https://troth.demo.localhost:8443"


def laid_out(folder: Path, authority: str = "local") -> tuple[Path, Path]:
    (folder / "tls").mkdir()
    (folder / "tls" / "ca.pem").touch()
    (folder / "troth.toml").write_text(TOML.format(authority))
    return folder / "troth.toml", folder


def test_our_own_hosts_by_our_own_authority(tmp_path, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", "/elsewhere.pem")
    config, data = laid_out(tmp_path)

    assert trust_of(f"{OURS}/", config, data) == {"SSL_CERT_FILE": str(tmp_path / "tls/ca.pem")}
    assert trust_of("https://stranger.example", config, data) == {}


def test_no_other_authority_is_replaced(tmp_path):
    config, data = laid_out(tmp_path, "files")

    assert trust_of(OURS, config, data) == {}
    assert trust_of(OURS, tmp_path / "none.toml", data) == {}
