"""InteractionStream, assemble, iter_events: what they yield, say and raise, and when they close."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from gemwire import (
    DONE,
    Assembler,
    DecodeError,
    Interaction,
    InteractionStream,
    LimitExceeded,
    ServerError,
    TruncatedStream,
    Unknown,
    assemble,
    decode_event,
    iter_events,
    to_dict,
)

from .wire import (
    WAYS,
    Payload,
    Verdict,
    answer,
    arguments,
    by_frames,
    completed,
    created,
    cut,
    delta,
    dumps,
    error,
    frame,
    pull,
    signature,
    start,
    stop,
    stream,
    text,
    update,
)

EVENTS: list[Payload] = [
    created(),
    update(),
    start(0, "thought"),
    signature(0, "c2ln"),
    stop(0),
    start(1, "model_output"),
    text(1, "A "),
    text(1, "mill – "),
    text(1, "by the sea"),
    stop(1),
    start(2, "function_call", id="f1", name="tide", arguments={}),
    arguments(2, '{"port":'),
    arguments(2, '"Rye"}'),
    stop(2),
    completed("requires_action"),
]
DATA = stream(*EVENTS)
SENT = [decode_event(dumps(event), event["event_type"]) for event in EVENTS]
WHOLE = assemble(DATA)
SIZES = (1, 2, 17, 1000, len(DATA))

READERS: dict[str, Callable[[bytes], Verdict]] = {
    name: read for name, read in WAYS.items() if name != "pushed"
}
"""The ways that look at the bytes outside of the events too."""


class Source:
    """An iterable of chunks that counts how often it is closed, and may break."""

    def __init__(self, chunks: Iterable[bytes], breaks: BaseException | None = None) -> None:
        self.chunks = iter(chunks)
        self.breaks = breaks
        self.closed = 0
        self.taken = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            chunk = next(self.chunks)
        except StopIteration:
            if self.breaks is not None:
                raise self.breaks from None
            raise
        self.taken += 1
        return chunk

    def close(self) -> None:
        self.closed += 1


class Broken(Exception):
    """What the caller's own iterable raises."""


# ---- iterating


@pytest.mark.parametrize("size", SIZES)
def test_events_are_yielded_as_sent(size: int) -> None:
    assert list(InteractionStream(cut(DATA, size))) == SENT
    assert list(iter_events(cut(DATA, size))) == SENT


@pytest.mark.parametrize("size", SIZES)
def test_state_is_that_of_the_event_just_yielded(size: int) -> None:
    """Also where one chunk brought them all: what has not been yielded has not happened."""
    assembler = Assembler()
    reader = InteractionStream(cut(DATA, size))
    for event, expected in zip(reader, SENT, strict=True):
        assert event == expected
        assembler.apply(event)
        assert reader.snapshot() == assembler.snapshot()
        assert reader.report.events == assembler.report.events
    assert reader.step(1) == assembler.step(1)


def test_act_on_a_call_at_its_stop() -> None:
    reader = InteractionStream(DATA)
    calls = [
        to_dict(reader.step(event.index))
        for event in reader
        if event.event_type == "step.stop" and isinstance(event.index, int)
    ]
    assert calls[2] == {
        "type": "function_call",
        "id": "f1",
        "name": "tide",
        "arguments": {"port": "Rye"},
    }


def test_events_come_with_the_chunk_that_completes_them() -> None:
    source = Source(by_frames(DATA))
    reader = InteractionStream(source)
    for position, _ in enumerate(reader, 1):
        assert source.taken == position


def test_next_and_for_go_on_with_each_other() -> None:
    reader = InteractionStream(DATA)
    assert next(reader) == SENT[0]
    for event in reader:
        assert event == SENT[1]
        break
    assert next(reader) == SENT[2]
    assert list(reader) == SENT[3:]
    with pytest.raises(StopIteration):
        next(reader)


