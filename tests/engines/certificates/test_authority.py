"""The local authority: what it makes, keeps and renews."""

import stat
import threading
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from troth.adapters import chance, files
from troth.engines.certificates import authority, pair
from troth.engines.certificates.errors import CertificateError

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
HOSTS = ("demo.localhost", "troth.demo.localhost")


@pytest.fixture
def keep(tmp_path):
    def run(now=NOW, hosts=HOSTS):
        return authority.keep(tmp_path, hosts, name="Test", now=now, rng=chance.system())

    return run


def leaf(folder, host=HOSTS[0]):
    return x509.load_pem_x509_certificates((folder / f"{host}.pem").read_bytes())[0]


def test_made_once(keep, tmp_path):
    assert keep() == HOSTS
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    assert keep() == ()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_keys_are_for_their_owner_only(keep, tmp_path):
    keep()

    for path in tmp_path.glob("*.key"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "ca.pem").stat().st_mode) == 0o644


def test_the_root_signs_leaves_and_nothing_above_them(keep, tmp_path):
    keep()
    root = authority.load(tmp_path / "ca.pem", tmp_path / "ca.key").certificate

    basic = root.extensions.get_extension_for_class(x509.BasicConstraints)
    usage = root.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (basic.critical, basic.value.ca, basic.value.path_length) == (True, True, 0)
    assert usage.key_cert_sign
    assert not usage.digital_signature


def test_a_leaf_is_what_graders_want(keep, tmp_path):
    keep()
    one = leaf(tmp_path)

    assert isinstance(one.public_key().curve, ec.SECP384R1)
    assert isinstance(one.signature_hash_algorithm, hashes.SHA256)
    assert pair.names_of(one) == (HOSTS[0],)
    assert one.not_valid_after_utc - NOW == authority.LEAF_LIFE
    one.verify_directly_issued_by(
        authority.load(tmp_path / "ca.pem", tmp_path / "ca.key").certificate
    )


def test_renewed_in_its_last_third(keep, tmp_path):
    keep()
    old = leaf(tmp_path)

    assert keep(NOW + timedelta(days=59)) == ()
    assert keep(NOW + timedelta(days=61)) == HOSTS
    assert leaf(tmp_path).serial_number != old.serial_number


@pytest.mark.parametrize("name", ["demo.localhost.pem", "demo.localhost.key"])
def test_a_pair_that_cannot_be_served_is_made_anew(keep, tmp_path, name):
    keep()
    (tmp_path / name).write_text("nonsense")

    assert keep() == (HOSTS[0],)


def test_a_leaf_of_another_authority_is_made_anew(keep, tmp_path):
    keep()
    other = authority.create(name="Other", now=NOW, rng=chance.system())
    strange = authority.issue(other, (HOSTS[0],), now=NOW, rng=chance.system())
    pair.write(pair.place(tmp_path, HOSTS[0]), *strange)

    assert keep() == (HOSTS[0],)


def test_no_leaf_outlives_its_root(tmp_path):
    root = authority.create(name="Test", now=NOW, rng=chance.system())
    late = root.certificate.not_valid_after_utc - timedelta(days=5)

    chain, _ = authority.issue(root, HOSTS, now=late, rng=chance.system())

    one = x509.load_pem_x509_certificates(chain)[0]
    assert one.not_valid_after_utc == root.certificate.not_valid_after_utc


@pytest.mark.parametrize("name", ["ca.pem", "ca.key"])
def test_half_an_authority_is_refused_not_replaced(keep, tmp_path, name):
    keep()
    (tmp_path / name).unlink()

    with pytest.raises(CertificateError, match="is missing") as caught:
        keep()
    assert caught.value.where == str(tmp_path / name)


def test_a_key_of_another_authority_is_refused(keep, tmp_path):
    keep()
    other = authority.create(name="Other", now=NOW, rng=chance.system())
    (tmp_path / "ca.key").write_bytes(authority.pem_of_key(other.key))

    with pytest.raises(CertificateError, match=r"does not belong to ca\.pem"):
        keep()


@pytest.mark.parametrize("name", ["ca.pem", "ca.key"])
def test_nonsense_names_the_file(keep, tmp_path, name):
    keep()
    (tmp_path / name).write_text("nonsense")

    with pytest.raises(CertificateError, match="is not a PEM") as caught:
        keep()
    assert caught.value.where == str(tmp_path / name)


def test_several_take_turns(keep, tmp_path):
    renewed = []
    threads = [threading.Thread(target=lambda: renewed.append(keep())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(renewed) == [(), (), (), HOSTS]


def test_a_turn_that_never_comes(keep, tmp_path, monkeypatch):
    monkeypatch.setattr(authority, "TURN_WITHIN_S", 0.05)
    lock = files.Lock(tmp_path / "ca.lock")
    try:
        with pytest.raises(files.FileError, match="held by another"):
            keep()
    finally:
        lock.release()
