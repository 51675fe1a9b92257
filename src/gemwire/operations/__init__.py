"""One function for each operation of the API, each giving a `Request`: what to send, not sent yet.

`OPERATIONS` has what the spec says of each. `continue_interaction` makes the request that goes on
with an answer.
"""

from . import generated
from .continuation import continue_interaction as continue_interaction
from .generated import *

__all__ = ["continue_interaction"]
__all__ += generated.__all__