def test_until_done_is_the_stream_itself() -> None:
    reader = InteractionStream(DATA)
    assert reader.until_done() is reader
    assert reader.report.outcome == "requires_action"
    assert reader.until_done().snapshot() == WHOLE


def test_get_final_interaction() -> None:
    for reader in (InteractionStream(DATA), InteractionStream(cut(DATA, 5))):
        assert reader.get_final_interaction() == WHOLE
        assert reader.get_final_interaction() == WHOLE, "it may be asked for again"
    reader = InteractionStream(DATA)
    next(reader)
    assert reader.get_final_interaction() == WHOLE


def test_get_final_text() -> None:
    assert InteractionStream(DATA).get_final_text() == "A mill – by the sea"
    with pytest.raises(TruncatedStream):
        InteractionStream(DATA[:400]).get_final_text()


def test_done_may_be_followed_by_more() -> None:
    data = stream(created(), DONE, start(0, "model_output"), DONE, text(0, "A mill"), completed())
    reader = InteractionStream(data)
    assert [event.event_type for event in reader] == [
        "interaction.created",
        "step.start",
        "step.delta",
        "interaction.completed",
    ]
    assert reader.get_final_interaction().output_text == "A mill"
    assert assemble(data).output_text == "A mill"
    assert len(list(iter_events(data))) == 4


# ---- chunks of any kind


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_kinds_of_chunks(kind: Callable[[bytes], Any]) -> None:
    whole, pieces = kind(DATA), [kind(chunk) for chunk in cut(DATA, 11)]
    for chunks in (whole, pieces, iter(pieces), [kind(b""), whole, kind(b"")]):
        assert InteractionStream(chunks).get_final_interaction() == WHOLE
    for chunks in (whole, pieces, [kind(b""), whole]):
        assert assemble(chunks) == WHOLE
        assert list(iter_events(chunks)) == SENT


def test_a_buffer_may_be_used_again() -> None:
    def reused() -> Iterator[bytearray]:
        buffer = bytearray(64)
        for chunk in cut(DATA, 64):
            buffer[:] = chunk
            yield buffer
            buffer[:] = b"?" * 64

    assert InteractionStream(reused()).get_final_interaction() == WHOLE
    assert assemble(reused()) == WHOLE


def test_report_counts_bytes_as_they_come() -> None:
    reader = InteractionStream(cut(DATA, 100))
    next(reader)
    assert 0 < reader.report.bytes < len(DATA)
    assert reader.report.bytes % 100 == 0
    assert reader.until_done().report.bytes == len(DATA)


# ---- text_stream

MILL: list[Payload] = [start(0, "model_output"), text(0, "A "), text(0, "mill"), stop(0)]

