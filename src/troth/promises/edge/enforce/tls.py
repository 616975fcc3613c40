"""Transport: TLS and nothing else, and only its sound versions, ciphers and signatures."""

from troth.kernel.fragment import Fragment

# Source: RFC 9325, 4.2: forward secrecy and authenticated encryption, nothing else. TLS 1.3 has
# three of its own, which nobody chooses.
CIPHERS = (
    "[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-ECDSA-CHACHA20-POLY1305]",
    "[ECDHE-RSA-AES128-GCM-SHA256|ECDHE-RSA-CHACHA20-POLY1305]",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
)
# Post-quantum first (FIPS 203 with X25519), then RFC 9325, 4.3.
GROUPS = ("X25519MLKEM768", "X25519", "P-256", "P-384")
# No SHA-1. RSA is for operators with RSA certificates.
SIGNATURES = (
    "ecdsa_secp256r1_sha256",
    "ecdsa_secp384r1_sha384",
    "rsa_pss_rsae_sha256",
    "rsa_pss_rsae_sha384",
    "rsa_pss_rsae_sha512",
)


def everywhere() -> Fragment:
    """Only TLS on the TLS port."""
    return Fragment(promise="tls-everywhere", is_tls_only=True)


def redirect() -> Fragment:
    """Plain HTTP leads to the same host on HTTPS: 301, and 308 where the method must stay."""
    read = {"name": ":method", "string_match": {"safe_regex": {"regex": "GET|HEAD"}}}
    to_https = {"https_redirect": True}
    return Fragment(
        promise="https-redirect",
        plain_routes=(
            {
                "match": {"prefix": "/", "headers": [read]},
                "redirect": {**to_https, "response_code": "MOVED_PERMANENTLY"},
            },
            {
                "match": {"prefix": "/"},
                "redirect": {**to_https, "response_code": "PERMANENT_REDIRECT"},
            },
        ),
    )


def modern_versions() -> Fragment:
    """TLS 1.2 and 1.3."""
    return Fragment(
        promise="tls-modern-versions",
        tls={
            "tls_minimum_protocol_version": "TLSv1_2",
            "tls_maximum_protocol_version": "TLSv1_3",
        },
    )


def known_attacks() -> Fragment:
    """No CBC, no RSA key exchange: what BEAST, Lucky 13, POODLE and ROBOT need."""
    return Fragment(promise="tls-known-attacks", tls={"cipher_suites": list(CIPHERS)})


def grade() -> Fragment:
    """Key exchange and signatures that scanners have nothing to say about."""
    return Fragment(
        promise="tls-grade-a-plus",
        tls={"ecdh_curves": list(GROUPS), "signature_algorithms": list(SIGNATURES)},
    )
