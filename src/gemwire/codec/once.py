"""What is built at first use: built once, by one thread at a time.

msgspec must not build decoders that share a Struct in two threads at once: the process dies of a
segmentation fault (0.22). So everything that msgspec builds from types is built in here, behind one
lock. What is there already is found without it.
"""

from __future__ import annotations

import functools
from _thread import RLock  # `threading` takes as long to import as the rest of the codec
from collections.abc import Callable
from typing import Any, Final, ParamSpec, TypeVar

import msgspec

__all__ = ["BUILDING", "decoder", "memo"]

P = ParamSpec("P")
T = TypeVar("T")

BUILDING: Final = RLock()
"""Held while msgspec builds anything from types. One that builds may need another built first."""


def memo(function: Callable[P, T]) -> Callable[P, T]:
    """`functools.cache` that keeps the signature and never computes a value twice."""
    built: dict[Any, T] = {}

    def build(*key: Any) -> T:
        with BUILDING:  # `functools.cache` lets several threads through to here
            if key not in built:
                built[key] = function(*key)  # type: ignore[call-arg]
            return built[key]

    return functools.wraps(function)(functools.cache(build))  # type: ignore[return-value]


@memo
def decoder(hint: Any) -> msgspec.json.Decoder[Any]:
    """The one-pass decoder of a type."""
    return msgspec.json.Decoder(hint)