TEXTS: dict[str, tuple[list[Payload], list[str]]] = {
    "piece by piece": (MILL, ["A ", "mill"]),
    "of every step": (
        [*MILL, start(1, "thought"), stop(1), start(2, "model_output"), text(2, "!"), stop(2)],
        ["A ", "mill", "!"],
    ),
    "of the start, too": (
        [
            start(0, "model_output", content=[{"type": "text", "text": "A "}]),
            text(0, "mill"),
            stop(0),
        ],
        ["A ", "mill"],
    ),
    "of a start with several parts": (
        [
            start(0, "model_output", content=[{"type": "text", "text": "A "}, {"text": "mill"}]),
            stop(0),
        ],
        ["A mill"],
    ),
    "without a type": ([start(0, "model_output"), delta(0, None, text="A mill")], ["A mill"]),
    "without an index": ([start(0, "model_output"), text(None, "A mill")], ["A mill"]),
    "without a start": ([text(0, "A mill")], ["A mill"]),
    "not of thoughts": (
        [
            start(0, "thought"),
            delta(0, "thought_summary", content={"type": "text", "text": "Hm."}),
            text(0, "astray"),
            delta(0, None, text="astray"),
            stop(0),
        ],
        [],
    ),
    "not of what the user said": ([start(0, "user_input"), text(0, "Why?"), stop(0)], []),
    "not of what does not fit": ([start(0, "model_output"), delta(0, "text", text=5)], []),
    "empty pieces are none": ([start(0, "model_output"), text(0, ""), text(0, "a")], ["a"]),
    "a pair cut apart": (
        [start(0, "model_output"), text(0, "wave \ud83c"), text(0, "\udf0a!"), stop(0)],
        ["wave ", "\U0001f30a!"],
    ),
    "a pair with an empty piece between": (
        [start(0, "model_output"), text(0, "\ud83c"), text(0, ""), text(0, "\udf0a"), stop(0)],
        ["\U0001f30a"],
    ),
    "a high half alone": (
        [start(0, "model_output"), text(0, "wave \ud83c"), text(0, "!"), stop(0)],
        ["wave ", "\ufffd!"],
    ),
    "a high half at the end": (
        [start(0, "model_output"), text(0, "wave \ud83c"), stop(0)],
        ["wave ", "\ufffd"],
    ),
    "a low half alone": ([start(0, "model_output"), text(0, "\udf0a"), stop(0)], ["\ufffd"]),
}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("size", [1, 10_000])
def test_text_stream(name: str, size: int) -> None:
    events, pieces = TEXTS[name]
    reader = InteractionStream(cut(answer(*events), size))
    assert list(reader.text_stream) == pieces
    assert reader.get_final_interaction().output_text == "".join(pieces)


def test_text_stream_goes_on_from_here() -> None:
    reader = InteractionStream(answer(*MILL))
    for event in reader:
        if event.event_type == "step.delta":
            break
    assert list(reader.text_stream) == ["mill"]
    assert list(reader.text_stream) == []
    assert reader.get_final_text() == "A mill"


def test_text_stream_shows_the_state_too() -> None:
    reader = InteractionStream(answer(*MILL))
    assert [(piece, reader.snapshot().output_text) for piece in reader.text_stream] == [
        ("A ", "A "),
        ("mill", "A mill"),
    ]


# ---- the iterable raises


@pytest.mark.parametrize("size", [50, 10_000])
def test_iterable_that_raises(size: int) -> None:
    """Iterating lets it through as it is; whoever asks for the answer hears that it was cut."""
    data, problem = stream(*EVENTS[:8], done=False), Broken("reset by peer")
    source = Source(cut(data, size), problem)
    reader = InteractionStream(source)
    seen: list[Any] = []
    with pytest.raises(Broken) as caught:
        seen.extend(reader)
    assert seen == SENT[:8]
    assert caught.value is problem
    assert reader.report.outcome == "truncated"
    assert reader.report.events == 8
    with pytest.raises(TruncatedStream) as cut_short:
        reader.get_final_interaction()
    assert cut_short.value.__cause__ is problem
    assert cut_short.value.report is reader.report

    for read in (
        lambda: InteractionStream(Source(cut(data, size), problem)).get_final_interaction(),
        lambda: InteractionStream(Source(cut(data, size), problem)).get_final_text(),
        lambda: assemble(Source(cut(data, size), problem)),
    ):
        with pytest.raises(TruncatedStream) as cut_short:
            read()
        assert cut_short.value.__cause__ is problem
        assert cut_short.value.interaction is not None
        assert cut_short.value.interaction.output_text == "A mill – ", "all that came is there"


def test_iterable_that_raises_after_the_end() -> None:
    """What had ended is returned."""
    problem = Broken("reset by peer")
    assert InteractionStream(Source([DATA], problem)).get_final_interaction() == WHOLE
    assert assemble(Source([DATA], problem)) == WHOLE
    reader = InteractionStream(Source([DATA], problem))
    with pytest.raises(Broken):
        reader.until_done()
    assert reader.report.outcome == "requires_action"
    assert reader.get_final_interaction() == WHOLE


