"""The SSL Labs rating, on servers whose rating is known."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.promises.edge.rules.attacks import Offer
from troth.promises.edge.rules.grade import Server, rate, rsa_equivalent
from troth.promises.edge.rules.suites import BY_NAME, SUITES

STRONG = ("ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE_ECDSA_WITH_AES_256_GCM_SHA384")
NEW = ("AES_128_GCM_SHA256", "AES_256_GCM_SHA384")


def offer(dh_bits=0, **versions):
    names = {"TLSv1_2": STRONG, "TLSv1_3": NEW} | versions
    return Offer(
        suites={
            v.replace("_", "."): tuple(BY_NAME[n] for n in many)
            for v, many in names.items()
            if many is not None
        },
        dh_bits=dh_bits,
    )


BEST = Server(
    offer=offer(),
    key="EC",
    key_bits=384,
    signature_hash="sha384",
    is_trusted=True,
    covers_name=True,
    hsts_s=63_072_000,
)


def test_the_best_that_aes_128_in_tls_13_allows_is_96():
    rating = rate(BEST)

    assert (rating.letter, rating.score) == ("A+", 96)
    assert (rating.protocol, rating.key_exchange, rating.cipher) == (100, 100, 90)
    assert rating.why == ()


@pytest.mark.parametrize(
    ("change", "letter"),
    [
        ({"hsts_s": None}, "A-"),
        ({"hsts_s": 300}, "A-"),
        ({"renegotiates_securely": False}, "A-"),
        ({"offer": offer(TLSv1_3=None)}, "A-"),
        ({"offer": offer(TLSv1_0=STRONG)}, "B"),
        ({"offer": offer(TLSv1_1=STRONG)}, "B"),
        ({"offer": offer(SSLv3=("RSA_WITH_AES_128_CBC_SHA",))}, "C"),
        ({"offer": offer(TLSv1_2=(*STRONG, "RSA_WITH_3DES_EDE_CBC_SHA"))}, "C"),
        ({"offer": offer(TLSv1_2=None, TLSv1_3=None, TLSv1_1=STRONG)}, "C"),
        ({"offer": offer(TLSv1_2=(*STRONG, "ECDHE_RSA_WITH_RC4_128_SHA"))}, "B"),
        ({"offer": offer(TLSv1_2=("RSA_WITH_AES_128_GCM_SHA256",), TLSv1_3=None)}, "B"),
        ({"offer": offer(TLSv1_2=("ECDHE_RSA_WITH_AES_128_CBC_SHA",), TLSv1_3=None)}, "B"),
        ({"offer": offer(dh_bits=1536)}, "B"),
        ({"key": "RSA", "key_bits": 1024}, "B"),
        ({"holes": ("CRIME",)}, "C"),
        ({"holes": ("Heartbleed",)}, "F"),
        ({"holes": ("ROBOT",)}, "F"),
        ({"offer": offer(SSLv2=())}, "F"),
        ({"offer": offer(TLSv1_2=("DH_anon_WITH_AES_128_GCM_SHA256",))}, "F"),
        ({"offer": offer(TLSv1_2=("RSA_WITH_NULL_SHA",))}, "F"),
        ({"signature_hash": "md5"}, "F"),
        ({"signature_hash": "sha1"}, "T"),
        ({"is_trusted": False}, "T"),
        ({"covers_name": False}, "M"),
    ],
)
def test_what_takes_the_best_away(change, letter):
    rating = rate(replace(BEST, **change))

    assert rating.letter == letter
    assert any(why.startswith(letter) for why in rating.why)


def test_a_server_of_tls_13_alone_needs_no_renegotiation():
    only = replace(BEST, offer=offer(TLSv1_2=None), renegotiates_securely=False)

    assert rate(only).letter == "A+"


def test_keys_of_other_kinds():
    assert rate(replace(BEST, key_bits=256)).score == 93
    assert rate(replace(BEST, key="Ed25519", key_bits=256)).score == 93
    assert rsa_equivalent("EC", 521) == 15360
    assert rsa_equivalent("EC", 100) == 1024
    assert rsa_equivalent("RSA", 3072) == 3072


def test_no_suite_no_rating():
    with pytest.raises(ValueError, match="no cipher suite"):
        rate(replace(BEST, offer=Offer(suites={"TLSv1.2": ()})))
    assert rate(replace(BEST, offer=Offer(suites={"SSLv2": ()}))).letter == "F"


VERSIONS = st.sampled_from(("SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"))
MANY = st.lists(st.sampled_from(sorted(SUITES.values(), key=lambda s: s.number)), min_size=1)


@given(st.dictionaries(VERSIONS, MANY.map(tuple), min_size=1), st.integers(0, 8192))
def test_more_offered_is_never_rated_better_than_the_weakest_allows(suites, dh_bits):
    rating = rate(replace(BEST, offer=Offer(suites=suites, dh_bits=dh_bits)))

    assert 0 <= rating.score <= 100
    if rating.letter == "A+":
        assert set(suites) <= {"TLSv1.2", "TLSv1.3"}
        assert "TLSv1.3" in suites
        assert rating.why == ()
