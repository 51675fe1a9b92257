"""One function for each operation of the API, each giving a `Request`: what to send, not sent yet.

`OPERATIONS` has what the spec says of each, an `Operation`. `continue_interaction` makes the
request that goes on with an answer.
"""

from . import generated
from .continuation import continue_interaction as continue_interaction
from .generated import *
from .request import Operation as Operation
from .request import Request as Request

__all__ = ["Operation", "Request", "continue_interaction"]
__all__ += generated.__all__