def test_iterable_that_raises_after_an_error() -> None:
    data = stream(created(), error({"code": 503}), done=False)
    with pytest.raises(ServerError):
        assemble(Source([data], Broken()))
    with pytest.raises(ServerError):
        InteractionStream(Source([data], Broken())).get_final_interaction()


def test_iterable_that_raises_within_an_event_that_is_too_large() -> None:
    """What it raised still goes through, not what else was wrong."""
    problem = Broken()
    source = Source([BEGUN, b"data: " + b"x" * 5000], problem)
    reader = InteractionStream(source, max_event_bytes=1000)
    with pytest.raises(Broken) as caught:
        reader.until_done()
    assert caught.value is problem
    assert reader.report.outcome == "truncated"


def test_iterable_that_raises_after_bare_text() -> None:
    """What the server said before the cut is not lost."""
    for bare, outcome in ((ONE_LINE, "error"), (ONE_LINE[:-5], "truncated"), (HTML, "truncated")):
        text = bare if isinstance(bare, bytes) else bare.encode()
        for data in (BEGUN + text, text):
            reader = InteractionStream(Source([data], Broken()))
            with pytest.raises(Broken):
                reader.until_done()
            assert reader.report.outcome == outcome
            if outcome == "truncated":
                assert reader.report.stray.startswith(text[:20])


def test_iterable_that_raises_at_once() -> None:
    class Hopeless:
        def __iter__(self) -> Iterator[bytes]:
            raise Broken

    reads: list[Callable[[], Interaction]] = [
        lambda: assemble(Source([], Broken())),
        lambda: InteractionStream(Source([], Broken())).get_final_interaction(),
        lambda: InteractionStream(Hopeless()).get_final_interaction(),
    ]
    for read in reads:
        with pytest.raises(TruncatedStream) as caught:
            read()
        assert isinstance(caught.value.__cause__, Broken)
        assert caught.value.interaction == Interaction()


def test_what_is_no_exception_goes_through() -> None:
    """KeyboardInterrupt and its like are no truncated stream."""
    reads: list[Callable[[Source], Any]] = [
        assemble,
        lambda source: InteractionStream(source).get_final_interaction(),
        lambda source: list(InteractionStream(source)),
    ]
    for read in reads:
        with pytest.raises(KeyboardInterrupt):
            read(Source([DATA], KeyboardInterrupt()))


# ---- closing


def test_close_at_the_end() -> None:
    source = Source(cut(DATA, 50))
    with InteractionStream(source) as reader:
        assert reader.get_final_interaction() == WHOLE
        assert source.closed == 0
    assert source.closed == 1
    assert reader.report.outcome == "requires_action"


def test_close_after_an_early_break() -> None:
    source = Source(by_frames(DATA))
    with InteractionStream(source) as reader:
        for event in reader:
            if event.event_type == "step.delta":
                break
    assert source.closed == 1
    assert source.taken == 4
    assert reader.report.outcome == "truncated"
    assert list(reader) == []
    with pytest.raises(TruncatedStream) as caught:
        reader.get_final_interaction()
    assert caught.value.__cause__ is None


def test_close_on_an_exception() -> None:
    def act(source: Source) -> None:
        with InteractionStream(source) as reader:
            for _ in reader:
                raise Broken

    source = Source(by_frames(DATA))
    with pytest.raises(Broken):
        act(source)
    assert source.closed == 1


def test_close_when_the_source_raises() -> None:
    source = Source(by_frames(DATA)[:3], Broken())
    with pytest.raises(Broken), InteractionStream(source) as reader:
        reader.until_done()
    assert source.closed == 1
    assert reader.report.outcome == "truncated"


def test_close_before_anything() -> None:
    source = Source(by_frames(DATA))
    reader = InteractionStream(source)
    reader.close()
    assert (source.closed, source.taken) == (1, 0)
    assert reader.report.outcome == "truncated"
    assert list(reader) == []


