"""Older spellings of members, and what gives today's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec import UNSET
from msgspec.structs import replace

from .. import models as m
from ..codec.encode import encode
from ..codec.lenient import read

__all__ = ["MODERNISERS", "SPELLINGS", "modernise", "with_spellings"]

SPELLINGS: Final[dict[type, tuple[str, str]]] = {
    m.AudioContent: ("rate", "sample_rate"),
    m.GoogleSearchResult: ("rendered_content", "search_suggestions"),
    m.Usage: ("total_reasoning_tokens", "total_thought_tokens"),
}
"""Members that have another name today."""


def with_spellings(value: Any) -> Any:
    """The model with today's name of a member; the same object if it has that."""
    older, newer = SPELLINGS[type(value)]
    held = getattr(value, older)
    extra = {} if value.extra_ is UNSET else value.extra_.texts
    taken = getattr(value, newer) is not UNSET or newer in extra
    return value if held is UNSET or taken else replace(value, **{older: UNSET, newer: held})


def with_spellings_inside(value: Any) -> Any:
    """The result with today's names in its items."""
    items = value.result or []
    new = list(map(with_spellings, items))
    return replace(value, result=new) if any(map(_is_not, items, new)) else value


def listed(value: Any) -> Any:
    """The result as a list, where it is a list inside an object, as it was up to 1.64.

    Any other object is the function's own. So is one whose `items` are all texts: what a function
    gives may well look like that.
    """
    result = value.result
    items = result.get("items") if isinstance(result, dict) and len(result) == 1 else None
    if not isinstance(items, list) or not all(isinstance(i, str) or _is_media(i) for i in items):
        return value
    if not any(map(_is_media, items)):
        return value
    parts = [m.TextContent(text=item) if isinstance(item, str) else item for item in items]
    return replace(value, result=read(list[m.FunctionResultSubcontent], encode(parts)))


def _is_media(item: Any) -> bool:
    return isinstance(item, dict) and item.get("type") in ("text", "image")


def _is_not(one: Any, other: Any) -> bool:
    return one is not other


MODERNISERS: Final[dict[type, tuple[str, Callable[[Any], Any]]]] = {
    m.AudioContent: ("spelling", with_spellings),
    m.FunctionResultDelta: ("items", listed),
    m.FunctionResultStep: ("items", listed),
    m.GoogleSearchResultDelta: ("spelling", with_spellings_inside),
    m.GoogleSearchResultStep: ("spelling", with_spellings_inside),
    m.McpServerToolResultDelta: ("items", listed),
    m.McpServerToolResultStep: ("items", listed),
}
"""What may be in an older spelling: the kind of loss, and what gives today's form."""


def modernise(value: Any) -> Any:
    """A step, a part or a delta in today's spelling; the same object if it has that."""
    return MODERNISERS[type(value)][1](value) if type(value) in MODERNISERS else value
