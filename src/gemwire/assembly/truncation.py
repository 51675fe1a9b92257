"""What is known of a stream that was cut: how far it came, and what it was if it was none."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from ..codec.json import read_json
from .answer import Answer

__all__ = ["cut_message"]

_LONGEST: Final = 300  # characters of a message
_SHOWN: Final = 100  # characters of what came
_PAGE: Final = 8192  # bytes of a page in which its title is looked for

_MAGIC: Final[tuple[tuple[bytes, str], ...]] = (
    (b"\x1f\x8b", "gzip, which nobody has unpacked"),
    (b"\x28\xb5\x2f\xfd", "zstd, which nobody has unpacked"),
    (b"\xff\xfe", "text in UTF-16; an event stream is UTF-8"),
    (b"\xfe\xff", "text in UTF-16; an event stream is UTF-8"),
)
"""How bytes begin that are no UTF-8 text, and what they are."""

_OTHER_APIS: Final[tuple[tuple[str, str], ...]] = (
    ('"chat.completion', "chat completions of OpenAI"),
    ('"response.', "responses of OpenAI"),
    ('"message_start"', "messages of Anthropic"),
    ('"content_block_', "messages of Anthropic"),
    ('"candidates"', "generateContent"),
)
"""What stands in the events of other APIs."""

_TITLES: Final = tuple(
    re.compile(rf"<{tag}\b[^<>]*>([^<]*)", re.IGNORECASE) for tag in ("title", "h1")
)


def cut_message(answer: Answer) -> str:
    """What to say of an answer whose stream stopped before its end."""
    if answer.event_count:
        known = [_foreign(answer) or "", _open_step(answer), _outside(answer.stray)]
    elif answer.stray:
        known = [_instead(answer.stray)]
    else:
        known = ["nothing but blank lines, comments or half an event"] * bool(answer.byte_count)
    told = [_how_much(answer), *filter(None, known), _how_to_go_on(answer)]
    message = "the stream stopped before its end: " + "; ".join(filter(None, told))
    return _shortened(message, _LONGEST)


# ---- a stream of events
def _how_much(answer: Answer) -> str:
    if not answer.event_count and not answer.byte_count and not answer.stray:
        return "no bytes at all"
    told = _count(answer.event_count, "event") if answer.event_count else "no event"
    return f"{told}, {_count(answer.byte_count, 'byte')}" if answer.byte_count else told


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _open_step(answer: Answer) -> str:
    """The step that was opened last, if it is open, else the one that stands last of those."""
    waiting = [builder for builder in answer.current.open if not builder.closed]
    if not waiting:
        return ""
    last = answer.current.last
    if last is None or last.closed:
        last = max(waiting, key=lambda builder: builder.position)
    return f"step {last.index} ({_shortened(_said(str(last.kind)), 40)}) is open"


def _how_to_go_on(answer: Answer) -> str:
    if answer.resume_point() is not None:
        return "it can be resumed, see report.resume"
    return "it cannot be resumed" if answer.event_count else ""


def _outside(stray: bytes) -> str:
    return f"outside of the events: {_instead(stray)}" if stray else ""


def _foreign(answer: Answer) -> str | None:
    """What the events are if none of them is one of this API."""
    seen = [entry for entry in answer.findings.in_events if entry.path == "event"]
    if not seen or sum(entry.count for entry in seen) < answer.event_count:
        return None
    sample = seen[0].sample.decode("utf-8", "replace")
    text = f'"{seen[0].tag}" {sample}'
    for mark, name in _OTHER_APIS:
        if mark in text:
            return f"they are those of another API ({name})"
    return f"none of them is of this API, the first is {_said(sample)}"


# ---- what came in the place of events
def _instead(stray: bytes) -> str:
    """What text is that is no event stream."""
    for magic, what in _MAGIC:
        if stray.startswith(magic):
            return what
    if stray[:64].count(0) * 4 >= len(stray[:64]):
        return "text in UTF-16; an event stream is UTF-8"
    text = stray.decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    return _KINDS.get(text[:1], _plain)(text)


def _plain(text: str) -> str:
    return f"it began with {_said(text.partition(chr(10))[0])}"


def _markup(text: str) -> str:
    """A page of a proxy, by its title."""
    head = text[:_PAGE]
    if not re.search(r"<(!doctype html|html|head|body|title)\b", head, re.IGNORECASE):
        return f"markup: {_said(head)}"
    found = (each for tag in _TITLES for each in tag.findall(head))
    title = next(filter(str.strip, found), "")
    return f"an HTML page, {_said(title)}" if title else "an HTML page"


def _json(text: str) -> str:
    """JSON: all of it, lines of it, or a part."""
    if not isinstance(read_json(text.encode()), str):
        return f"JSON that is no interaction: {_said(text)}"
    first = text.partition("\n")[0]
    if not isinstance(read_json(first.encode()), str):
        return f"lines of JSON, not events: {_said(first)}"
    return f"JSON that is not whole: {_said(text)}"


_KINDS: Final[dict[str, Callable[[str], str]]] = {"<": _markup, "{": _json, "[": _json}
"""What reads a text, by its first character."""


def _said(text: str) -> str:
    """The beginning of a text, on one line and printable."""
    line = " ".join(text[: 4 * _SHOWN].split())
    line = "".join(each if each.isprintable() else "\ufffd" for each in line)
    return _shortened(line, _SHOWN)


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
