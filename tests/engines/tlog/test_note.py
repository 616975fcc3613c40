import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from troth.engines.tlog.errors import LogError
from troth.engines.tlog.note import (
    Algorithm,
    NoteSigner,
    NoteVerifier,
    Signature,
    format_note,
    open_note,
    parse_note,
)

# The example of Go's golang.org/x/mod/sumdb/note, made by another hand and another program.
FOREIGN_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
FOREIGN = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXg"
    "KvqfqdngotpRZb6KE6RyyBwJnAM=\n"
).encode()

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNER = NoteSigner.from_private("log.example/one", KEY)


def signed(text: str, *signers: NoteSigner) -> bytes:
    lines = [Signature(s.name, s.verifier().key_id, s.sign(text.encode())) for s in signers]
    return format_note(text, lines)


def test_a_foreign_note_verifies():
    note = open_note(FOREIGN, NoteVerifier.parse(FOREIGN_KEY))

    assert note.text.startswith("If you think")
    assert NoteVerifier.parse(FOREIGN_KEY).vkey == FOREIGN_KEY


@given(st.integers(0, len(FOREIGN) - 1), st.integers(1, 255))
def test_one_changed_byte_is_refused(at: int, change: int):
    changed = FOREIGN[:at] + bytes([FOREIGN[at] ^ change]) + FOREIGN[at + 1 :]

    with pytest.raises(LogError):
        open_note(changed, NoteVerifier.parse(FOREIGN_KEY))


def test_several_signatures_and_unknown_ones_are_passed_over():
    other = NoteSigner.from_private("other.example", Ed25519PrivateKey.generate())
    raw = signed("text\n\nmore\n", other, SIGNER)

    assert open_note(raw, SIGNER.verifier()).text == "text\n\nmore\n"
    assert open_note(raw, other.verifier()).text == "text\n\nmore\n"


def test_the_same_name_with_another_key_is_another_signer():
    twin = NoteSigner.from_private(SIGNER.name, Ed25519PrivateKey.generate())

    with pytest.raises(LogError, match="not signed"):
        open_note(signed("text\n", twin), SIGNER.verifier())


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"text\n",
        b"text\n\n",
        b"text\n\nno signature\n",
        "text\n\n— name AAAA\n".encode(),
        "text\n\n— name AAAAAAAA".encode(),
        "text\n\n— na me AAAAAAAA\n".encode(),
        "text\n\n— name AAAAAAB=\n".encode(),
        "te\txt\n\n— name AAAAAAAA\n".encode(),
        "te\rxt\n\n— name AAAAAAAA\n".encode(),
        b"text\xff\n\n\xe2\x80\x94 name AAAAAAAA\n",
        b"text\n\n" + "— name AAAAAAAA\n".encode() * 65,
        b"x" * 70_000 + "\n\n— name AAAAAAAA\n".encode(),
    ],
)
def test_what_is_no_note_is_refused(raw: bytes):
    with pytest.raises(LogError):
        parse_note(raw)


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "name",
        "name+00000000+AQ==",
        FOREIGN_KEY.replace("c74f", "c74e"),
        FOREIGN_KEY.replace("Peter", "Paul"),
        FOREIGN_KEY.replace("+ARpc", "+ARpd"),
        "na me" + FOREIGN_KEY,
        FOREIGN_KEY[:-4],
    ],
)
def test_what_is_no_key_is_refused(vkey: str):
    with pytest.raises(LogError):
        NoteVerifier.parse(vkey)


def test_a_cosigners_key_is_another_key():
    plain, cosigner = SIGNER.verifier(), SIGNER.verifier(Algorithm.COSIGNATURE)

    assert plain.key_id != cosigner.key_id
    assert NoteVerifier.parse(cosigner.vkey) == cosigner


def test_a_signer_shows_no_secret():
    assert bytes(range(32)).hex() not in repr(SIGNER)
    assert KEY.private_bytes_raw() not in repr(SIGNER).encode()
