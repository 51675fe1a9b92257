"""Settling: from an answer that has not ended, or lacks its usage, to its end by reading it again.

Nothing is sent here: the caller gives the function that reads the interaction.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Generator
from functools import partial
from typing import Any, Final, TypeAlias, TypeVar, cast

from msgspec import UNSET
from msgspec.structs import replace

from .assembly.continuation import join_continuations
from .assembly.report import StreamReport
from .assembly.usage import may_owe
from .codec.encode import encode, to_dict
from .codec.schema import fields
from .errors import ApiError, DecodeError, GemwireError, PollTimeout
from .models import Interaction
from .models.views import is_terminal
from .streams.follow import may_be_mended
from .streams.source import is_mistake
from .streams.stream import InteractionStream
from .wire.bodies import decode_interaction

__all__ = ["PollTimeout", "apoll", "poll", "settled", "usage_owed"]

Body: TypeAlias = bytes | bytearray | memoryview
Found: TypeAlias = Interaction | Body
Fetch: TypeAlias = Callable[[], Found]
AsyncFetch: TypeAlias = Callable[[], Awaitable[Found]]
Retry: TypeAlias = Callable[[Exception], bool]
Held = TypeVar("Held", Interaction, StreamReport)

DELAY: Final = 5.0
MAX_DELAY: Final = 10.0
"""Seconds before the first reads and the later ones: the guides read every 5 to 10."""
GROWTH: Final = 1.2
TIMEOUT: Final = 3600.0
"""Seconds: as long as the longest research may take."""
ATTEMPTS: Final = 5


# ---- reading it until it has ended


def poll(
    fetch: Fetch,
    held: Interaction | None = None,
    /,
    *,
    delay: float = DELAY,
    max_delay: float = MAX_DELAY,
    timeout: float = TIMEOUT,
    usage_timeout: float = 0.0,
    attempts: int = ATTEMPTS,
    retry: Retry | None = None,
    sleep: Callable[[float], object] | None = None,
    clock: Callable[[], float] | None = None,
) -> Interaction:
    """Read an interaction again and again until it has ended.

    Every status but `in_progress`, `queued` and `idle` is an end, as `is_terminal` says: also
    `requires_action`, `cancelled`, `budget_exceeded`, and one that is newer than gemwire. So look
    at `status` afterwards.

        def fetch():
            request = get_interaction(run.id)
            response = client.request(request.method, request.url(BASE), headers=request.headers)
            return request.decode_response(response.status_code, response.content)

        interaction = poll(fetch, run)

    Args:
        fetch: reads the interaction once, and gives it, or the bytes of its body.
        held: what is known of it: the answer to the first request, or what a stream brought before
            it was cut. What the reads say is put to it by `settled`. Nothing is
            read if it has ended (but see `usage_timeout`). None: the first read is made at once.
        delay, max_delay: seconds before a read, at first and at most; each is a fifth longer than
            the one before. An error with `retry_after` asks for as much at least.
        timeout: seconds for all of it. The last read is made when they are over.
        usage_timeout: seconds to go on reading an answer that has ended and whose usage is owed
            (see `usage_owed`), within the `timeout`. If none comes, it is returned without.
        attempts: how many reads in a row may raise; then the exception goes through.
        retry: says whether a read that raised is to be made again; any other exception goes through
            at once. None is the table of `follow`, and a 404 of an `ApiError` as well, since a run
            may be there a moment later.
        sleep: waits that many seconds; `time.sleep` if None.
        clock: tells seconds, from any start; `time.monotonic` if None.

    Raises:
        PollTimeout: it had not ended in time.
        ApiError: the bytes are an error that stays.
        DecodeError: the bytes are no interaction, or what was read is another one.
    """
    import time

    sleep = time.sleep if sleep is None else sleep
    clock = time.monotonic if clock is None else clock
    reads = _until_ended(
        held, delay, max_delay, timeout, usage_timeout, attempts, retry or _may_pass, clock
    )
    go_on: Callable[[], float] = partial(next, reads)
    while True:
        try:
            seconds = go_on()
        except StopIteration as end:
            return cast("Interaction", end.value)
        if seconds > 0:
            sleep(seconds)
        try:
            go_on = partial(reads.send, _interaction(fetch()))
        except Exception as error:
            go_on = partial(reads.throw, error)


async def apoll(
    fetch: AsyncFetch,
    held: Interaction | None = None,
    /,
    *,
    delay: float = DELAY,
    max_delay: float = MAX_DELAY,
    timeout: float = TIMEOUT,
    usage_timeout: float = 0.0,
    attempts: int = ATTEMPTS,
    retry: Retry | None = None,
    sleep: Callable[[float], Awaitable[object]] | None = None,
    clock: Callable[[], float] | None = None,
) -> Interaction:
    """The async twin of `poll`: `fetch` and `sleep` are coroutine functions, `asyncio.sleep` if
    None. `retry` is no coroutine. It may be cancelled at any `await`.
    """
    import asyncio
    import time

    sleep = asyncio.sleep if sleep is None else sleep
    clock = time.monotonic if clock is None else clock
    reads = _until_ended(
        held, delay, max_delay, timeout, usage_timeout, attempts, retry or _may_pass, clock
    )
    go_on: Callable[[], float] = partial(next, reads)
    while True:
        try:
            seconds = go_on()
        except StopIteration as end:
            return cast("Interaction", end.value)
        if seconds > 0:
            await sleep(seconds)
        try:
            opened = fetch()
            found = await opened if inspect.isawaitable(opened) else opened
            go_on = partial(reads.send, _interaction(found))
        except Exception as error:
            go_on = partial(reads.throw, error)


def _until_ended(
    held: Interaction | None,
    delay: float,
    max_delay: float,
    timeout: float,
    usage_timeout: float,
    attempts: int,
    retry: Retry,
    clock: Callable[[], float],
) -> Generator[float, Interaction, Interaction]:
    """Yields the seconds to wait before the next read; is sent what that brought, or thrown what
    it raised.
    """
    end = clock() + timeout
    wait = min(delay, max_delay)
    seconds = 0.0 if held is None else wait
    at_once = held is None  # whatever the time
    failures = 0
    ended = False
    while True:
        if held is not None and is_terminal(held.status):
            if not usage_owed(held):
                return held
            if not ended:  # from here on it is only the usage that is waited for
                ended = True
                end = min(end, clock() + usage_timeout)
        left = end - clock()
        if left <= 0 and not at_once:
            if held is not None and ended:
                return held
            raise PollTimeout(f"no end within {timeout:g} seconds", interaction=held)
        at_once = False
        try:
            found = yield max(0.0, min(seconds, left))
            held = found if held is None else settled(held, found)
        except Exception as error:
            failures += 1
            if failures >= attempts or not retry(error):
                mistake = is_mistake(error) and not isinstance(error, GemwireError)
                if held is None or not ended or mistake:
                    raise
                return held  # a complete answer is not lost for its usage
            asked = error.retry_after if isinstance(error, ApiError) else None
            seconds = max(wait, asked or 0.0)
        else:
            failures = 0
            seconds = wait
        wait = min(wait * GROWTH, max_delay)


def _may_pass(error: Exception) -> bool:
    """Whether a later read may be better."""
    if isinstance(error, ApiError) and (error.http_status == 404 or error.code == "not_found"):
        return True
    return may_be_mended(error)


def _interaction(found: object) -> Interaction:
    if isinstance(found, bytes | bytearray | memoryview):
        found = decode_interaction(found)
    if not isinstance(found, Interaction):
        kind = type(found).__name__
        raise TypeError(f"fetch has to give an Interaction or the bytes of one, not {kind}")
    if found.status is UNSET:
        raise DecodeError("no interaction: there is no status", path="$.status")
    return found


# ---- what a later read says


def usage_owed(interaction: Interaction, /) -> bool:
    """Whether an interaction has ended and its usage may still come, as `report.usage_owed` says.

    The server may add the counts to the stored interaction seconds after the end. False for one
    without an id, which cannot be read, and for one that `failed` or was `cancelled`, which need
    not have any. Usage that is there is taken for final: only a report knows where it came from.
    """
    has_usage = interaction.usage is not UNSET and bool(to_dict(interaction.usage))
    return bool(interaction.id) and not has_usage and may_owe(interaction.status)


def settled(held: Held, /, *later: Interaction) -> Held:
    """Put what later reads of an answer say to what is held of it: an Interaction or a report.

    A later read that has not ended says nothing new about one that has. If the held one had not
    ended, the later one takes its place. If both have, what was streamed stands, with its steps,
    and the later one fills what is missing, above all `usage`. In a report, the counts of a read
    take the place of those that did not come with the end (`usage_source`).

    Args:
        held: an Interaction, or the StreamReport of its stream.
        later: the interaction as it was read; of an answer over several hops, one for each, in
            their order: the usage of the answer is that of all of them.

    Raises:
        DecodeError: it is another interaction.

    Cost: for an Interaction the number of its members; for a report the size of the later one.
    """
    if not later:
        return held
    if isinstance(held, Interaction):
        return _settled_interaction(held, join_continuations(later))
    return _settled_report(held, later)


def _settled_interaction(held: Interaction, later: Interaction) -> Interaction:
    _require_same({held.id} if held.id else set(), [later])
    if not is_terminal(held.status):
        return _filled(later, held)
    return _filled(held, later) if is_terminal(later.status) else held


def _filled(first: Interaction, second: Interaction) -> Interaction:
    """The first, with the members that only the second has."""
    members: dict[str, Any] = {
        name: getattr(second, name)
        for name in fields(Interaction)
        if getattr(first, name) in (UNSET, []) and getattr(second, name) is not UNSET
    }
    if usage_owed(first) and second.usage is not UNSET:
        members["usage"] = second.usage  # also in place of {}
    if is_terminal(first.status):
        members.pop("continuation_token", None)  # an end without one takes it back
    if first.extra_ is UNSET and second.extra_ is not UNSET:
        members["extra_"] = second.extra_
    return replace(first, **members) if members else first


def _settled_report(held: StreamReport, later: tuple[Interaction, ...]) -> StreamReport:
    _require_same(set(held.interaction_ids), list(later))
    read = InteractionStream([encode(join_continuations(later))]).until_done().report
    if not is_terminal(later[-1].status) or (read.outcome in ("error", "truncated")):
        return held
    changes: dict[str, Any] = {}
    if held.unfinished or held.outcome in ("error", "in_progress", "truncated"):
        changes.update(outcome=read.outcome, unfinished=False, resume=None)
        changes["error"] = read.error or held.error
        changes["interaction_ids"] = held.interaction_ids or read.interaction_ids
    if held.usage_source != "terminal" and read.usage is not None:
        changes.update(usage=read.usage, usage_source=read.usage_source)
    return replace(held, **changes)


def _require_same(identities: set[Any], later: list[Interaction]) -> None:
    """Raise unless the reads are of these interactions; without ids nothing can be said."""
    read = {interaction.id for interaction in later if interaction.id}
    if identities and read and identities != read:
        raise DecodeError(
            f"another interaction: {read!r:.200}, not {identities!r:.200}", path="$.id"
        )
