"""The speed lane: frames that differ in the inside of one JSON string are read many at a time.

A long stream is one frame over and over, `event: step.delta` and a payload in which nothing but a
text changes. Once one payload was decoded, what stands before and behind its text is known (its
`Shape`), and a further one needs no more than to be compared with that.

**Why this is exact.** A shape is learned from a payload by decoding it again with another text in
that place, which must give the same event with that text, and no other difference. So the head ends
with the opening quote of the string, and the tail begins with the closing one. Whatever stands
between the same head and tail, if it is the inside of a JSON string, leaves the structure no
choice: any order of members, any that repeat. That it is such an inside is found by decoding: all
texts of a run are joined with DEL between, and decoded as one string. No quote, escape, character
or half of a pair can go on across a DEL, and no control character can be in it, so that the whole
is a string just when each part is. DEL itself may be in a text; then there are too many.

Whatever is not recognised goes the ordinary way, and nobody can tell but by the time it takes.
"""

from __future__ import annotations

import re
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from msgspec import UNSET, UnsetType
from msgspec.structs import astuple, replace

from ..codec.json import REFUSED
from ..codec.once import decoder
from ..codec.structs import WireStruct
from ..models import ArgumentsDelta, StepDelta, TextDelta
from ..sse import SSEMessage, SSEParser
from ..wire.events import EVENT_DECODERS

if TYPE_CHECKING:
    from ..wire.events import Event

__all__ = ["DEL", "Chunk", "Frames", "Run", "Shape", "learn"]

Chunk: TypeAlias = bytes | bytearray | memoryview

DEL: Final = "\x7f"
_WINDOW: Final = 2**17  # bytes; what is cut at once stays in the processor's cache
_MIN_RUN: Final = 4  # fewer are no faster
_MAX_KINDS: Final = 16
_MAX_SHAPES: Final = 128  # of one kind
_MAX_AROUND: Final = 2**10  # bytes around a string, as all shapes are held
_MAX_INDEX: Final = 9  # digits
_MAX_WAIT: Final = 256
_STEP_DELTA: Final = b"event: step.delta"
_DELTAS: Final = (_STEP_DELTA, b"event: content.delta")

_STRINGS: Final[dict[str, tuple[str, ...]]] = {
    "text": ("text",),
    "arguments_delta": ("arguments",),
    "thought_signature": ("signature",),
    "thought_summary": ("content", "text"),
    **dict.fromkeys(("audio", "document", "image", "video"), ("data",)),
}
"""Kind of delta → where its string is."""


class Kind(NamedTuple):
    """Payloads that are alike but for the index of the step and one string."""

    name: bytes
    """The line of the event name."""
    before: bytes
    """The line of data up to the index."""
    between: bytes
    """From the index to the opening quote."""
    tail: bytes
    """From the closing quote on."""
    event: Any
    """The event of one of them."""
    path: tuple[str, ...]
    """Where the string is in the event."""
    shapes: dict[bytes, Shape]
    """The shapes of this kind that were met, by their index as it stands."""

    def shape_of(self, data: bytes) -> Shape | None:
        """The shape of a line of data; None if it is of another kind."""
        if not data.startswith(self.before):
            return None
        start = len(self.before)
        stop = data.find(self.between, start, start + _MAX_INDEX + len(self.between))
        digits = data[start:stop]
        if stop < 0 or not data.endswith(self.tail):
            return None
        if (shape := self.shapes.get(digits)) is not None:
            return shape
        if not digits.isdigit() or (digits[0] == ord("0") and len(digits) > 1):
            return None
        shape = Shape(self, digits)
        if len(self.shapes) < _MAX_SHAPES:
            self.shapes[digits] = shape
        return shape


