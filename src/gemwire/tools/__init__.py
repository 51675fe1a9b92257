"""Function calling, around the sending: what to declare, which functions to run, what to ask next.

send the request → `run_tools` → `next_request` → send that, until no call is pending
"""

from .next_turn import next_request as next_request
from .running import UnknownFunction as UnknownFunction
from .running import arun_tools as arun_tools
from .running import decode_arguments as decode_arguments
from .running import error_result as error_result
from .running import function_declaration as function_declaration
from .running import run_tools as run_tools

__all__ = [
    "UnknownFunction",
    "arun_tools",
    "decode_arguments",
    "error_result",
    "function_declaration",
    "next_request",
    "run_tools",
]
