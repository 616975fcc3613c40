"""Liars about files that visitors send."""

import copy
from dataclasses import replace

from liars.liar import Liar
from troth.enforce.envoy import Plan
from troth.enforce.envoy.clusters import DESK
from troth.engines.envoy.resources import Resources


def _without(plan: Plan) -> Plan:
    return replace(plan, desk=None, released=None)


def _passed_by(resources: Resources) -> Resources:
    """What should lie with the desk goes to where the desk lets things on."""
    clusters = copy.deepcopy(resources.clusters)
    listener = next(each for each in resources.listeners if each["name"] == "released")
    for cluster in clusters:
        if cluster["name"] == DESK:
            (rank,) = cluster["load_assignment"]["endpoints"]
            (endpoint,) = rank["lb_endpoints"]
            path = listener["address"]["pipe"]["path"]
            endpoint["endpoint"]["address"]["pipe"]["path"] = path
    return replace(resources, clusters=clusters)


LIARS = (
    Liar("uploads-scanned", "uploads stream past", plan=_without),
    Liar("uploads-scanned", "the desk is passed by", resources=_passed_by),
)
