"""Liars about standing in the way: a way around the guard, and an edge that waits for ever."""

import copy
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import msgspec

from liars.liar import Liar
from troth.catalogue import Settings
from troth.engines.envoy.resources import Json, Resources
from troth.kernel.site import Site


@contextmanager
def _open_to_all(data: Path, site: Site) -> Iterator[None]:
    """Anybody on the machine may connect to the application's own socket."""
    own = Path(site.origin.removeprefix("unix:"))
    with ExitStack() as stack:
        for place, more in ((own, 0o666), *((folder, 0o001) for folder in own.resolve().parents)):
            mode = place.stat().st_mode & 0o7777
            if mode & more != more:
                place.chmod(mode | more)
                stack.callback(place.chmod, mode)
        assert own.is_relative_to(data)
        yield


def _patient(resources: Resources) -> Resources:
    """No header is ever too late."""

    def walk(part: Json) -> None:
        if "request_headers_timeout" in part:
            part["request_headers_timeout"] = "600s"
        for value in part.values():
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, dict):
                    walk(each)

    listeners = copy.deepcopy(resources.listeners)
    for listener in listeners:
        walk(listener)
    return replace(resources, listeners=listeners)


def _with_http3(settings: Settings) -> Settings:
    """The operator offers HTTP/3."""
    return msgspec.structs.replace(
        settings, edge=msgspec.structs.replace(settings.edge, http3=True)
    )


def _unguarded_quic(resources: Resources) -> Resources:
    """What comes by QUIC is not asked about."""
    listeners = copy.deepcopy(resources.listeners)
    (quic,) = (each for each in listeners if each["name"] == "quic")
    for chain in quic["filter_chains"]:
        for each in chain["filters"]:
            config = each["typed_config"]
            config["http_filters"] = [
                one for one in config["http_filters"] if "ext_authz" not in str(one)
            ]
    return replace(resources, listeners=listeners)


LIARS = (
    Liar("traffic-inspected-inline", "a socket open to all", beside=_open_to_all),
    Liar(
        "traffic-inspected-inline",
        "HTTP/3 passes beside the guard",
        declared=_with_http3,
        resources=_unguarded_quic,
        only=("traffic-inspected-inline.protocols",),
    ),
    Liar(
        "ddos-mitigation",
        "headers may take ten minutes",
        resources=_patient,
        only=("ddos-mitigation.drill",),
    ),
)
