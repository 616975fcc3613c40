"""Kinds of parameters: seen by the guard, read from OpenAPI, proposed, written."""

import json
from pathlib import Path

import pytest

from troth.kernel.errors import Failure
from troth.kernel.request import Request
from troth.roles import learn, up
from troth.roles.places import Places

CONFIG = """
[troth]
name = "n"
host = "t.localhost"
[application]
host = "a.localhost"
upstream = "http://127.0.0.1:1"
[status]
host = "s.localhost"
[guard.learn]
min_samples = 5
"""
OPENAPI = {
    "openapi": "3.1.0",
    "servers": [{"url": "https://a.example/v1/"}],
    "paths": {
        "/courts/{court}": {
            "parameters": [{"in": "query", "name": "day", "schema": {"type": "string",
                            "format": "date"}}],
            "get": {"parameters": [{"$ref": "#/components/parameters/hour"}]},
            "post": {"requestBody": {"content": {"application/json": {
                "schema": {"$ref": "#/components/schemas/Booking"}}}}},
        }
    },
    "components": {
        "parameters": {"hour": {"in": "query", "name": "hour", "schema": {"type": "integer"}}},
        "schemas": {"Booking": {"properties": {
            "id": {"type": "string", "format": "uuid"},
            "note": {"type": "string"},
            "again": {"$ref": "#/components/schemas/Booking"},
            "players": {"type": "array", "items": {"properties": {"age": {"type": "integer"}}}},
        }}},
    },
}  # fmt: skip


@pytest.fixture
def places(tmp_path: Path) -> Places:
    made = Places(tmp_path / "data")
    made.prepare()
    return made


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "troth.toml"
    path.write_text(CONFIG)
    return path


def used(places: Places, *targets: bytes) -> learn.Watch:
    watch = learn.Watch(places.spool / learn.FILE)
    watch.is_on = True
    for target in targets:
        watch.passed(Request(method=b"GET", target=target, host=b"a", headers=()))
    watch.save()
    return watch


def test_what_was_seen_is_proposed_and_written(places: Places, config: Path):
    used(places, *[b"/courts/%d?hour=%d&q=free+text&n=" % (n, n) for n in range(10, 60)])

    proposal = learn.propose(up.read(config), places)

    (made,) = proposal.parameters
    assert (made.path, made.name, made.kind) == ("/courts/{id}", "hour", "integer")
    assert proposal.samples == (12,)
    assert "hour: integer" in "\n".join(learn.lines(proposal, "off"))
    learn.write(config, places, proposal)
    assert up.read(config).guard.learn.parameters == (made,)
    assert learn.propose(up.read(config), places).parameters == ()


def test_no_value_is_written_down(places: Places):
    used(places, *[b"/x?name=anna-secret"] * 8)

    assert "anna" not in (places.spool / learn.FILE).read_text()


def test_few_values_and_doubtful_paths_say_nothing(places: Places, config: Path):
    used(places, *[b"/a?n=1"] * 8, *[b"/b/..%2f?n=1"] * 40)

    assert learn.propose(up.read(config), places).parameters == ()


def test_it_goes_on_after_a_restart(places: Places):
    used(places, *[b"/a?n=1"] * 8)
    watch = used(places, *[b"/a?n=2"] * 8)

    assert watch.learnt.routes["/a"]["n"].count == 4


def test_a_damaged_file_is_a_new_beginning(places: Places):
    (places.spool / learn.FILE).write_text("{")

    assert learn.Watch(places.spool / learn.FILE).learnt.routes == {}


def test_nothing_is_learnt_unless_it_is_on(places: Places):
    watch = learn.Watch(places.spool / learn.FILE)
    for _ in range(8):
        watch.passed(Request(method=b"GET", target=b"/a?n=1", host=b"a", headers=()))

    assert watch.learnt.routes == {}


@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_openapi(tmp_path: Path, places: Places, config: Path, suffix: str):
    path = tmp_path / f"api.{suffix}"
    path.write_text(json.dumps(OPENAPI))  # JSON is YAML
    config.write_text(f'{CONFIG}openapi = "{path}"\n')

    found = {
        (each.path, each.name): each.kind
        for each in learn.propose(up.read(config), places).parameters
    }

    assert found["/v1/courts/{court}", "day"] == "date"
    assert found["/v1/courts/{court}", "hour"] == "integer"
    assert found["/v1/courts/{court}", "id"] == "uuid"
    assert found["/v1/courts/{court}", "players.*.age"] == "integer"
    assert ("/v1/courts/{court}", "note") not in found


@pytest.mark.parametrize("text", ["", "[1]", "{", "paths: 3", "a: &x [*x]"])
def test_what_is_no_document_is_said_to_be_none(tmp_path: Path, text: str):
    path = tmp_path / "api.yaml"
    path.write_text(text)

    with pytest.raises(Failure):
        list(learn.openapi(path))
    with pytest.raises(Failure, match="does not exist"):
        learn.openapi(tmp_path / "gone")
