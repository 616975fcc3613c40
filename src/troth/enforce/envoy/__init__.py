"""Compiles the edge: a plan and the promises' fragments become Envoy's listeners and clusters.

Pure. `plan` says what is given, `compile_edge` joins it; each other file is one part of the result.
The compiler keeps no promise by itself: without fragments the edge takes whatever Envoy can do.
"""

from troth.enforce.envoy.compile import compile_edge
from troth.enforce.envoy.plan import Plan, Upstream

__all__ = ["Plan", "Upstream", "compile_edge"]
