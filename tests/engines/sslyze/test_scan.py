"""sslyze's words, read; the scanner itself is run against the liars."""

from copy import deepcopy
from datetime import timedelta
from pathlib import Path

import pytest

from troth.adapters import process
from troth.engines.sslyze import scan
from troth.engines.sslyze.scan import ScanError


def done(**result):
    return {"status": "COMPLETED", "result": result}


def suites(*names, dh_bits=0):
    key = {"type_name": "DH", "size": dh_bits} if dh_bits else None
    accepted = [{"cipher_suite": {"name": n}, "ephemeral_key": key} for n in names]
    return done(is_tls_version_supported=bool(names), accepted_cipher_suites=accepted)


TOLD = {
    "ssl_2_0_cipher_suites": suites(),
    "ssl_3_0_cipher_suites": suites(),
    "tls_1_0_cipher_suites": suites(),
    "tls_1_1_cipher_suites": {"status": "ERROR", "result": None},
    "tls_1_2_cipher_suites": suites("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", dh_bits=2048),
    "tls_1_3_cipher_suites": suites("TLS_AES_128_GCM_SHA256"),
    "heartbleed": done(is_vulnerable_to_heartbleed=False),
    "openssl_ccs_injection": done(is_vulnerable_to_ccs_injection=True),
    "robot": done(robot_result="NOT_VULNERABLE_NO_ORACLE"),
    "tls_compression": done(supports_compression=False),
    "session_renegotiation": done(
        supports_secure_renegotiation=True, is_vulnerable_to_client_renegotiation_dos=False
    ),
}


def test_what_completed_is_told():
    read = scan.read(TOLD)

    assert read.accepts == {"TLSv1.2", "TLSv1.3"}
    assert read.suites["TLSv1.3"] == ("TLS_AES_128_GCM_SHA256",)
    assert "TLSv1.1" not in read.suites
    assert read.dh_bits == 2048
    assert read.renegotiates_securely
    assert read.tried == {
        "Heartbleed": False,
        "CCS injection": True,
        "ROBOT": False,
        "CRIME": False,
        "renegotiation": False,
    }


def test_what_did_not_complete_was_not_tried():
    read = scan.read({name: {"status": "ERROR", "result": None} for name in TOLD})

    assert read.tried == {}
    assert read.accepts == frozenset()
    assert read.dh_bits == 0


@pytest.mark.parametrize(
    ("name", "result", "attack"),
    [
        ("robot", {"robot_result": "VULNERABLE_WEAK_ORACLE"}, "ROBOT"),
        ("heartbleed", {"is_vulnerable_to_heartbleed": True}, "Heartbleed"),
        ("tls_compression", {"supports_compression": True}, "CRIME"),
        (
            "session_renegotiation",
            {
                "supports_secure_renegotiation": False,
                "is_vulnerable_to_client_renegotiation_dos": False,
            },
            "renegotiation",
        ),
    ],
)
def test_what_succeeded(name, result, attack):
    assert scan.read(deepcopy(TOLD) | {name: done(**result)}).tried[attack]


def test_an_answer_that_says_unknown_is_none():
    told = TOLD | {"robot": done(robot_result="UNKNOWN_INCONSISTENT_RESULTS")}

    assert "ROBOT" not in scan.read(told).tried


def test_where_it_is(tmp_path):
    with pytest.raises(ScanError, match="not found"):
        scan.locate(str(tmp_path / "none"))


def test_a_python_without_it(tmp_path):
    bare = tmp_path / "python"
    bare.write_text("#!/bin/sh\nexit 1\n")
    bare.chmod(0o755)

    with pytest.raises(ScanError, match="failed"):
        scan.scan(scan.locate(str(bare)), "a.localhost", 443)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("", "no result"),
        ("{}", "cannot read"),
        ('{"server_scan_results": []}', "cannot read"),
        ('{"server_scan_results": [{"scan_status": "ERROR_NO_CONNECTIVITY"}]}', "did not reach"),
    ],
)
def test_words_that_are_none(tmp_path, words, why):
    said = tmp_path / "said"
    said.write_text(words)
    odd = tmp_path / "python"
    # the last but one argument is --json_out=FILE
    odd.write_text(
        '#!/bin/bash\nargs=("$@"); out=${args[-2]#--json_out=}\n'
        f'[ -s {said} ] && cp {said} "$out"; exit 0\n'
    )
    odd.chmod(0o755)

    with pytest.raises(ScanError, match=why):
        scan.scan(odd, "a.localhost", 443)


def test_the_real_one_is_as_we_read_it():
    """Skips where the scan environment is not installed."""
    try:
        python = scan.locate()
    except ScanError as missing:
        pytest.skip(str(missing))
    found = process.run([python, "-m", "sslyze", "--help"], timeout=timedelta(seconds=20))
    assert all(flag in found.text for flag in scan._COMMANDS)
    assert Path(python).name.startswith("python")
