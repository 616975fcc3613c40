"""Liars about versions, certificates, named attacks and grades."""

import ssl
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from liars.door import Door, Terminator
from liars.liar import Fragments, Liar, altered, without
from liars.upstream import Manners
from troth.adapters import chance, clock
from troth.catalogue import Settings
from troth.engines.certificates import authority, pair
from troth.engines.envoy import binary
from troth.engines.envoy.resources import Certificate
from troth.kernel.site import Site
from troth.promises.edge.probe.attacks import open_to_attack
from troth.promises.edge.rules.hello import SSL2, SSL3

Certificates = Mapping[str, Certificate]
# A ServerHello of SSL 3 that takes RSA with 3DES, and ServerHelloDone.
SSL3_HELLO = bytes((22, 3, 0, 0, 46, 2, 0, 0, 38, 3, 0, *bytes(32), 0, 0, 10, 0, 14, 0, 0, 0))
SSL2_HELLO = bytes((0x80, 11, 4, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0))


def _version(said: bytes) -> int:
    """Of the ClientHello inside a first record; of SSL 2 or newer."""
    if said[0] & 0x80:
        return int.from_bytes(said[3:5], "big")
    return int.from_bytes(said[9:11], "big") if said[0] == 22 else 0


def speaks(version: int, hello: bytes) -> Callable[[bytes], tuple[bytes, bytes]]:
    """Answer clients of that version, pass all others on."""
    return lambda said: (b"", hello) if _version(said) == version else (said, b"")


def issued(
    *, host: str = "", is_foreign: bool = False, began: timedelta = timedelta(), life_days: int = 90
) -> Callable[[Certificates, Path], Certificates]:
    """Every host gets another leaf: for another name, of another root, of another time."""

    def issue(certificates: Certificates, folder: Path) -> Certificates:
        own = next(iter(certificates.values())).chain.parent
        now, rng = clock.now() + began, chance.system()
        root = authority.load(own / "ca.pem", own / "ca.key")
        if is_foreign:
            root = authority.create(name="Somebody else", now=now, rng=rng)
        made = {}
        for name, old in certificates.items():
            life = timedelta(days=life_days)
            chain, key = authority.issue(root, (host or name,), now=now, rng=rng, life=life)
            place = pair.place(folder, name)
            pair.write(place, chain, key)
            made[name] = replace(old, chain=place.chain, key=place.key, sds=folder / f"{name}.json")
        return made

    return issue


def weakly(
    *, bits: int = 2048, hash_: str = "sha256", ciphers: str = "ALL", dh: str = ""
) -> Callable[[Path, Site], ssl.SSLContext]:
    """A context with an RSA leaf for both hosts, and with a Diffie-Hellman group by its name."""

    def make(data: Path, site: Site) -> ssl.SSLContext:
        folder = Path(tempfile.mkdtemp(dir=data))

        def openssl(*words: str) -> None:
            subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

        names = ",".join(f"DNS:{urlsplit(url).hostname}" for url in (site.app, site.troth))
        (folder / "names").write_text(f"subjectAltName={names}\n")
        new = ("req", "-new", "-newkey", f"rsa:{bits}", "-nodes", "-subj", "/CN=weak")
        openssl(*new, "-keyout", "leaf.key", "-out", "leaf.csr")
        root = ("-CA", str(data / "tls" / "ca.pem"), "-CAkey", str(data / "tls" / "ca.key"))
        signed = ("x509", "-req", f"-{hash_}", "-days", "80", "-extfile", "names")
        openssl(*signed, *root, "-CAcreateserial", "-in", "leaf.csr", "-out", "leaf.pem")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
        context.load_cert_chain(folder / "leaf.pem", folder / "leaf.key")
        context.set_alpn_protocols(["http/1.1"])
        if dh:
            group = ("genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", f"group:{dh}")
            openssl(*group, "-out", "group.pem")
            context.load_dh_params(folder / "group.pem")
        return context

    return make


def deaf(settings: Settings) -> Settings:
    """An Envoy that reads copies of its files, and so never hears of a renewal."""
    script = Path(settings.troth.data) / "deaf-envoy"
    script.write_text(DEAF.format(python=sys.executable, envoy=binary.locate()))
    script.chmod(0o755)
    return msgspec.structs.replace(
        settings, edge=msgspec.structs.replace(settings.edge, binary=str(script))
    )


