"""Halves of surrogate pairs that are written as escapes (`\\ud83c`) in JSON text.

No writer of UTF-8 takes such a half, so that one in the arguments of a call would make every later
request fail.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["with_whole_pairs"]

_ESCAPE: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def with_whole_pairs(text: bytes) -> tuple[bytes, bool]:
    """The text with U+FFFD for every half that stands alone, and whether there was one.

    Cost: one pass over a text that has such an escape at all.
    """
    if b"\\ud" not in text and b"\\uD" not in text:
        return text, False
    mended = _ESCAPE.sub(_whole, text)
    return mended, mended != text


def _whole(escape: re.Match[bytes]) -> bytes:
    return escape[0] if escape[1] is None else rb"\ufffd"
