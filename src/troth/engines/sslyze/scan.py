"""One run of sslyze on one server (docs/why/0002-scan-environment.md).

Its OpenSSL of 2009 still speaks what a modern one cannot. A command that did not complete is left
out of the facts: whoever wanted it could not look.
"""

import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from troth.adapters import process, tcp
from troth.kernel.errors import Failure

WITHIN = timedelta(seconds=90)
BESIDE = ".venv-scan/bin/python"
MAX_BYTES = 4 * 1024 * 1024
_COMMANDS = (
    *("--sslv2", "--sslv3", "--tlsv1", "--tlsv1_1", "--tlsv1_2", "--tlsv1_3"),
    *("--heartbleed", "--openssl_ccs", "--robot", "--compression", "--reneg"),
)
_VERSIONS = {
    "ssl_2_0_cipher_suites": "SSLv2",
    "ssl_3_0_cipher_suites": "SSLv3",
    "tls_1_0_cipher_suites": "TLSv1.0",
    "tls_1_1_cipher_suites": "TLSv1.1",
    "tls_1_2_cipher_suites": "TLSv1.2",
    "tls_1_3_cipher_suites": "TLSv1.3",
}


class ScanError(Failure):
    """sslyze is not there, failed, or could not reach the server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """What one run saw.

    Args:
        suites: for each version tried, IANA names of the suites accepted; refused: empty.
        accepts: the versions that are accepted at all.
        dh_bits: the smallest Diffie-Hellman prime; 0 when none is used.
        tried: for each attack tried, whether the server is open to it.
        renegotiates_securely: RFC 5746.
    """

    suites: Mapping[str, tuple[str, ...]]
    accepts: frozenset[str]
    dh_bits: int
    tried: Mapping[str, bool]
    renegotiates_securely: bool


def locate(setting: str = "") -> Path:
    """The Python that has sslyze: the operator's, else `.venv-scan` beside our own environment.

    Raises:
        ScanError: there is none.
    """
    own = Path(sys.prefix)
    found = Path(setting) if setting else own.parent / BESIDE
    if not found.is_file():
        raise ScanError(
            "sslyze was not found",
            where=setting or str(found),
            mend="make .venv-scan/scan.stamp, or set [edge.probe] sslyze",
        )
    return found


def scan(python: Path, host: str, port: int) -> Scanned:
    """Run sslyze on a server (0.5 to 4 s, up to 1.5 s of processor time).

    Raises:
        ScanError: it failed, or did not reach the server.
    """
    target = f"{host}:{port}{{{tcp.resolve(host)[0]}}}"
    with tempfile.TemporaryDirectory(prefix="troth-sslyze-") as folder:
        told = Path(folder) / "told.json"
        argv: list[str | Path] = [python, "-m", "sslyze", "--quiet", "--mozilla_config=disable"]
        try:
            process.run(
                [*argv, *_COMMANDS, f"--json_out={told}", target],
                timeout=WITHIN,
                env={"HOME": folder},
            )
            if told.stat().st_size > MAX_BYTES:
                raise ScanError(f"sslyze wrote more than {MAX_BYTES} bytes", where=target)
            whole = json.loads(told.read_bytes())
        except process.ProcessError as error:
            raise ScanError(f"sslyze failed: {error.what}", where=target) from error
        except (OSError, ValueError) as error:
            raise ScanError("sslyze wrote no result", where=target) from error
    try:
        (result,) = whole["server_scan_results"]
        if result["scan_status"] != "COMPLETED":
            raise ScanError("sslyze did not reach the server", where=target)
        return read(result["scan_result"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ScanError("sslyze wrote what we cannot read", where=target) from error


def read(told: Mapping[str, Any]) -> Scanned:
    """The facts of one `scan_result`. Raises KeyError, TypeError, ValueError for another shape."""
    results = {
        name: entry["result"] for name, entry in told.items() if entry["status"] == "COMPLETED"
    }
    suites, accepts, primes = {}, set(), []
    for command, version in _VERSIONS.items():
        if command not in results:
            continue
        accepted = results[command]["accepted_cipher_suites"]
        suites[version] = tuple(each["cipher_suite"]["name"] for each in accepted)
        if results[command]["is_tls_version_supported"]:
            accepts.add(version)
        keys = [each["ephemeral_key"] for each in accepted if each["ephemeral_key"]]
        primes += [int(key["size"]) for key in keys if key["type_name"] == "DH"]
    renegotiation = results.get("session_renegotiation", {})
    return Scanned(
        suites=suites,
        accepts=frozenset(accepts),
        dh_bits=min(primes, default=0),
        tried=_tried(results),
        renegotiates_securely=bool(renegotiation.get("supports_secure_renegotiation")),
    )


def _tried(results: Mapping[str, Any]) -> Mapping[str, bool]:
    found: dict[str, bool] = {}
    if "heartbleed" in results:
        found["Heartbleed"] = bool(results["heartbleed"]["is_vulnerable_to_heartbleed"])
    if "openssl_ccs_injection" in results:
        vulnerable = results["openssl_ccs_injection"]["is_vulnerable_to_ccs_injection"]
        found["CCS injection"] = bool(vulnerable)
    if "robot" in results and "UNKNOWN" not in results["robot"]["robot_result"]:
        found["ROBOT"] = results["robot"]["robot_result"].startswith("VULNERABLE")
    if "tls_compression" in results:
        found["CRIME"] = bool(results["tls_compression"]["supports_compression"])
    if "session_renegotiation" in results:
        answer = results["session_renegotiation"]
        has_old = any(results.get(name, {}).get("is_tls_version_supported") for name in _OLDER)
        found["renegotiation"] = bool(answer["is_vulnerable_to_client_renegotiation_dos"]) or (
            has_old and not answer["supports_secure_renegotiation"]
        )
    return found


_OLDER = tuple(name for name in _VERSIONS if not name.startswith("tls_1_3"))
