"""What a type checker knows of the functions' results."""

from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any, assert_type

from gemwire import (
    Assembler,
    AsyncInteractionStream,
    Event,
    Interaction,
    InteractionStream,
    SSEMessage,
    SSEParser,
    Step,
    StreamReport,
    TextDelta,
    Usage,
    aassemble,
    aiter_events,
    assemble,
    decode,
    decode_event,
    decode_interaction,
    disassemble,
    encode,
    encode_sse,
    iter_events,
    iter_unknown,
    to_dict,
    unknown_members,
)


def codec(data: bytes) -> None:
    assert_type(decode_event(data), Event)
    assert_type(decode_event(memoryview(data), "step.delta", strict=True), Event)
    assert_type(decode_interaction(data.decode()), Interaction)
    assert_type(decode(data, TextDelta), TextDelta)
    assert_type(decode(data, list[Usage]), list[Usage])
    assert_type(encode(TextDelta(text="")), bytes)
    assert_type(to_dict(decode_interaction(data)), Any)
    assert_type(unknown_members(decode_event(data)), dict[str, Any])
    for found in iter_unknown(decode_event(data)):
        assert_type(found.path, str)
        assert_type(found.tag, str | None)


def framing(chunk: bytes) -> None:
    parser = SSEParser()
    assert_type(parser.feed(chunk), list[SSEMessage])
    assert_type(parser.close(), SSEMessage | None)
    assert_type(encode_sse(TextDelta(text="")), bytes)
    assert_type(encode_sse(decode_event(chunk)), bytes)


def assembling(chunks: Iterable[bytes], event: Event) -> None:
    assembler = Assembler()
    assembler.apply(event)
    assert_type(assembler.snapshot(), Interaction)
    assert_type(assembler.step(0), Step)
    assert_type(assembler.finish(), Interaction)
    assert_type(assembler.report, StreamReport)
    assert_type(assemble(chunks), Interaction)
    assert_type(iter_events(chunks), Iterator[Event])
    assert_type(disassemble(assemble(chunks)), Iterator[Event])


def streams(chunks: Iterable[bytes]) -> None:
    with InteractionStream(chunks) as stream:
        for event in stream:
            assert_type(event, Event)
        assert_type(stream.get_final_interaction(), Interaction)
        assert_type(stream.get_final_text(), str)
        assert_type(stream.report, StreamReport)


async def async_streams(chunks: AsyncIterator[bytes]) -> None:
    assert_type(await aassemble(chunks), Interaction)
    assert_type(aiter_events(chunks), AsyncIterator[Event])
    async with AsyncInteractionStream(chunks) as stream:
        async for event in stream:
            assert_type(event, Event)
        assert_type(await stream.get_final_interaction(), Interaction)