class Shape:
    """Payloads, and frames, that are alike but for one string."""

    __slots__ = (
        "_between",
        "_inside",
        "_mark",
        "event",
        "front",
        "head",
        "kind",
        "path",
        "quoted",
        "rear",
        "start",
        "stop",
        "tail",
        "text_index",
    )

    def __init__(self, kind: Kind, digits: bytes) -> None:
        self.kind = kind
        self.path = kind.path
        # The line of data: what is before the string, what behind it, and where that is.
        self.start = kind.before + digits + kind.between
        self.stop = kind.tail
        self._inside = itemgetter(slice(len(self.start), -len(self.stop)))
        self._between = self.stop + b"\n" + self.start
        # The same for a whole frame, and for the string with its quotes.
        self.head = kind.name + b"\n" + self.start
        self.tail = self.stop + b"\n\n"
        self.front = slice(0, len(self.head))
        self.rear = slice(-len(self.tail), None)
        self.quoted = slice(len(self.head) - 1, 1 - len(self.tail))
        self._mark: bytes | None = None
        self.event = replace(kind.event, index=int(digits)) if digits else kind.event
        text = type(self.event) is StepDelta and type(self.event.delta) is TextDelta
        self.text_index: Any = self.event.index if text else None  # of nearly all

    def has(self, data: bytes) -> bool:
        """Whether a line of data is of this shape, if what is left is the inside of a string."""
        return data.startswith(self.start) and data.endswith(self.stop)

    def run(self, datas: list[bytes], apart: bool) -> Run | None:
        """The run of these lines of data; None if one of them is of another shape."""
        insides = list(map(self._inside, datas))
        if self.start + self._between.join(insides) + self.stop != b"\n".join(datas):
            return None
        return self._run(insides, apart)

    def run_of(self, text: bytes, start: int, stop: int, apart: bool) -> Run | None:
        """The run that the whole frames of text[start:stop] are; None if they are none.

        They are cut at a byte that stands once between two strings, which is faster than looking
        for all that stands there, and then held against what they should be.
        """
        if not text.startswith(self.head, start) or not text.endswith(self.tail, start, stop):
            return None
        seam = self.tail + self.head
        if self._mark is None:
            self._mark = mark_in(seam)
        if not self._mark:
            return None
        region = text[start + len(self.head) : stop - len(self.tail)]
        before, _, behind = seam.partition(self._mark)
        pieces = region.split(self._mark)
        pieces[0] = behind + pieces[0]
        pieces[-1] += before
        insides = list(map(itemgetter(slice(len(behind), -len(before))), pieces))
        if seam.join(insides) != region:
            self._mark = b""  # it is in the texts
            return None
        return self._run(insides, apart)

    def _run(self, insides: list[bytes], apart: bool) -> Run | None:
        """The run of what should be the insides of strings."""
        try:
            text = decoder(str).decode(b'"%b"' % b"\x7f".join(insides))
        except REFUSED:
            return None
        seams = len(insides) - 1
        if apart:
            strings = text.split(DEL)
            legal = len(strings) - 1 == seams
        else:
            strings = [text.replace(DEL, "")]
            legal = len(text) - len(strings[0]) == seams
        return Run(self, len(insides), text, strings) if legal else None

    def events(self, texts: list[str]) -> list[Any]:
        """The events with these strings."""
        event = self.event
        index = event.index
        if self.text_index is not None:
            return [StepDelta(index=index, delta=TextDelta(text=text)) for text in texts]
        if type(event.delta) is ArgumentsDelta and type(event) is StepDelta:
            return [StepDelta(index=index, delta=ArgumentsDelta(arguments=text)) for text in texts]
        return [with_string(event, self.path, text) for text in texts]


def mark_in(seam: bytes) -> bytes:
    """A byte that it has once, one that few texts have if possible; empty if there is none."""
    once = [seam[at : at + 1] for at in range(1, len(seam)) if seam.count(seam[at : at + 1]) == 1]
    return min(once, key=lambda byte: (byte.isalnum(), byte.isalpha()), default=b"")


class Run(NamedTuple):
    """Frames of one shape in a row."""

    shape: Shape
    size: int
    text: str
    """Their strings, with DEL between; none has a DEL."""
    strings: list[str]
    """Each of them, or all as one."""

    def events(self) -> list[Any]:
        """Their events."""
        return self.shape.events(
            self.text.split(DEL) if len(self.strings) < self.size else self.strings
        )


