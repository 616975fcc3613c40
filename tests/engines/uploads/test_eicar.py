"""The test file that is harmless and called malware."""

import hashlib

from troth.engines.uploads.eicar import TEST, is_test


def test_it_is_the_very_file():
    # Source: the digest that every scanner's vendor publishes of it.
    digest = "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"

    assert hashlib.sha256(TEST).hexdigest() == digest


def test_where_it_counts():
    assert is_test(TEST + b"\n")
    assert is_test(b"\r\n \xef\xbb\xbf" + TEST + b" and more")
    assert not is_test(b"we speak of " + TEST)
    assert not is_test(TEST[:-1])
