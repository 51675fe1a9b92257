"""The caller's iterable: whether it is one of bytes, whose mistake it raises, and its end.

What is wrong with it is the caller's to know at once: it is no cut, and no reason to ask again.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, ExitStack, suppress
from inspect import isawaitable, iscoroutine
from typing import Any, Final, TypeAlias

from .body import Chunk

__all__ = ["CHUNK_TYPES", "MISTAKES", "AsyncSource", "Source", "checked", "is_mistake"]

CHUNK_TYPES: Final = (bytes, bytearray, memoryview)

MISTAKES: Final[tuple[type[Exception], ...]] = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    BufferError,
    FileNotFoundError,
    ImportError,
    IsADirectoryError,
    LookupError,
    MemoryError,
    NameError,
    NotADirectoryError,
    RuntimeError,
    StopAsyncIteration,
    StopIteration,
    SyntaxError,
    TypeError,
    ValueError,  # a file that is closed
)
"""Exceptions that are a mistake in a program: another try makes the same one. Any other exception
of an iterable counts as a cut."""


def is_mistake(error: BaseException) -> bool:
    """Whether an exception of the caller's function or iterable is a mistake of his program."""
    return isinstance(error, MISTAKES)


def checked(chunk: Any) -> Chunk:
    """The chunk itself. Raises TypeError if it is none of bytes."""
    if isinstance(chunk, CHUNK_TYPES):
        return chunk
    raise TypeError(f"a chunk must be bytes, not {type(chunk).__name__}{_hint(chunk, _OF_CHUNKS)}")


class Source:
    """Any iterable of bytes, or the whole as one bytes object; closed once.

    Raises:
        TypeError: it is neither.
    """

    def __init__(self, chunks: Iterable[Chunk] | Chunk) -> None:
        given: Any = chunks
        if isinstance(given, CHUNK_TYPES):  # one chunk, not an iterable of ints
            given = [bytes(given)]
        elif not _is_iterable(given):
            raise _no_source(given, "an iterable", _OF_SOURCES)
        self._chunks: Iterable[Any] = given
        self._open: list[Any] = [given]

    def __iter__(self) -> Iterator[Any]:
        iterator = iter(self._chunks)
        if iterator is not self._chunks:
            self._open.append(iterator)
        return iterator

    def close(self) -> None:
        """Close the iterator and the iterable, as far as they can be."""
        parts, self._open = self._open, []
        with ExitStack() as stack:  # what one raises does not keep the other open
            for part in parts:
                close = getattr(part, "close", None)
                if close is not None:
                    stack.callback(close)

    def abandon(self) -> None:
        """Close it where something else matters more than what that raises."""
        with suppress(Exception):
            self.close()


class AsyncSource:
    """The async twin of `Source`: any async iterable of bytes, and whatever `Source` takes."""

    def __init__(self, chunks: AsyncIterable[Chunk] | Iterable[Chunk] | Chunk) -> None:
        given: Any = chunks
        if isinstance(given, CHUNK_TYPES):
            given = [bytes(given)]
        elif not (_is_async(given) or _is_iterable(given)):
            raise _no_source(given, "an async or plain iterable", _OF_ALL)
        self._chunks: Any = given
        self._open: list[Any] = [given]

    def __aiter__(self) -> AsyncIterator[Any]:
        chunks = self._chunks
        iterator: Any = aiter(chunks) if _is_async(chunks) else iter(chunks)
        if iterator is not chunks:
            self._open.append(iterator)
        return iterator if _is_async(chunks) else _Ready(iterator)

    async def aclose(self) -> None:
        """Close the iterator and the iterable, by `aclose()` or else `close()`."""
        parts, self._open = self._open, []
        async with AsyncExitStack() as stack:
            for part in parts:
                stack.push_async_callback(_aclose, part)

    async def abandon(self) -> None:
        """Close it where something else matters more than what that raises."""
        with suppress(Exception):
            await self.aclose()


async def _aclose(part: Any) -> None:
    close = getattr(part, "aclose", None) or getattr(part, "close", None)
    if close is not None:
        closed = close()
        if isawaitable(closed):
            await closed


class _Ready:
    """An async iterator that never waits."""

    def __init__(self, chunks: Iterator[Any]) -> None:
        self._chunks = chunks

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        for chunk in self._chunks:
            return chunk
        raise StopAsyncIteration


# ---- what is wrong with it


def _is_async(value: object) -> bool:
    return hasattr(type(value), "__aiter__")


def _is_iterable(value: object) -> bool:
    kind = type(value)
    if kind is str or hasattr(kind, "__await__"):  # a Future has an `__iter__` too
        return False
    return hasattr(kind, "__iter__") or hasattr(kind, "__getitem__")


def _has_bytes(value: object) -> bool:
    return any(hasattr(value, name) for name in ("iter_bytes", "aiter_bytes", "iter_content"))


Hints: TypeAlias = tuple[tuple[Callable[[Any], bool], str], ...]

_ASYNC_TWINS: Final = "AsyncInteractionStream, aassemble, aiter_events or afollow"

_OF_CHUNKS: Final[Hints] = (
    (lambda chunk: isinstance(chunk, str), "read the response as bytes, not as text"),
    (lambda chunk: isinstance(chunk, int), "give one bytes object, or a list of them"),
    (lambda chunk: isinstance(chunk, Awaitable), "await it first"),
)
_OF_ALL: Final[Hints] = (
    (lambda source: isinstance(source, str), "encode it, or read the response as bytes"),
    (lambda source: isinstance(source, Awaitable), "await it first"),
    (_has_bytes, "give the bytes of the response: iter_bytes(), aiter_bytes(), iter_content()"),
    (callable, "call it"),
)
_OF_SOURCES: Final[Hints] = (
    (_is_async, f"an async iterable is for {_ASYNC_TWINS}"),
    (iscoroutine, f"await it first, or use {_ASYNC_TWINS}"),
    *_OF_ALL,
)


def _hint(value: Any, hints: Hints) -> str:
    return next((f": {hint}" for fits, hint in hints if fits(value)), "")


def _no_source(value: Any, wanted: str, hints: Hints) -> TypeError:
    if iscoroutine(value):
        value.close()  # nobody else can
    kind = type(value).__name__
    return TypeError(f"a stream takes bytes or {wanted} of bytes, not {kind}{_hint(value, hints)}")
