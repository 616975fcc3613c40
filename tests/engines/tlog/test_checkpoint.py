from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from troth.engines.tlog.checkpoint import (
    Checkpoint,
    check_cosignature,
    cosign,
    open_checkpoint,
    parse_checkpoint,
    sign_checkpoint,
    timestamp_of,
)
from troth.engines.tlog.errors import LogError
from troth.engines.tlog.note import Algorithm, NoteSigner, NoteVerifier, Signature, parse_note

NOW = datetime(2026, 11, 21, 7, 30, 15, 250_000, tzinfo=UTC)
KEY = NoteSigner.from_private("log.example/one", Ed25519PrivateKey.generate())
WITNESS = NoteSigner.from_private("witness.example/w", Ed25519PrivateKey.generate())
HEAD = Checkpoint("log.example/one", 7, bytes(range(32)))


def test_what_is_signed_is_read_again_with_its_second():
    raw = sign_checkpoint(HEAD, KEY, NOW)

    assert open_checkpoint(raw, KEY.verifier()) == HEAD
    assert timestamp_of(raw, KEY.verifier()) == NOW.replace(microsecond=0)


def test_the_text_is_the_standards():
    assert HEAD.text() == "log.example/one\n7\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "log\n",
        "log\n7\n",
        HEAD.text() + "an extension\n",
        HEAD.text().replace("\n7\n", "\n07\n"),
        HEAD.text().replace("\n7\n", "\n-7\n"),
        HEAD.text().replace("\n7\n", "\n9223372036854775808\n"),
        HEAD.text().replace("\n7\n", "\n\u0667\n"),
        HEAD.text().replace("AAEC", "AAE"),
        "\n7\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        HEAD.text().replace("log.example/one", "cosignature/v1"),
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str):
    with pytest.raises(LogError):
        parse_checkpoint(text)


def test_another_key_and_another_origin_are_refused():
    other = NoteSigner.from_private(KEY.name, Ed25519PrivateKey.generate())

    with pytest.raises(LogError):
        open_checkpoint(sign_checkpoint(HEAD, other, NOW), KEY.verifier())
    with pytest.raises(LogError, match="another log"):
        open_checkpoint(
            sign_checkpoint(Checkpoint("log.example/two", 7, HEAD.root), KEY, NOW), KEY.verifier()
        )


def test_a_witness_cosigns_and_its_second_is_bound():
    line = cosign(HEAD.text(), WITNESS, NOW)
    raw = sign_checkpoint(HEAD, KEY, NOW, [line])
    key = WITNESS.verifier(Algorithm.COSIGNATURE)
    later = (int.from_bytes(line.raw[:8], "big") + 1).to_bytes(8, "big") + line.raw[8:]

    assert timestamp_of(raw, key) == NOW.replace(microsecond=0)
    assert parse_note(raw).signatures[2] == line
    with pytest.raises(LogError):
        check_cosignature(HEAD.text(), Signature(line.name, line.key_id, later), key)
    with pytest.raises(LogError):
        check_cosignature(HEAD.text().replace("7", "8"), line, key)
    with pytest.raises(LogError):
        check_cosignature(HEAD.text(), line, KEY.verifier(Algorithm.COSIGNATURE))
    with pytest.raises(LogError):
        check_cosignature(HEAD.text(), line, WITNESS.verifier())


def test_the_published_example_has_the_published_key_id():
    # Source: c2sp.org/tlog-cosignature, the example's signature lines start with these ids.
    raw = (
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/"
        "Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
        "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJs"
        "X3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
    ).encode()
    note = parse_note(raw)

    assert parse_checkpoint(note.text).size == 20852163
    assert int.from_bytes(note.signatures[1].raw[:8], "big") == 1679315147


def test_a_checkpoint_without_a_timestamp_has_no_time():
    raw = sign_checkpoint(HEAD, KEY, NOW)
    without = b"".join(raw.splitlines(keepends=True)[:-1])

    assert open_checkpoint(without, KEY.verifier()) == HEAD
    with pytest.raises(LogError, match="not timestamped"):
        timestamp_of(without, NoteVerifier(KEY.name, KEY.public))


def test_a_time_beyond_the_calendar_is_refused():
    far = NOW.replace(year=9999) + timedelta(days=1)
    line = cosign(HEAD.text(), WITNESS, far)
    key = WITNESS.verifier(Algorithm.COSIGNATURE)
    assert check_cosignature(HEAD.text(), line, key).year == far.year
    text, seconds = HEAD.text(), 2**62
    message = f"cosignature/v1\ntime {seconds}\n{text}".encode()
    raw = Signature(line.name, line.key_id, seconds.to_bytes(8, "big") + WITNESS.sign(message))

    with pytest.raises(LogError, match="no time"):
        check_cosignature(text, raw, key)
