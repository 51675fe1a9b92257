"""`encode_sse` writes a frame that reads back as the same message."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gemwire.sse import DONE, SSEMessage, SSEParser, encode_sse

from .sse_reference import parse, plain

names = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=8)
messages = st.builds(
    SSEMessage,
    event=names.filter(bool) | st.just("message"),
    data=st.binary(max_size=30).map(lambda data: data.replace(b"\r", b"\n")),
    id=names,
)


@settings(deadline=None)
@given(message=messages)
@example(SSEMessage("message", b""))
@example(SSEMessage(" a: b ", b" \n\n x\n", " 1 "))
@example(SSEMessage("\ufeffa", b"\xef\xbb\xbf", "\ufeff"))
def test_a_frame_reads_back_as_the_same_message(message: SSEMessage) -> None:
    frame = encode_sse(message)
    assert parse([frame]).messages == [plain(message)]
    for other in (SSEMessage(message.event, memoryview(message.data), message.id), message):
        assert encode_sse(other) == frame
    assert parse([frame * 2]).messages == [plain(message)] * 2


def test_frames() -> None:
    assert encode_sse(SSEMessage("done", b"[DONE]")) == DONE
    assert encode_sse(SSEMessage("message", b"x")) == b"data: x\n\n"
    assert encode_sse(SSEMessage("", b"x")) == b"data: x\n\n"
    assert encode_sse(SSEMessage("a", b"x\n", "1")) == b"event: a\nid: 1\ndata: x\ndata: \n\n"


@pytest.mark.parametrize("bad", ["a\r", "\na", "a\0b", "\ud83c"])
def test_what_no_frame_can_carry(bad: str) -> None:
    for message in (SSEMessage(bad, b"x"), SSEMessage("a", b"x", bad), SSEMessage("a", b"x\ry")):
        with pytest.raises(ValueError, match=r"CR|surrogates"):
            encode_sse(message)


def test_a_typed_event() -> None:
    from gemwire import decode_event

    for name, data in (
        ("step.stop", b'{"index":0,"event_type":"step.stop"}'),
        ("step.news", b'{"index":0,"event_type":"step.news"}'),
        ("step.news", b'{\r\n"index": 0,\r"event_type": "step.news"}'),  # no frame can carry CR
    ):
        (message,) = SSEParser().feed(encode_sse(decode_event(data)))
        assert message.event == name
        assert decode_event(message.data) == decode_event(data.replace(b"\r", b"\n"))