def test_close_after_the_end_of_the_answer_keeps_its_outcome() -> None:
    """Whoever stops at the terminal event, before the terminator, has a whole answer."""
    with InteractionStream(by_frames(DATA)) as reader:
        for event in reader:
            if event.event_type == "interaction.completed":
                break
    assert reader.report.outcome == "requires_action"
    assert reader.get_final_interaction() == WHOLE


def test_close_closes_a_generator() -> None:
    ended = []

    def chunks() -> Iterator[bytes]:
        try:
            yield from by_frames(DATA)
        finally:
            ended.append(True)

    with InteractionStream(chunks()) as reader:
        next(reader)
        assert ended == []
    assert ended == [True]


def test_close_of_what_cannot_be_closed() -> None:
    with InteractionStream(by_frames(DATA)) as reader:
        next(reader)
    with InteractionStream(DATA) as reader:
        next(reader)
    reader.close()


def test_close_twice() -> None:
    source = Source(by_frames(DATA))
    reader = InteractionStream(source)
    next(reader)
    reader.close()
    reader.close()
    assert source.closed >= 1


def test_the_source_is_not_closed_under_a_reader_that_goes_on() -> None:
    source = Source(by_frames(DATA))
    reader = InteractionStream(source)
    for _ in reader:
        break
    for _ in reader.text_stream:
        break
    assert source.closed == 0
    assert reader.get_final_interaction() == WHOLE


# ---- bodies that are no event stream, and text outside of the events

FAILURE = {"error": {"code": 503, "message": "No.", "status": "UNAVAILABLE"}}
ONE_LINE = json.dumps(FAILURE)
PRETTY = json.dumps(FAILURE, indent=2)
LISTED = json.dumps([FAILURE], indent=2)
RPC = json.dumps(FAILURE["error"], indent=2)
FORMS = {"one line": ONE_LINE, "pretty": PRETTY, "a list": LISTED, "google.rpc": RPC}
BEGUN = stream(created(), *MILL[:2], done=False)
HTML = b"<html>\n<head><title>502: Bad Gateway</title></head>\n<body>data: none</body>\n</html>\n"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("reader", READERS)
def test_error_body(form: str, reader: str) -> None:
    """An error answer that does not stream, whatever stands around it."""
    for before in (b"", b"\xef\xbb\xbf", b"\n \t", b"\xef\xbb\xbf\r\n"):
        for after in (b"", b"\n", b"\r\n\r\n"):
            found = READERS[reader](before + FORMS[form].encode() + after)
            assert (found.outcome, found.raised) == ("error", ServerError)
            assert found.error is not None
            assert found.error[:3] == (503, "No.", "UNAVAILABLE")
            assert found.interaction == Interaction()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("reader", READERS)
def test_bare_error_after_the_frames(form: str, reader: str) -> None:
    bare = FORMS[form].encode()
    for after in (b"", b"\n", b"\n\n", b"\r\n", b"\n\n" + DONE):
        found = READERS[reader](BEGUN + bare + after)
        assert (found.outcome, found.raised) == ("error", ServerError)
        assert found.error is not None
        assert found.error.code == 503
        assert found.interaction.output_text == "A "
        assert found.known.stray == bare
        assert found.events == 3


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("reader", READERS)
def test_bare_error_between_frames(form: str, reader: str) -> None:
    bare, rest = FORMS[form].encode() + b"\n\n", stream(*MILL[2:], completed())
    found = READERS[reader](BEGUN + bare + stream(text(0, "mill"), done=False))
    assert (found.outcome, found.raised) == ("error", ServerError)
    assert found.interaction.output_text == "A mill"
    found = READERS[reader](BEGUN + bare + rest)
    assert (found.outcome, found.raised) == ("completed", None)
    assert found.error is not None
    assert found.error.code == 503
    assert found.interaction.output_text == "A mill"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("reader", READERS)