DEAF = """\
#!{python}
import os, pathlib, shutil, sys
folder = pathlib.Path(sys.argv[sys.argv.index("-c") + 1]).parent
copy = folder / "copy"
shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("*.sock", "copy"))
for path in copy.glob("*.json"):
    admin = str(folder / "admin.sock")
    text = path.read_text().replace(str(folder), str(copy)).replace(str(copy / "admin.sock"), admin)
    path.write_text(text)
argv = [word.replace(str(folder), str(copy)) for word in sys.argv[1:]]
os.execv("{envoy}", ["{envoy}", *argv])
"""


def _old_versions(fragments: Fragments) -> Fragments:
    """TLS 1.0 needs a cipher of its time."""
    old = altered("tls-modern-versions", tls={"tls_minimum_protocol_version": "TLSv1_0"})
    return altered("tls-known-attacks", tls={})(old(fragments))


ssl3, ssl2 = Door(speaks(SSL3, SSL3_HELLO)), Door(speaks(SSL2, SSL2_HELLO))
bleeding = Door(open_to_attack)
aead = "ECDHE+AESGCM:DHE+AESGCM"
short = Terminator(weakly(bits=1024, ciphers=aead))
sha1 = Terminator(weakly(hash_="sha1", ciphers=aead))
thin = Terminator(weakly(ciphers=aead, dh="modp_1536"))
FOREIGN_SCRIPT = b"<!doctype html><title>Shop</title><script src=http://cdn.example/a.js></script>"

LIARS = (
    Liar("tls-modern-versions", "speaks TLS 1.0 as well", fragments=_old_versions),
    Liar(
        "tls-modern-versions",
        "nothing newer than TLS 1.2",
        fragments=altered(
            "tls-modern-versions",
            tls={
                "tls_minimum_protocol_version": "TLSv1_2",
                "tls_maximum_protocol_version": "TLSv1_2",
            },
        ),
    ),
    Liar(
        "tls-modern-versions",
        "nothing older than TLS 1.3",
        fragments=altered("tls-modern-versions", tls={"tls_minimum_protocol_version": "TLSv1_3"}),
    ),
    Liar("tls-no-ssl2-ssl3", "speaks SSL 3", resources=ssl3.moved, beside=ssl3.standing),
    Liar("tls-no-ssl2-ssl3", "speaks SSL 2", resources=ssl2.moved, beside=ssl2.standing),
    Liar("tls-strong-certificate", "of another root", certificates=issued(is_foreign=True)),
    Liar("tls-strong-certificate", "for another name", certificates=issued(host="other.localhost")),
    Liar("tls-strong-certificate", "expired", certificates=issued(began=timedelta(days=-91))),
    Liar(
        "tls-strong-certificate", "near its expiry", certificates=issued(began=timedelta(days=-80))
    ),
    Liar(
        "tls-strong-certificate",
        "1024 bits",
        resources=short.moved,
        beside=short.standing,
        is_slow=True,
    ),
    Liar(
        "tls-strong-certificate",
        "signed by SHA-1",
        resources=sha1.moved,
        beside=sha1.standing,
        is_slow=True,
    ),
    Liar(
        "tls-strong-certificate",
        "deaf to a renewal",
        declared=deaf,
        only=("tls-strong-certificate.renewal",),
        is_slow=True,
    ),
    Liar("tls-grade-a-plus", "a thin prime", resources=thin.moved, beside=thin.standing),
    Liar("tls-known-attacks", "CBC and RSA key exchange", fragments=without("tls-known-attacks")),
    Liar(
        "tls-known-attacks",
        "bleeds",
        resources=bleeding.moved,
        beside=bleeding.standing,
        only=("tls-known-attacks.tried",),
        is_slow=True,
    ),
    Liar(
        "headers-grade-a",
        "a foreign script over plain HTTP",
        upstream=Manners(pages=(("/", (200, "text/html; charset=utf-8", FOREIGN_SCRIPT)),)),
    ),
)
