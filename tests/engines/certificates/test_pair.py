"""A chain and its key: what can be served, and which file is named when it cannot."""

import stat
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import serialization

from troth.adapters import chance
from troth.engines.certificates import authority, pair
from troth.engines.certificates.errors import CertificateError

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
HOST = "shop.example"


@pytest.fixture(scope="module")
def root():
    return authority.create(name="Test", now=NOW, rng=chance.seeded(1))


@pytest.fixture
def served(root, tmp_path):
    """A good pair for HOST and *.api.example, in `tmp_path`."""
    files = pair.place(tmp_path, HOST)
    hosts = (HOST, "*.api.example")
    pair.write(files, *authority.issue(root, hosts, now=NOW, rng=chance.seeded(2)))
    return files


def test_a_good_pair(served):
    leaf = pair.check(served, (HOST, "v1.api.example", "SHOP.example"), NOW)

    assert pair.names_of(leaf) == (HOST, "*.api.example")
    assert stat.S_IMODE(served.key.stat().st_mode) == 0o600


def test_a_group_may_read_the_key_where_the_folder_says_so(root, tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o2750)
    files = pair.place(shared, HOST)
    pair.write(files, *authority.issue(root, (HOST,), now=NOW, rng=chance.seeded(2)))

    assert stat.S_IMODE(files.key.stat().st_mode) == 0o640


@pytest.mark.parametrize("host", ["api.example", "a.b.api.example", "example", "evil-shop.example"])
def test_other_names(served, host):
    with pytest.raises(CertificateError) as caught:
        pair.check(served, (HOST, host), NOW)

    assert caught.value.hint() == (
        f"{served.chain}: is not for {host}, but for {HOST}, *.api.example (add {host} to it)"
    )


@pytest.mark.parametrize("when", [NOW - timedelta(hours=2), NOW + timedelta(days=90)])
def test_not_now(served, when):
    with pytest.raises(CertificateError, match="is valid from 2026-11-21 to 2027-02-19, not now"):
        pair.check(served, (HOST,), when)


def test_another_key(served, root, tmp_path):
    _, other = authority.issue(root, (HOST,), now=NOW, rng=chance.seeded(3))
    served.key.write_bytes(other)

    with pytest.raises(CertificateError) as caught:
        pair.check(served, (HOST,), NOW)

    assert caught.value.where == str(served.key)
    assert "is not the key of the first certificate" in caught.value.what


@pytest.mark.parametrize("name", ["chain", "key"])
def test_missing_and_nonsense_name_the_file(served, name):
    path = getattr(served, name)
    path.write_text("-----BEGIN NONSENSE-----")
    with pytest.raises(CertificateError, match="holds no PEM") as nonsense:
        pair.check(served, (HOST,), NOW)
    path.unlink()
    with pytest.raises(CertificateError, match="does not exist") as missing:
        pair.check(served, (HOST,), NOW)

    assert nonsense.value.where == missing.value.where == str(path)


def test_an_encrypted_key(served):
    key = serialization.load_pem_private_key(served.key.read_bytes(), None)
    served.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )

    with pytest.raises(CertificateError, match="is encrypted"):
        pair.check(served, (HOST,), NOW)


def test_renewed_when_a_third_is_left(served):
    leaf = pair.check(served, (HOST,), NOW)
    life = leaf.not_valid_after_utc - leaf.not_valid_before_utc

    due = leaf.not_valid_after_utc - life / 3
    assert pair.is_due(leaf, due)
    assert not pair.is_due(leaf, due - timedelta(seconds=1))


def test_every_key_that_was_served_is_remembered(served, root):
    pair.write(served, *authority.issue(root, (HOST,), now=NOW, rng=chance.seeded(3)))

    kept = (served.chain.parent / pair.KEYS).read_text().split()
    assert len(set(kept)) == 2
    assert all(len(each) == 64 for each in kept)
