"""The whole edge at once."""

from collections.abc import Sequence

from troth.enforce.envoy.clusters import clusters
from troth.enforce.envoy.listeners import listeners
from troth.enforce.envoy.merged import merge
from troth.enforce.envoy.plan import Plan
from troth.engines.envoy.resources import Resources
from troth.kernel.fragment import Fragment


def compile_edge(plan: Plan, fragments: Sequence[Fragment]) -> Resources:
    """Envoy's listeners and clusters for this plan, keeping the promises of these fragments.

    Pure: the same arguments give the same resources. Raises ValueError for fragments that cannot
    be joined (too much Lua) and KeyError for a host without a certificate.
    """
    merged = merge(fragments)
    return Resources(listeners=listeners(plan, merged), clusters=clusters(plan, merged))