def learn(name: bytes, data: bytes) -> Kind | None:
    """The kind of a delta's payload, by its two lines; None if it has none.

    Cost: three times that of decoding it.
    """
    if not data.startswith(b"data: "):
        return None
    decode = EVENT_DECODERS[name.removeprefix(b"event: ").decode()]
    try:
        event = decode(data[6:])
        path = ("delta", *_STRINGS[event.delta.type])
        kind = _split(name, data, event, path) if _is_plain(event) else None
        if kind is None:
            return None
        probe = Shape(kind, b"1234567" if kind.between else b"")
        if decode((probe.start + b"probe" + probe.stop)[6:]) != probe.events(["probe"])[0]:
            return None
    except (*REFUSED, AttributeError, KeyError):
        return None
    return kind


def _split(name: bytes, data: bytes, event: Any, path: tuple[str, ...]) -> Kind | None:
    """Where the index and the string seem to stand: a guess, for `learn` to try."""
    string = re.search(rb'"%b"\s*:\s*"((?:[^"\\]|\\.)*)"' % path[-1].encode(), data)
    if string is None or len(data) - len(string[1]) > _MAX_AROUND:
        return None
    start, stop = string.span(1)
    index = re.search(rb'"index"\s*:\s*(\d+)', data)
    if index is not None and index.end() < start:
        before, between = data[: index.start(1)], data[index.end() : start]
        return Kind(name, before, between, data[stop:], event, path, {})
    kind = Kind(name, data[:start], b"", data[stop:], event, path, {})  # of this index alone
    kind.shapes[b""] = Shape(kind, b"")
    return kind


def with_string(value: Any, path: tuple[str, ...], text: str) -> Any:
    """The model with another string there."""
    name, *rest = path
    member = with_string(getattr(value, name), tuple(rest), text) if rest else text
    return replace(value, **{name: member})


def _is_plain(event: Any) -> bool:
    """Whether an event only adds to its step, and many events can share what is in it."""
    bare = event.event_id is UNSET and event.metadata is UNSET and event.index is not UNSET
    return bare and _is_shared(event)


def _is_shared(value: Any) -> bool:
    if isinstance(value, WireStruct):
        return all(map(_is_shared, astuple(value)))
    return isinstance(value, str | int | float | UnsetType)


_NO_SHAPE = Shape(Kind(b"\xff", b"", b"", b"", None, (), {}), b"")
"""What no frame has."""
_NO_SHAPE.front = slice(0, 0)