def test_bare_error_before_the_frames(form: str, reader: str) -> None:
    bare = FORMS[form].encode() + b"\n\n"
    found = READERS[reader](bare + BEGUN)
    assert (found.outcome, found.raised, found.events) == ("error", ServerError, 3)
    for end in (b"\n", b"\r\n", b"\r"):
        data = answer(*MILL).replace(b"\n", end)
        found = READERS[reader](bare + data)
        assert (found.outcome, found.raised, found.events) == ("completed", None, 7)
        assert found.error is not None


def test_bare_error_without_a_blank_line_before_it() -> None:
    """Right below the data line it is part of that block; the event and the error both count."""
    frames = BEGUN.removesuffix(b"\n")
    found = pull(frames + ONE_LINE.encode())
    assert (found.outcome, found.events) == ("error", 3)
    assert found.interaction.output_text == "A "


def test_two_bare_errors() -> None:
    found = pull(BEGUN + ONE_LINE.encode() + b"\n\n" + LISTED.encode() + b"\n")
    assert found.outcome == "error"
    assert found.error is not None
    assert found.error.code == 503


ODD: dict[str, tuple[bytes, bool]] = {
    "nothing": (b"", False),
    "blank lines": (b"\n\n\r\n \n"[:3], False),
    "a byte order mark": (b"\xef\xbb\xbf", False),
    "half of one": (b"\xef\xbb", True),
    "HTML": (HTML, True),
    "text": (b"upstream connect error or disconnect\n", True),
    "a JSON string": (b'"No."', True),
    "a number": (b"503", True),
    "an empty object": (b"{}", True),
    "an empty list": (b"[]", True),
    "another object": (b'{"hello": "world"}', True),
    "an Interaction without a status": (b'{"id": "v1_a", "steps": []}', True),
    "an empty error": (b'{"error": {}}', True),
    "a cut object": (PRETTY.encode()[:-3], True),
    "a cut list": (LISTED.encode()[:-1], True),
    "JSON lines": (b'{"a": 1}\n{"b": 2}\n', True),
    "bytes that are no text": (bytes(range(128, 256)), True),
    "brackets without end": (b"[" * 5000, True),
    "braces without end": (b'{"a":' * 5000, True),
    "a comment": (b": keep-alive\n\n", False),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("reader", READERS)
def test_odd_body(name: str, reader: str) -> None:
    """Neither an answer nor an error: cut, with the text for whoever has to find out."""
    data, stray = ODD[name]
    found = READERS[reader](data)
    assert (found.outcome, found.raised, found.error) == ("truncated", TruncatedStream, None)
    assert found.interaction == Interaction()
    assert found.events == 0
    assert bool(found.known.stray) == stray
    assert found.issues == [("stray", None)] * stray
    with pytest.raises(TruncatedStream):
        assemble(cut(data, 7))


def test_json_body() -> None:
    body = dumps({"id": "v1_a", "status": "completed", "steps": [], "novel": 1}).encode()
    reader = InteractionStream(cut(body, 3))
    assert list(reader) == []
    assert reader.get_final_interaction() == assemble(body)
    assert to_dict(reader.snapshot())["novel"] == 1
    assert [seen.path for seen in reader.report.unknown] == ["interaction.novel"]


# ---- an unterminated last event

LAST = answer(*MILL).removesuffix(DONE)


@pytest.mark.parametrize("reader", READERS)
def test_unterminated_last_event(reader: str) -> None:
    """It counts if all of it is there; half of it does not, and is an issue."""
    whole = READERS[reader](LAST)
    for data in (LAST[:-1], LAST[:-2]):
        found = READERS[reader](data)
        assert found == whole
        assert found.outcome == "completed"
    for missing in range(3, 40):
        found = READERS[reader](LAST[:-missing])
        assert (found.outcome, found.raised) == ("truncated", TruncatedStream)
        assert found.issues == [("torn", None)]
        assert found.events == 6


def test_unterminated_last_event_is_yielded() -> None:
    assert list(InteractionStream(LAST[:-2]))[-1].event_type == "interaction.completed"
    assert list(InteractionStream(LAST[:-3]))[-1].event_type == "step.stop"


def test_unterminated_unknown_event_is_whole_too() -> None:
    data = BEGUN + frame({"event_type": "step.hologram", "n": 1})[:-2]
    reader = InteractionStream(data)
    last = list(reader)[-1]
    assert isinstance(last, Unknown)
    assert last.raw == {"event_type": "step.hologram", "n": 1}
    assert reader.report.issues == []
    assert [seen.tag for seen in reader.report.unknown] == ["step.hologram"]


def test_unterminated_terminator() -> None:
    data = stream(created(), update("cancelled"), done=False)
    for end in (DONE, DONE[:-1], DONE[:-2]):
        found = pull(data + end)
        assert (found.outcome, found.events) == ("cancelled", 2)
    assert pull(data + DONE[:-3]).outcome == "truncated"


def test_unterminated_event_and_stray_text() -> None:
    found = pull(BEGUN.removesuffix(b"\n\n") + b"\n" + LISTED.encode())
    assert (found.outcome, found.events) == ("error", 3)


# ---- strict

NOT_TO_SPEC: dict[str, Payload | bytes] = {
    "an unknown event": {"event_type": "step.hologram"},
    "an unknown delta": delta(0, "hologram"),
    "an unknown step": start(1, "hologram"),
    "an unknown member": {**text(0, "A mill"), "novel": 1},
    "a member that does not fit": {**text(0, "A mill"), "index": "0"},
    "no JSON": b"event: step.delta\ndata: oops\n\n",
    "no object": b"event: step.delta\ndata: []\n\n",
    "nested without end": b"event: step.delta\ndata: " + b"[" * 5000 + b"\n\n",
    "bad UTF-8": b'event: step.delta\ndata: {"index":0,"delta":{"type":"text","text":"\xff"}}\n\n',
}


@pytest.mark.parametrize("name", NOT_TO_SPEC)
def test_strict(name: str) -> None:
    """What came before is yielded; then DecodeError, with where and what."""
    data = stream(created(), start(0, "model_output"), NOT_TO_SPEC[name], completed())
    assert pull(data).outcome == "completed"
    for size in (len(data), 1):
        reader = InteractionStream(cut(data, size), strict=True)
        seen = [next(reader), next(reader)]
        assert [event.event_type for event in seen] == ["interaction.created", "step.start"]
        with pytest.raises(DecodeError) as caught:
            next(reader)
        assert caught.value.event in ("step.delta", "step.start", "step.hologram")
        assert caught.value.path.startswith("$")
        assert caught.value.data
        assert reader.report.outcome == "truncated"
        with pytest.raises(TruncatedStream):
            reader.get_final_interaction()
    for read in (
        lambda: assemble(data, strict=True),
        lambda: list(iter_events(data, strict=True)),
        lambda: InteractionStream(data, strict=True).get_final_interaction(),
    ):
        with pytest.raises(DecodeError):
            read()


def test_strict_takes_what_is_to_spec() -> None:
    assert assemble(DATA, strict=True) == WHOLE
    assert list(iter_events(DATA, strict=True)) == SENT
    assert pull(DATA, strict=True) == pull(DATA)
    new = answer(*MILL, service_tier="express")
    assert assemble(new, strict=True).service_tier == "express", "enums are open"


def test_strict_body() -> None:
    with pytest.raises(DecodeError):
        assemble(b'{"status": "completed", "novel": 1}', strict=True)
    with pytest.raises(ServerError):
        assemble(ONE_LINE.encode(), strict=True)


def test_strict_and_a_torn_event() -> None:
    with pytest.raises(TruncatedStream):
        assemble(LAST[:-5], strict=True)


# ---- limits


def test_limit() -> None:
    """Events before the large one are yielded; then LimitExceeded, with which and how large."""
    large = frame(text(0, "x" * 5000))
    head = stream(created(), start(0, "model_output"), done=False)
    data = head + large + DONE
    for size in (1, 100, len(data)):
        reader = InteractionStream(cut(data, size), max_event_bytes=1000)
        assert len([next(reader), next(reader)]) == 2
        with pytest.raises(LimitExceeded) as caught:
            list(reader)
        assert caught.value.limit == 1000
        assert caught.value.size > 1000
        assert caught.value.offset == len(head)
        assert reader.report.outcome == "truncated"
        for chunks in (cut(data, size), cut(head + large[:2000], size)):
            with pytest.raises(LimitExceeded):
                assemble(chunks, max_event_bytes=1000)
            with pytest.raises(LimitExceeded):
                list(iter_events(chunks, max_event_bytes=1000))
            with pytest.raises(LimitExceeded):
                InteractionStream(chunks, max_event_bytes=1000).get_final_interaction()
    assert len(list(InteractionStream(data, max_event_bytes=len(large)))) == 3


def test_limit_of_a_body() -> None:
    body = dumps({"status": "completed", "novel": "x" * 5000}).encode()
    for size in (100, len(body)):
        with pytest.raises(LimitExceeded) as caught:
            assemble(cut(body, size), max_event_bytes=1000)
        assert caught.value.size > caught.value.limit == 1000
    assert assemble(body, max_event_bytes=len(body)).status == "completed"


# ---- iter_events


def test_iter_events_gives_no_verdict() -> None:
    assert list(iter_events(b"")) == []
    assert list(iter_events(BEGUN)) == list(InteractionStream(BEGUN))
    assert len(list(iter_events(stream(created(), error({"code": 1}))))) == 2


def test_iter_events_lets_exceptions_through() -> None:
    problem = Broken()
    reader = iter_events(Source(by_frames(DATA), problem))
    seen: list[Any] = []
    with pytest.raises(Broken) as caught:
        seen.extend(reader)
    assert seen == SENT
    assert caught.value is problem


def test_iter_events_keeps_what_is_unknown() -> None:
    data = stream({"event_type": "hologram"}, b"event: step.delta\ndata: oops\n\n")
    seen = list(iter_events(data))
    assert all(isinstance(event, Unknown) for event in seen)
    assert len(seen) == 2


# ---- the names of events

NAMES: dict[str, tuple[bytes, list[tuple[Any, ...]]]] = {
    "missing": (b"data: " + dumps(text(0, "A mill")).encode() + b"\n\n", []),
    "message": (frame(text(0, "A mill"), "message"), []),
    "another one that is known": (frame(text(0, "A mill"), "step.stop"), [("event_name", None)]),
    "another one that is not": (frame(text(0, "A mill"), "hologram"), [("event_name", None)]),
    "only the name": (
        b'event: step.delta\ndata: {"index":0,"delta":{"text":"A mill","type":"text"}}\n\n',
        [],
    ),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("reader", READERS)
def test_name_of_an_event(name: str, reader: str) -> None:
    """The event_type in the payload counts, the name where that has none."""
    sent, issues = NAMES[name]
    found = READERS[reader](answer(start(0, "model_output"), sent, stop(0)))
    assert found.interaction.output_text == "A mill"
    assert found.issues == issues
    assert found.unknown == []


def test_a_frame_without_data_is_no_event() -> None:
    """Whatever its name; it is an issue for whoever wonders where the event went."""
    for read in READERS.values():
        found = read(answer(*MILL, b"event: done\n\n", b"event: step.stop\n\n"))
        assert (found.outcome, found.events) == ("completed", 7)
        assert {issue.kind for issue in found.known.issues} == {"no_data"}


def test_bad_utf8_is_an_issue() -> None:
    """U+FFFD in its place, in events of every kind."""
    sent = frame(text(0, "A ? mill")).replace(b"?", b"\xff")
    for read in READERS.values():
        found = read(answer(start(0, "model_output"), sent, stop(0)))
        assert found.interaction.output_text == "A \ufffd mill"
        assert found.issues == [("invalid_utf8", None)]
