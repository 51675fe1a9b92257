"""What became of the interactions: running, cancelled, deleted, and what they were asked.

Every recording counts as stored from the beginning, so that a GET finds it without a POST. A POST
stores it anew.
"""

from __future__ import annotations

import json
from contextlib import aclosing
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final, get_args

from gemwire import models, to_dict
from gemwire.replay.http import HTTPError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from gemwire.replay.recording import Recording

_CONTENT: Final = frozenset(cls.type for cls in get_args(models.Content)) - {
    models.UnknownContent.type
}
_CANCELLED: Final = b"""event: interaction.status_update
data: {"interaction_id":"%b","status":"cancelled","event_type":"interaction.status_update"}

event: done
data: [DONE]

"""
_HEAD: Final = ("id", "object", "model", "agent", "created", "updated", "service_tier")
"""The members that an interaction has before it has done anything."""


@dataclass
class _State:
    """One interaction. `polls` is how often it will still be seen running; None: it has ended."""

    input: Any = None
    polls: int | None = None
    cancelled: bool = False
    deleted: bool = False


class Interactions:
    """The states by interaction id.

    Args:
        polls: How many times a run in the background is seen `in_progress` before it has ended.

    """

    def __init__(self, polls: int) -> None:
        self._polls = polls
        self._states: dict[str, _State] = {}

    def create(self, recording: Recording, body: Any) -> bytes | None:
        """Store it anew; the answer, if the call does not wait for the end.

        Raises:
            HTTPError: It cannot run like that, or goes on from one that runs or was deleted.

        """
        if body.background is True and body.store is False:
            raise HTTPError(400, "invalid_request", "'background' needs 'store'.")
        previous = self._states.get(body.previous_interaction_id or "", _State())
        if previous.deleted:
            message = f"There is no interaction {body.previous_interaction_id!r}."
            raise HTTPError(404, "not_found", message)
        if previous.polls and not previous.cancelled:
            message = f"The interaction {body.previous_interaction_id!r} is in progress."
            raise HTTPError(400, "failed_precondition", message)
        state = _State(to_dict(body).get("input"))
        if body.store is not False:
            self._states[recording.interaction_id] = state
        if body.background is not True:
            return None
        state.polls = self._polls
        return None if body.stream is True else _head(recording, "in_progress")

    def get(self, recording: Recording, *, include_input: bool) -> bytes:
        """The interaction as it is now.

        Raises:
            HTTPError: It was deleted, or there is no recording of what it became.

        """
        state = self._state(recording)
        if state.cancelled:
            answer = _head(recording, "cancelled")
        elif state.polls:
            state.polls -= 1
            answer = _head(recording, "in_progress")
        else:
            state.polls = None
            answer = whole(recording)
            if state.input is not None:
                body = json.loads(answer)
                steps = [*input_steps(state.input), *body.get("steps", ())]
                answer = json.dumps({**body, "steps": steps}).encode()
        if include_input and state.input is not None:
            answer = json.dumps({**json.loads(answer), "input": state.input}).encode()
        return answer

    def check_stream(self, recording: Recording) -> None:
        """Refuse to send the events of one that has none any more.

        Raises:
            HTTPError: It was deleted or cancelled.

        """
        if self._state(recording).cancelled:
            raise HTTPError(400, "failed_precondition", "The interaction was cancelled.")

    async def watch(
        self, id: str, sent: Recording, chunks: AsyncGenerator[bytes, None]
    ) -> AsyncGenerator[bytes, None]:
        """The chunks of its stream, with which it ends, unless it is cancelled before.

        Args:
            id: The interaction.
            sent: The recording that is cut into the chunks.
            chunks: What is sent.

        """
        state = self._states.get(id, _State())
        at = 0
        async with aclosing(chunks):
            async for chunk in chunks:
                if state.cancelled:
                    ends = accumulate(map(len, sent.frames()))
                    yield sent.stream[at : next(end for end in ends if end >= at)]
                    yield _CANCELLED % id.encode()
                    return
                yield chunk
                at += len(chunk)
        if not state.cancelled:
            state.polls = None

    def cancel(self, recording: Recording) -> bytes:
        """Stop it.

        Raises:
            HTTPError: It was deleted, or does not run in the background.

        """
        state = self._state(recording)
        if state.polls is None or state.cancelled:
            message = "The interaction does not run in the background."
            raise HTTPError(400, "failed_precondition", message)
        state.cancelled = True
        return _head(recording, "cancelled")

    def delete(self, recording: Recording) -> None:
        """Forget it.

        Raises:
            HTTPError: It was deleted already.

        """
        self._state(recording).deleted = True

    def _state(self, recording: Recording) -> _State:
        state = self._states.setdefault(recording.interaction_id, _State())
        if state.deleted:
            message = f"There is no interaction {recording.interaction_id!r}."
            raise HTTPError(404, "not_found", message)
        return state


def input_steps(sent: Any) -> list[Any]:
    """The input of a request as the steps that a GET has before the others."""
    if isinstance(sent, str):
        sent = {"type": "text", "text": sent}
    items = sent if isinstance(sent, list) else [sent]
    if all(item.get("type") in _CONTENT for item in items):
        return [{"type": "user_input", "content": items}]
    return items


def whole(recording: Recording) -> bytes:
    """The answer without streaming.

    Raises:
        HTTPError: There is no recording of it.

    """
    if recording.body is None:
        message = f"The recording {recording.name!r} has no answer without streaming."
        raise HTTPError(501, "unimplemented", message)
    return recording.body


def _head(recording: Recording, status: str) -> bytes:
    """The interaction without anything that it does."""
    known = {**recording.head, **json.loads(recording.body or b"{}")}
    head = {name: known[name] for name in _HEAD if name in known}
    return json.dumps({**head, "status": status}).encode()
