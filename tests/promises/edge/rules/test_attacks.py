"""Named attacks that follow from what a server accepts."""

import pytest

from troth.promises.edge.rules.attacks import JUDGED, Offer, open_to
from troth.promises.edge.rules.suites import BY_NAME

GOOD = "ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"


def offer(dh_bits=0, **versions):
    suites = {name.replace("_", "."): many for name, many in versions.items()}
    return Offer(
        suites={v: tuple(BY_NAME[name] for name in many) for v, many in suites.items()},
        dh_bits=dh_bits,
    )


def test_a_modern_offer_is_open_to_none():
    assert open_to(offer(TLSv1_2=[GOOD], TLSv1_3=["AES_128_GCM_SHA256"], dh_bits=2048)) == ()


@pytest.mark.parametrize(
    ("made", "names"),
    [
        (offer(TLSv1_0=["RSA_WITH_AES_128_CBC_SHA"]), {"BEAST", "Lucky 13"}),
        (offer(SSLv3=["RSA_WITH_AES_128_CBC_SHA"]), {"BEAST", "POODLE", "Lucky 13"}),
        (offer(TLSv1_1=["RSA_WITH_AES_128_CBC_SHA"]), {"Lucky 13"}),
        (offer(TLSv1_2=["RSA_EXPORT_WITH_RC4_40_MD5"]), {"FREAK", "RC4 biases"}),
        (
            offer(TLSv1_2=["DHE_RSA_EXPORT_WITH_DES40_CBC_SHA"]),
            {"Logjam", "Sweet32", "Lucky 13"},
        ),
        (offer(TLSv1_2=[GOOD], dh_bits=1024), {"Logjam"}),
        (offer(TLSv1_2=[GOOD], SSLv2=[]), {"DROWN"}),
        (offer(TLSv1_2=["RSA_WITH_3DES_EDE_CBC_SHA"]), {"Sweet32", "Lucky 13"}),
    ],
)
def test_what_each_needs(made, names):
    assert set(open_to(made)) == names


def test_they_are_told_in_one_order():
    assert JUDGED[0] == "BEAST"
    assert open_to(offer(SSLv2=[], SSLv3=[], TLSv1_2=[GOOD])) == ("POODLE", "DROWN")
