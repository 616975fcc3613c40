"""The values that rules look at: read from a message, once, when a rule first asks.

`FILLERS[name](view)` gives names and values of a collection as they came; a scalar is one value
under an empty name. `view.View` holds what they are read from.
"""

from troth.engines.seclang.variables.request import FILLERS
from troth.engines.seclang.variables.view import View

__all__ = ["FILLERS", "View"]
