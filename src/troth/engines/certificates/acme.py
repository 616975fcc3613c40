"""Certificates by ACME (RFC 8555), proven over plain HTTP (HTTP-01).

One order for one host: a certificate for several hosts would let a connection to one serve the
others. Nothing is kept here but the account's key; the caller decides what to do with a failure
(keep the old certificate, try again later).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from acme import challenges, client, crypto_util, errors, messages
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from josepy.errors import Error as JoseError
from josepy.jwa import ES256
from josepy.jwk import JWKEC

from troth import __version__
from troth.adapters import clock, files
from troth.engines.certificates.authority import pem_of_key
from troth.engines.certificates.errors import CertificateError

ISSUED_WITHIN = timedelta(minutes=3)
CALL_WITHIN_S = 30
MAX_KEY_BYTES = 8192

Publish = Callable[[Mapping[str, str]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who asks, and whom.

    Args:
        directory: the authority's directory address.
        contact: a mail address for its notices; may be empty.
        ca_file: PEM of what its own certificate is checked against; empty for the system's.
        key: where the account's key is kept (made there when there is none, mode 0600).
    """

    directory: str
    contact: str
    ca_file: str
    key: Path


def obtain(
    account: Account, host: str, publish: Publish, *, within: timedelta = ISSUED_WITHIN
) -> tuple[bytes, bytes]:
    """A fresh key and a chain for one host, both PEM.

    Args:
        account: see there. Naming a directory in troth.toml agrees to its terms.
        host: the DNS name.
        publish: makes these tokens answerable at `http://host/.well-known/acme-challenge/<token>`
            before it returns; called with nothing when they are not needed any more.
        within: for the whole of it.

    Raises:
        CertificateError: with the authority's own words; whatever was served goes on.
    """
    try:
        return _obtain(account, host, publish, within)
    except errors.ValidationError as error:
        raise _failed(_reasons(error), host, "see that it can reach port 80 of it") from error
    except errors.TimeoutError as error:
        raise _failed(f"no certificate within {within}", host) from error
    except (errors.Error, messages.Error, JoseError) as error:
        raise _failed(str(error) or type(error).__name__, host) from error
    except (OSError, ValueError) as error:  # what the library's transport raises is an OSError
        raise _failed(f"cannot be asked: {error}", account.directory) from error


def _obtain(
    account: Account, host: str, publish: Publish, within: timedelta
) -> tuple[bytes, bytes]:
    key = JWKEC(key=_account_key(account.key))
    acme = _client(account, key)
    leaf_key = pem_of_key(ec.generate_private_key(ec.SECP384R1()))
    order = acme.new_order(crypto_util.make_csr(leaf_key, [host]))
    # A name that was proven a while ago needs no new proof (RFC 8555, 7.1.4).
    open_ones = [one for one in order.authorizations if one.body.status != messages.STATUS_VALID]
    wanted = [_over_http(authorization) for authorization in open_ones]
    answers = [challenge.response_and_validation(key) for challenge in wanted]
    publish(
        {
            challenge.chall.encode("token"): validation
            for challenge, (_, validation) in zip(wanted, answers, strict=True)
        }
    )
    try:
        for challenge, (response, _) in zip(wanted, answers, strict=True):
            acme.answer_challenge(challenge, response)
        # The library compares with the local time without a zone.
        deadline = (clock.now() + within).astimezone().replace(tzinfo=None)
        chain = acme.poll_and_finalize(order, deadline).fullchain_pem
    finally:
        publish({})
    return chain.encode(), leaf_key


def _client(account: Account, key: JWKEC) -> client.ClientV2:
    """A client that is registered; registering again finds the same account."""
    net = client.ClientNetwork(
        key,
        alg=ES256,
        user_agent=f"troth/{__version__}",
        verify_ssl=account.ca_file or True,  # type: ignore[arg-type]  # as requests takes it
        timeout=CALL_WITHIN_S,
    )
    acme = client.ClientV2(client.ClientV2.get_directory(account.directory, net), net)
    registration = messages.NewRegistration.from_data(
        email=account.contact or None, terms_of_service_agreed=True
    )
    try:
        acme.new_account(registration)
    except errors.ConflictError as known:
        found = messages.RegistrationResource(body=messages.Registration(), uri=known.location)
        net.account = acme.query_registration(found)
    return acme


def _account_key(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        raw = files.read_capped(path, MAX_KEY_BYTES)
    except FileNotFoundError:
        raw = pem_of_key(ec.generate_private_key(ec.SECP256R1()))
        files.write_atomic(path, raw, mode=files.PRIVATE)
    try:
        key = serialization.load_pem_private_key(raw, None)
    except (ValueError, TypeError) as error:
        raise CertificateError("is not a PEM private key", where=str(path)) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise CertificateError("is not a P-256 key", where=str(path))
    return key


def _over_http(authorization: messages.AuthorizationResource) -> Any:
    for challenge in authorization.body.challenges:
        if isinstance(challenge.chall, challenges.HTTP01):
            return challenge
    name = authorization.body.identifier.value
    raise CertificateError("the authority offers no HTTP-01", where=name)


def _reasons(error: errors.ValidationError) -> str:
    said = [
        str(challenge.error.detail)
        for authorization in error.failed_authzrs
        for challenge in authorization.body.challenges
        if challenge.error is not None
    ]
    return "; ".join(said) or "the authority refused without a word"


def _failed(what: str, where: str, mend: str = "") -> CertificateError:
    return CertificateError(" ".join(what.split())[:500], where=where, mend=mend)
