"""The only door to a browser: headless Chromium, one page, a deadline, nothing kept.

A browser that is not there raises BrowserMissing: then the check that wanted it could not look.
"""

import base64
import hashlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from troth.adapters import process, tls
from troth.kernel.errors import Failure

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LIMIT_BYTES = 4 * 1024 * 1024
# Source: chromium/docs and headless/README; each keeps the browser from talking to its makers.
QUIET = (
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-gpu",
    "--disable-sync",
    "--metrics-recording-only",
    "--mute-audio",
    "--no-first-run",
    "--no-pings",
    "--no-proxy-server",
    "--password-store=basic",
)


class BrowserError(Failure):
    """A browser that failed, took too long or said too much."""


class BrowserMissing(BrowserError):  # noqa: N818 -- it says what it is
    """No Chromium on this machine."""


def find(setting: str = "") -> Path:
    """Where Chromium is: the operator's setting, else the first of `NAMES` in PATH.

    Raises:
        BrowserMissing: there is none, or the setting names nothing that can be run.
    """
    for name in (setting,) if setting else NAMES:
        found = shutil.which(name)
        if found:
            return Path(found)
    raise BrowserMissing(
        "no Chromium was found", where=setting, mend="install chromium, or do without its checks"
    )


def pin(certificate_der: bytes) -> str:
    """Base64 of the SHA-256 of a certificate's public key (RFC 7469, 2.4)."""
    certificate = x509.load_der_x509_certificate(certificate_der)
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(key).digest()).decode()


def pin_of_pem(ca_file: str) -> str:
    """The pin of the first certificate in a PEM file. Raises TlsError when it has none."""
    try:
        certificate = x509.load_pem_x509_certificate(Path(ca_file).read_bytes())
    except (OSError, ValueError) as error:
        raise tls.TlsError("not a PEM certificate", where=ca_file) from error
    return pin(certificate.public_bytes(Encoding.DER))


def dump_dom(  # noqa: PLR0913 -- each is one bound or one trust
    url: str,
    *,
    browser: Path,
    pins: Sequence[str] = (),
    timeout_s: float = 30,
    virtual_time_ms: int = 5000,
    host_rules: str = "",
    language: str = "en",
    more: Sequence[str] = (),
) -> str:
    """Load a page, let its scripts run, return the document as it then stands.

    Args:
        url: `https`, `http` or `file`.
        browser: from `find`.
        pins: public keys (`pin`) of leaf or authority to trust beside the system's.
        timeout_s: after it the browser's whole process group is killed.
        virtual_time_ms: how far the page's own clock runs before the document is taken.
        host_rules: `--host-resolver-rules`, such as `MAP * 127.0.0.1`.
        language: of Accept-Language.
        more: further flags.

    Raises:
        BrowserError: no document within the time or of a bearable size.
    """
    with tempfile.TemporaryDirectory(prefix="troth-browser-", ignore_cleanup_errors=True) as home:
        flags = [
            *("--headless=new", "--dump-dom", f"--user-data-dir={home}", *QUIET),
            f"--virtual-time-budget={virtual_time_ms}",
            f"--lang={language}",
            f"--accept-lang={language}",
        ]
        if pins:
            flags.append(f"--ignore-certificate-errors-spki-list={','.join(pins)}")
        if host_rules:
            flags.append(f"--host-resolver-rules={host_rules}")
        if os.geteuid() == 0:
            flags.append("--no-sandbox")  # Chromium's sandbox refuses root
        try:
            finished = process.run(
                [browser, *flags, *more, url],
                timeout=timedelta(seconds=timeout_s),
                env={"HOME": home, "XDG_CONFIG_HOME": home, "XDG_CACHE_HOME": home},
                cap_bytes=LIMIT_BYTES,
            )
        except process.ProcessError as error:
            raise BrowserError(f"the browser failed: {error.what}", where=url) from error
    text = finished.out.decode("utf-8", "replace")
    if "<html" not in text[:LIMIT_BYTES].lower():
        raise BrowserError("the browser gave no document", where=url)
    return text
