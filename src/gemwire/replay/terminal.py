"""What the demo needs to look well: text wrapped while it streams, and small pictures."""

from __future__ import annotations

import re
import struct
import zlib
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console

_WHITESPACE = re.compile(r"(\s)")
_UPPER_HALF = "▀"


class Prose:
    """Prints text as it comes, wrapped at words, with a margin.

    The last word is held back until whitespace shows that it is whole. Line ends at the very
    start, and after `end()`, are dropped.

    Args:
        console: Where to print.
        margin: What stands before every line.
        width: Cells in a line, with the margin.

    """

    def __init__(self, console: Console, margin: str, width: int) -> None:
        self._console = console
        self._margin = margin
        self._width = width - cell_len(margin)
        self._column = 0
        self._space = ""
        self._word = ""
        self._fresh = True

    def write(self, text: str) -> None:
        """Print what is certain of this text."""
        *tokens, self._word = _WHITESPACE.split(self._word + text)
        self._put(tokens)

    def end(self) -> None:
        """Print what was held back, and end the line."""
        self._put([self._word])
        self._word = ""
        if self._column:
            self._print("\n")
        self._column, self._space, self._fresh = 0, "", True

    def _put(self, tokens: list[str]) -> None:
        out: list[str] = []
        for token in tokens:
            if token == "\n":
                out.append("" if self._fresh else "\n")
                self._column, self._space = 0, ""
            elif token.isspace():
                self._space += " "
            elif token:
                width = cell_len(token)
                if self._column and self._column + len(self._space) + width > self._width:
                    out.append("\n")
                    self._column, self._space = 0, ""
                out.append((self._space if self._column else self._margin + self._space) + token)
                self._column += len(self._space) + width
                self._space, self._fresh = "", False
        if out:
            self._print("".join(out))

    def _print(self, text: str) -> None:
        self._console.print(Text(text), end="", soft_wrap=True)


def picture(png: bytes, margin: str) -> Text | None:
    """Draw a PNG with two pixels in each cell.

    Only of the plainest kind, as in the bundled recording: 8-bit RGB, not interlaced, each line
    as it is or as the difference to the one above. None for all others.
    """
    try:
        width, height, *kind = struct.unpack_from(">IIBBBBB", png, 16)
        packed, at = b"", 8
        while at < len(png):
            length, tag = struct.unpack_from(">I4s", png, at)
            packed += png[at + 8 : at + 8 + length] if tag == b"IDAT" else b""
            at += 12 + length
        data = zlib.decompress(packed)
    except (struct.error, zlib.error):
        return None
    stride = 3 * width
    if kind != [8, 2, 0, 0, 0] or len(data) != height * (stride + 1):
        return None
    lines = [bytes(stride)]
    for start in range(0, height * (stride + 1), stride + 1):
        line = data[start + 1 : start + 1 + stride]
        match data[start]:
            case 0:
                lines.append(line)
            case 2:
                lines.append(bytes((a + b) % 256 for a, b in zip(line, lines[-1], strict=True)))
            case _:
                return None
    drawn = Text(no_wrap=True)
    for upper, lower in zip(lines[1::2], lines[2::2], strict=False):
        drawn.append(margin)
        for x in range(0, stride, 3):
            colours = ("#" + line[x : x + 3].hex() for line in (upper, lower))
            drawn.append(_UPPER_HALF, " on ".join(colours))
        drawn.append("\n")
    return drawn
