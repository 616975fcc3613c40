"""Keys: made once, readable by nobody else, and a signature by exactly one of them."""

import stat
import threading

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from troth.kernel.evidence import seal, statement, unseal
from troth.prove.keys import Key, KeyFailure, decode_public, load_or_create, verify


def test_a_key_is_made_once_and_for_nobody_else(tmp_path):
    path = tmp_path / "ledger.key"

    first = load_or_create(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_or_create(path).public == first.public
    assert list(tmp_path.iterdir()) == [path]
    assert "PRIVATE" not in repr(first)


def test_many_that_start_at_once_agree(tmp_path):
    path = tmp_path / "ledger.key"
    made, gate = [], threading.Barrier(8)

    def start():
        gate.wait(10)
        made.append(load_or_create(path).public)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert len(made) == 8
    assert set(made) == {load_or_create(path).public}


def test_a_key_that_others_may_read_is_refused(tmp_path):
    path = tmp_path / "ledger.key"
    load_or_create(path)
    path.chmod(0o640)

    with pytest.raises(KeyFailure, match="others may read"):
        load_or_create(path)


def test_what_is_no_key_is_refused_and_stays(tmp_path):
    path = tmp_path / "ledger.key"
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    for raw in (b"", b"nonsense", other):
        path.write_bytes(raw)
        path.chmod(0o600)
        with pytest.raises(KeyFailure):
            load_or_create(path)
        assert path.read_bytes() == raw


def test_exactly_this_key_signed_exactly_this():
    key, other = Key(Ed25519PrivateKey.generate()), Key(Ed25519PrivateKey.generate())
    made = statement("restored", {"what": "x", "at": "y"}, subject="s", digest="0" * 64)
    envelope = unseal(seal(made, key.signer))

    verify(envelope, key.public)

    with pytest.raises(KeyFailure, match="another key"):
        verify(envelope, other.public)
    forged = unseal(seal(made, type(key.signer)(key.signer.keyid, other.private.sign)))
    with pytest.raises(KeyFailure, match="does not verify"):
        verify(forged, key.public)


@pytest.mark.parametrize("text", ["", "AAAA", "not base64!", "A" * 44])
def test_what_is_no_public_key(text):
    with pytest.raises(KeyFailure):
        decode_public(text)
