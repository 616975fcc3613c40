import hashlib
import http.server
import importlib.util
import json
import os
import shutil
import ssl
import subprocess
import sys
import threading
from datetime import date, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.kernel.evidence import stamp
from troth.kernel.model import (
    Attestation,
    Check,
    Evidence,
    Kind,
    Method,
    Promise,
    Severity,
    Verdict,
)
from troth.kernel.state import state
from troth.publish import tree
from troth.publish.edition import Extras, compose
from troth.publish.render import Press

HOUSE = Path(__file__).parents[3]
PROGRAM = HOUSE / "src/troth/publish/static/verify.py"


def load(path: Path) -> ModuleType:
    """A file that is in no package, as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


verify = load(PROGRAM)
published = load(Path(__file__).with_name("published.py"))
NOW = published.NOW


@pytest.fixture
def place(tmp_path: Path) -> Path:
    published.publish(tmp_path, published.installation(filler=300))
    return tmp_path


def run(where: object, *options: str, **environment: str) -> tuple[int, str]:
    """As a stranger runs it: another process, without our packages."""
    done = subprocess.run(
        [sys.executable, "-I", PROGRAM, str(where), *options],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=os.environ | environment,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_an_honest_copy_agrees(place: Path):
    code, said = run(place)

    assert code == 0, said
    assert "agrees: 10 promises" in said
    assert "first seen, not compared" in said
    assert published.signer("ledger").keyid in said


def test_the_key_is_compared(place: Path):
    right, wrong = published.signer("ledger").keyid, published.signer("thief").keyid

    assert run(place, "--key", right)[0] == 0
    assert "as given" in run(place, "--key", right)[1]
    assert run(place, "--key", wrong)[0] == 1


def test_all_signatures_and_a_sample_that_can_be_repeated(tmp_path: Path):
    published.publish(tmp_path, published.installation(filler=900))
    count = {}
    for options in ([], ["--seed", "7"], ["--seed", "7"], ["--all"]):
        code, said = run(tmp_path, *options)
        assert code == 0, said
        count.setdefault(tuple(options), set()).add(said.split(" signatures")[0].split()[-1])

    assert len(count["--seed", "7"]) == 1
    assert 500 < int(*count[()]) < 600
    assert int(*count["--all",]) > 900


def test_the_stale_variant_agrees(tmp_path: Path):
    published.publish(tmp_path, published.installation(), is_stale=True)

    assert run(tmp_path)[0] == 0
    assert '"proven"' not in (tmp_path / "api/v1/promises.json").read_text("utf-8")


def change(place: Path, name: str, old: str, new: str) -> None:
    path = place / name
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("trust/it/index.html", 'data-state="failing"', 'data-state="proven"', "trust/it/"),
        ("trust/hsts.html", "hsts &amp; more", "hsts &amp; better", "trust/hsts"),
        ("trust/de/index.html", '<li data-slug="nda"', '<li data-slug="nda2"', "trust/de/"),
        ("api/v1/promises.json", '"state": "failing"', '"state": "proven"', "tls-versions"),
        ("api/v1/promises.json", '"curl -sI', '"curl -s', "hsts"),
        ("api/v1/promises.json", "more, fr", "less, fr", "hsts"),
        ("api/v1/promises.json", '"looks:inside', '"looks:outside', "hsts"),
        ("api/v1/promises.json", '"trouble": ""', '"trouble": "no log"', "no log"),
        ("api/v1/promises.json", '"stale": false', '"stale": true', "hsts"),
        (
            "api/v1/promises.json",
            '"valid_until": "2026',
            '"valid_until": "2027',
            "valid for longer",
        ),
        ("api/v1/promises.json", '"generated": "2026', '"generated": "2027', "hsts"),
        ("api/v1/promises.json", '"size": ', '"size": 9', "rolled back"),
        ("api/v1/promises.json", '"origin": "troth', '"origin": "truth', "rolled back"),
        ("api/v1/promises.json", '"generated": ', '"generated": ' + "[" * 100_000, ""),
        ("api/v1/looks", '"rounds": [', '"rounds": [{}, ', "not an envelope"),
    ],
)
def test_what_does_not_agree_is_told(place: Path, name: str, old: str, new: str, said: str):
    change(place, name, old, new)

    code, told = run(place)

    assert code == 1
    assert "DOES NOT AGREE" in told
    assert said in told


def test_oversize_files_are_refused(place: Path):
    with (place / "api/v1/looks").open("ab") as file:
        file.truncate(verify.MAX_JSON + 1)

    assert run(place)[0] == 1


def test_no_control_characters_reach_the_terminal(place: Path):
    change(place, "api/v1/promises.json", '"state": "failing"', '"state": "\\u001b[2Jproven"')

    code, told = run(place)

    assert code == 1
    assert "\x1b" not in told


def test_what_cannot_be_looked_at(tmp_path: Path):
    assert run(tmp_path / "nowhere")[0] == 2
    assert run("https://127.0.0.1:9/")[0] == 2
    assert run("http://127.0.0.1:9/")[0] == 2


def test_a_head_from_the_future_is_refused(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(published, "NOW", datetime.now(tz=NOW.tzinfo) + timedelta(hours=1))
    published.publish(tmp_path, published.installation())

    code, told = run(tmp_path)

    assert code == 1
    assert "future" in told


def test_a_round_missing_from_the_ring_needs_a_gap_leaf(tmp_path: Path):
    made = published.installation()
    made.leaves = [raw for raw in made.leaves if b"gap" not in json_of(raw)]
    published.publish(tmp_path, made)

    code, told = run(tmp_path)

    assert code == 1
    assert "outside lacks 3" in told


def json_of(raw: bytes) -> bytes:
    return verify.a2b_base64(json.loads(raw)["payload"])


# -- the rules, against the kernel's ---------------------------------------------------------------

SECONDS = st.integers(-200, 200).map(lambda seconds: NOW + seconds * timedelta(seconds=1))


@st.composite
def situations(draw):
    checks = tuple(
        Check(
            id=f"p.{number}",
            method=draw(st.sampled_from(Method)),
            interval=timedelta(seconds=20),
            ttl=timedelta(seconds=draw(st.sampled_from([60, 150]))),
            quorum=draw(st.integers(1, 2)),
            probe="",
            judge="",
            command="",
        )
        for number in range(draw(st.integers(0, 3)))
    )
    promise = Promise(
        slug="p",
        area="edge",
        kind=draw(st.sampled_from(Kind)),
        severity=draw(st.sampled_from(Severity)),
        checks=checks,
        planned_for=draw(st.sampled_from([None, None, None, date(2027, 1, 1)])),
        not_applicable_because=draw(st.sampled_from(["", "", "", "no mail"])),
    )
    evidence = [
        Evidence(
            check=draw(st.sampled_from([*(of.id for of in checks), "another.check"])),
            verdict=draw(st.sampled_from(Verdict)),
            collected=draw(SECONDS),
            expires=draw(SECONDS),
            vantage=draw(st.sampled_from(["a", "b", "gone"])),
        )
        for _ in range(draw(st.integers(0, 8)))
    ]
    attested = [
        Attestation(
            promise=draw(st.sampled_from(["p", "p", "q"])),
            by="",
            role="",
            statement="",
            signed=draw(SECONDS),
            expires=draw(SECONDS),
        )
        for _ in range(draw(st.integers(0, 2)))
    ]
    return promise, evidence, attested


def round_of(item: Evidence, number: int) -> dict:
    look = {
        "check": item.check,
        "verdict": item.verdict.value,
        "collected": stamp(item.collected),
        "expires": stamp(item.expires),
    }
    troth = {"vantage": item.vantage, "sequence": number, "looks": [look]}
    return {"predicateType": verify.ROUND, "predicate": {"troth": troth}}


@settings(max_examples=600)
@given(situations())
def test_the_states_are_the_kernels(situation):
    """The stranger's program folds the evidence and judges it; the kernel judges it directly."""
    promise, evidence, attested = situation
    record = verify.Record(stamp(NOW))
    for name in ("a", "b", "gone"):
        record.keys[f"ed25519:{hashlib.md5(name.encode()).hexdigest()}"] = {
            "role": "vantage",
            "name": name,
            "retired": False,
        }
    ids = {key["name"]: keyid for keyid, key in record.keys.items()}
    for number, item in enumerate(evidence):
        raw = published.canonical(
            {
                "payload": published.base64.b64encode(
                    published.canonical(round_of(item, number))
                ).decode(),
                "payloadType": "application/vnd.in-toto+json",
                "signatures": [{"keyid": ids[item.vantage], "sig": "A" * 86 + "=="}],
            }
        )
        record.add(raw, f"log:{number + 9}", is_sample=False)
    record.keys[ids["gone"]]["retired"] = True
    signed = [
        {"promise": a.promise, "signed": stamp(a.signed), "expires": stamp(a.expires)}
        for a in attested
    ]
    live = [item for item in evidence if item.vantage != "gone"]

    kernel = state(promise, live, attested, NOW)
    found = verify.state(published.entry(promise), record.looks, signed, NOW)

    assert found == (kernel.state.value, kernel.reason, kernel.check)


