"""Which rules an upload's route has, and what is done about what was found."""

import msgspec
import pytest

from troth.engines.uploads import Fault, Held
from troth.engines.uploads.eicar import TEST
from troth.kernel.request import Request
from troth.promises.guard.enforce.uploads import SLUG, of
from troth.promises.guard.settings.uploads import Uploads


def desk(scan=None, **said):
    return of(msgspec.convert(said, Uploads), 1000, scan)


def request(path: bytes = b"/up", kind: bytes = b"text/plain") -> Request:
    return Request(method=b"POST", target=path, host=b"a", headers=((b"content-type", kind),))


def test_the_longest_route_counts():
    made = desk(
        routes=[
            {"path": "/up/", "kinds": ["image"]},
            {"path": "/up/papers", "kinds": ["pdf"], "max_bytes": 5000, "macros": "pass"},
        ]
    )

    assert made.rules(b"/up/x").kinds == {"image"}
    assert made.rules(b"/up/papers/1").kinds == {"pdf"}
    assert (made.rules(b"/up/papers").max_bytes, made.rules(b"/up/papers").refuses_macros) == (
        5000, False,
    )  # fmt: skip
    assert "program" not in made.rules(b"/elsewhere").kinds


def test_what_was_found_is_refused_or_told():
    fault = Fault(code="malware", status=403, message="malware: x", place="FILES:f", value=b"a")

    said = desk().opinion(fault)

    assert (said.refusal.slug, said.refusal.code, said.refusal.status) == (SLUG, "malware", 403)
    assert (said.hits[0].place, said.hits[0].rule) == ("FILES:f", "upload-malware")
    watched = desk(mode="watch").opinion(fault)
    assert (watched.refusal, watched.counted) == (None, "uploads.watched.malware")
    assert watched.hits == said.hits
    assert desk(mode="off") is None


def gone(_):
    raise OSError("nobody there")


def test_without_a_scanner_it_is_as_the_operator_chose():
    refused = desk(gone).look(request(), Held(b"hello")).fault

    assert (refused.code, refused.status) == ("scanner", 503)
    assert dict(desk().opinion(refused).refusal.headers)[b"retry-after"]
    assert desk(gone, when_gone="pass").look(request(), Held(b"hello")).fault is None
    assert desk(gone, when_gone="pass").look(request(), Held(TEST)).fault.code == "malware"


@pytest.mark.parametrize("text", ["rules", "pass"])
def test_settings_become_rules(text):
    made = desk(routes=[{"path": "/", "text": text}], parts=7)

    assert (made.rules(b"/").reads_text, made.rules(b"/").parts) == (text == "rules", 7)