class Frames(SSEParser):
    """The framing of the streams: like `SSEParser`, and frames of one shape come as a `Run`."""

    def __init__(self, *, max_event_bytes: int) -> None:
        super().__init__(max_event_bytes=max_event_bytes)
        self.shape = _NO_SHAPE  # that of the last delta
        self.apart = True  # whether each string of a run is wanted, or all as one
        self._kinds: list[Kind] = []
        self._wait = self._tries = 0  # deltas until the next is looked at, if none was of use

    def lone(self, chunk: Chunk) -> Event | None:
        """The event of a chunk that is one more frame of the shape at hand."""
        shape = self.shape
        if not (
            type(chunk) is bytes
            and chunk[shape.front] == shape.head
            and chunk[shape.rear] == shape.tail
            and self._idle
            and len(chunk) <= self._limit
        ):
            return None
        try:
            text = decoder(str).decode(chunk[shape.quoted])
        except REFUSED:
            return None
        self.fed_bytes += len(chunk)
        if shape.text_index is not None:
            return StepDelta(index=shape.text_index, delta=TextDelta(text=text))
        return shape.events([text])[0]  # type: ignore[no-any-return]

    def feed_frames(self, chunk: Chunk, /) -> list[Any]:
        """The messages that a chunk completes: a `Run`, `bytes` for the data of a `step.delta`, or
        an `SSEMessage`. Raises as `feed()` does.
        """
        messages: list[Any] = super().feed_frames(chunk)
        if len(messages) == 1 and type(messages[0]) is not Run:  # a chunk of its own
            message = messages[0]
            if self._wait:
                self._wait -= 1
            elif type(message) is bytes:
                self._meet(_STEP_DELTA, b"data: " + message)
            elif message.event == "content.delta":
                self._meet(_DELTAS[1], b"data: " + message.data)
        return messages

    def _cut(self, text: bytes, stop: int, messages: list[Any], bare: bool) -> bytes:
        """Append what stands in text[:stop]: whole blocks, some 128 KiB of them at a time."""
        if not bare:
            return super()._cut(text, stop, messages, bare)
        start = 0
        while start <= stop:
            end = text.rfind(b"\n\n", start, min(stop + 2, start + _WINDOW))
            if end < 0:  # one large event; it goes without a copy more
                end = text.find(b"\n\n", start + _WINDOW - 1)
                self._event(text, start, end, messages)
            elif (run := self.shape.run_of(text, start, end + 2, self.apart)) is not None:
                messages.append(run)
            else:
                self._lines(text[start : end + 1].split(b"\n"), messages)
            start = end + 2
        return text[start:]

    def _lines(self, lines: list[bytes], messages: list[Any]) -> None:
        """Append what stands in the lines of whole blocks."""
        names, datas = lines[::3], lines[1::3]
        count = len(names)
        if len(lines) % 3 or lines[2::3].count(b"") < count:  # not each is a name and its data
            text = b"\n".join(lines)
            super()._cut(text, len(text) - 1, messages, True)
            return
        start = 0
        while start < count:
            name = names[start]
            stop = start + 1
            if name in _DELTAS:
                while stop < count and names[stop] == name:
                    stop += 1
                self._deltas(name, datas[start:stop], messages)
            else:
                self._ordinary(name, datas[start:stop], messages)
            start = stop

    def _deltas(self, name: bytes, datas: list[bytes], messages: list[Any]) -> None:
        """Append what lines of data come to that have the same name."""
        start, count = 0, len(datas)
        untried = True  # whether all the rest is one run, as it most often is
        while start < count:
            run, stop = None, start + 1
            if count < _MIN_RUN and self._kinds:
                stop = count
            elif (shape := self._meet(name, datas[start])) is not None:
                if untried and shape.has(datas[-1]):
                    untried = False
                    run = shape.run(datas[start:], self.apart)
                if run is None:
                    while stop < count and shape.has(datas[stop]):
                        stop += 1
                    if stop - start >= _MIN_RUN:
                        run = shape.run(datas[start:stop], self.apart)
            elif self._wait:
                stop = min(count, stop + self._wait)
                self._wait -= stop - start - 1
            if run is None:
                self._ordinary(name, datas[start:stop], messages)
                start = stop
            else:
                self._tries = self._wait = 0
                messages.append(run)
                start += run.size

    def _meet(self, name: bytes, data: bytes) -> Shape | None:
        """The shape of a delta, one that is new too; None if none is known."""
        shape = self.shape
        if shape.kind.name == name and shape.has(data):
            return shape
        for kind in self._kinds:
            if kind.name == name and (found := kind.shape_of(data)) is not None:
                self.shape = found
                return found
        if self._wait:
            return None
        learned = learn(name, data)
        if learned is not None:
            self._kinds = [learned, *self._kinds[: _MAX_KINDS - 1]]
            self.shape = learned.shape_of(data) or self.shape
        self._tries += 1
        if learned is None or self._tries > _MAX_KINDS:  # it is of no use
            self._wait = min(2**self._tries, _MAX_WAIT)
        return None

    def _ordinary(self, name: bytes, datas: list[bytes], messages: list[Any]) -> None:
        """Append what blocks of two lines come to that have the same name."""
        found = [data[6:] for data in datas if data[:6] == b"data: " and len(data) > 6]
        known = self._names.get(name) or self._name(name)
        if known is None or len(found) < len(datas):
            for data in datas:
                block = name + b"\n" + data
                self._parse(block, 0, len(block), messages)
        elif name == _STEP_DELTA:
            messages += found
        else:
            messages += [SSEMessage(known, data, self.last_event_id) for data in found]