# -- Ed25519, against OpenSSL's and RFC 8032's -----------------------------------------------------

RFC8032 = [  # section 7.1: secret, public, message, signature
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
]


@pytest.mark.parametrize(("public", "message", "signature"), RFC8032)
def test_the_rfcs_signatures(public: str, message: str, signature: str):
    verify.check(*map(bytes.fromhex, (public, signature, message)), "vector")


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200), st.data())
def test_signatures_verify_as_openssls_do(seed: bytes, message: bytes, data):
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = key.public_key().public_bytes_raw(), key.sign(message)
    at, bit = data.draw(st.integers(0, 63)), data.draw(st.integers(0, 7))
    flipped = signature[:at] + bytes([signature[at] ^ 1 << bit]) + signature[at + 1 :]

    verify.check(public, signature, message, "honest")
    for wrong in (
        (public, flipped, message),
        (public, signature, message + b"."),
        (public, signature[:63], message),
        (public, signature + b"\0", message),
    ):
        with pytest.raises(verify.Disagreement):
            verify.check(*wrong, "forged")


def test_a_signature_has_one_spelling_and_a_key_is_on_the_curve():
    key = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
    public, signature = key.public_key().public_bytes_raw(), key.sign(b"m")
    larger = int.from_bytes(signature[32:], "little") + verify.L

    with pytest.raises(verify.Disagreement):
        verify.check(public, signature[:32] + larger.to_bytes(32, "little"), b"m", "again")
    for none in (b"\x02" + b"\0" * 31, b"\xff" * 32, b"short"):
        with pytest.raises(verify.Disagreement):
            verify.check(none, signature, b"m", "key")


