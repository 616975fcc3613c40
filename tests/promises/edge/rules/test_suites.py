"""What a cipher suite's name says."""

import pytest

from troth.promises.edge.rules.suites import BY_NAME, SUITES


@pytest.mark.parametrize(
    ("name", "bits"),
    [
        ("RSA_WITH_NULL_SHA", 0),
        ("RSA_EXPORT_WITH_RC4_40_MD5", 40),
        ("RSA_EXPORT_WITH_DES40_CBC_SHA", 40),
        ("RSA_WITH_DES_CBC_SHA", 56),
        ("RSA_WITH_3DES_EDE_CBC_SHA", 112),
        ("RSA_WITH_AES_128_CBC_SHA256", 128),
        ("RSA_WITH_IDEA_CBC_SHA", 128),
        ("RSA_WITH_SEED_CBC_SHA", 128),
        ("AES_128_GCM_SHA256", 128),
        ("AES_128_CCM_8_SHA256", 128),
        ("AES_256_GCM_SHA384", 256),
        ("ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", 256),
    ],
)
def test_strength(name, bits):
    assert BY_NAME[name].bits == bits


def test_every_suite_can_be_read():
    assert len(SUITES) == len(BY_NAME) > 100
    for suite in SUITES.values():
        assert suite.bits in {0, 40, 56, 112, 128, 256}
        assert not (suite.is_aead and suite.is_cbc)
        assert not (suite.is_anonymous and suite.has_forward_secrecy)


def test_kinds():
    assert BY_NAME["ECDHE_RSA_WITH_AES_128_GCM_SHA256"].has_forward_secrecy
    assert not BY_NAME["RSA_WITH_AES_128_GCM_SHA256"].has_forward_secrecy
    assert BY_NAME["AES_128_GCM_SHA256"].is_tls13
    assert BY_NAME["DH_anon_WITH_AES_128_CBC_SHA"].is_anonymous
    assert BY_NAME["RSA_EXPORT_WITH_RC4_40_MD5"].is_export
    assert BY_NAME["RSA_WITH_IDEA_CBC_SHA"].has_short_blocks
    assert not BY_NAME["RSA_WITH_AES_128_CBC_SHA"].has_short_blocks
