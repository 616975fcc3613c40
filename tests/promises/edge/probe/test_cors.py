"""Who calls across origins."""

import msgspec

from troth.promises.edge.judge.cors import STRANGERS
from troth.promises.edge.probe import cors
from troth.promises.edge.settings import EdgeSettings


def test_strangers_lookalikes_and_listed_origins_are_all_tried(played):
    chosen = msgspec.convert(
        {"cors": {"origins": ["https://friend.example"], "paths": ["/api"]}}, EdgeSettings
    )
    vantage = played()

    calls = cors.origins(vantage, chosen).facts["calls"]

    assert {call["who"] for call in calls} == STRANGERS | {"listed"}
    origins = {call["origin"] for call in calls}
    assert {
        "null",
        "https://sub.app.example",
        "https://app.example.stranger.example",
        "https://strangerfriend.example",
        "http://friend.example",
    } <= origins
    urls = {each.split()[1] for each in vantage.asked}
    assert {"https://app.example/", "https://app.example/api"} <= urls
    assert {call["preflight"] for call in calls} == {True, False}


def test_an_origin_that_is_listed_is_no_stranger(played):
    chosen = msgspec.convert({"cors": {"origins": ["https://sub.app.example"]}}, EdgeSettings)

    calls = cors.origins(played(), chosen).facts["calls"]

    assert {c["who"] for c in calls if c["origin"] == "https://sub.app.example"} == {"listed"}