# -- tampering, and over the wire ------------------------------------------------------------------


def test_a_sample_of_the_tampering_run_is_detected(tmp_path: Path):
    tamper = load(HOUSE / "bench/tamper.py")
    bench = tamper.Bench(tmp_path)

    for number in range(200):
        kind = list(bench.changes)[number % len(bench.changes)]
        assert bench.is_detected(kind, number), (kind, number)


@pytest.fixture
def served(place: Path):
    """The tree at https://troth.demo.localhost, with a certificate of an authority of its own."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
    at = datetime.now(tz=NOW.tzinfo)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("troth.demo.localhost")]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    pem = place / "authority.pem"
    pem.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )

    class Handler(http.server.SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10

        def __init__(self, *rest: object) -> None:
            super().__init__(*rest, directory=str(place))

        def translate_path(self, path: str) -> str:
            found = super().translate_path(path)
            return found if Path(found).exists() else found + ".html"

        def log_message(self, *rest: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"https://troth.demo.localhost:{server.server_port}", pem
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_live_address_with_an_authority_of_its_own(place: Path, served):
    address, pem = served
    told = json.loads((place / "api/v1/promises.json").read_text("utf-8"))
    told["valid_until"] = stamp(NOW)
    (place / "api/v1/promises.json").write_text(json.dumps(told))

    assert run(address)[0] == 2, "an unknown authority is not trusted"
    code, said = run(address, SSL_CERT_FILE=str(pem))
    assert code == 1, "green, and past its own expiry"
    assert "expiry" in said
    published.publish_stale(place)
    for where in (address, address + "/trust/it/"):
        code, said = run(where, SSL_CERT_FILE=str(pem))
        assert code == 0, said


def test_what_the_publisher_publishes_agrees(tmp_path: Path, bench):
    """The whole way: the publisher's own edition of a log, in both variants, as files."""
    items = published.promises()
    bench.catalogue(*(published.entry(item) for item in items))
    at = bench.page().generated
    bench.round({"hsts.preload": "pass", "one-method.a": "pass"}, at - timedelta(minutes=5))
    bench.round({"hsts.header": "pass", "tls-versions.offered": "fail"}, at - timedelta(seconds=9))
    bench.round({"cookies.set": "pass"}, at - timedelta(minutes=9), vantage="away")
    bench.round({"cookies.set": "error"}, at - timedelta(seconds=5), vantage="away", logged=False)
    bench.round({"hsts.header": "pass"}, at - timedelta(seconds=2), logged=False)
    rendering = compose(bench.page(), Press.load(), Extras(looks=bench.looks()))
    folder = tree.publish(tmp_path / "public", rendering, now=at)
    bench.close()
    for variant in ("current", "stale"):
        place = tmp_path / variant
        shutil.copytree(folder / "current", place)
        shutil.copytree(folder / variant, place, dirs_exist_ok=True)
        shutil.copytree(bench.folder, place / "log")

        code, said = run(place, "--key", bench.ledger.keyid)

        assert code == 0, said
        assert "agrees: 10 promises" in said
