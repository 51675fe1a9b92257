"""The replay server knows the life of an interaction: running, read, cancelled, deleted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from msgspec.structs import replace

from gemwire import (
    UNSET,
    ApiError,
    Interaction,
    InteractionStream,
    Request,
    TextContent,
    ThoughtStep,
    TruncatedStream,
    assemble,
    decode_interaction,
    user_input,
)
from gemwire import operations as o
from gemwire.replay import FAULT_HEADER, RECORDING_HEADER, Recording, ReplayServer

SEARCH = Recording.load("search")
ID = SEARCH.interaction_id
WHOLE = decode_interaction(SEARCH.body or b"")
ASK = {"model": "gemini-3.6-flash", "input": "When do the cherries bloom?"}


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    with ReplayServer("search") as server:
        yield server


@pytest.fixture(scope="module")
def client() -> Iterator[httpx2.Client]:
    with httpx2.Client(trust_env=False, verify=False) as client:
        yield client


@pytest.fixture
def call(client: httpx2.Client, server: ReplayServer) -> Any:
    """Send a request and read the answer: what an SDK does."""

    def call(request: Request[Any], **headers: str) -> Any:
        response = client.request(
            request.method,
            request.url(server.url),
            headers={**request.headers, **headers},
            content=request.body,
        )
        if request.streams and response.status_code == 200:
            assert response.headers["content-type"] == "text/event-stream"
            return response.content
        return request.decode_response(response.status_code, response.content, response.headers)

    return call


def with_input(*steps: Any) -> Interaction:
    """What a GET gives back."""
    return replace(WHOLE, steps=[*steps, *(WHOLE.steps or ())])


def refused(call: Any, request: Request[Any]) -> tuple[int | None, str | int | None]:
    with pytest.raises(ApiError) as caught:
        call(request)
    return caught.value.http_status, caught.value.code


def test_create_and_read(call: Any) -> None:
    assert call(o.get_interaction(ID)) == WHOLE, "every recording is there from the beginning"
    assert call(o.create_interaction(ASK)) == WHOLE
    assert call(o.get_interaction(ID)) == with_input(user_input(ASK["input"]))
    for request in (
        o.create_interaction({**ASK, "stream": True}),
        o.get_interaction(ID, stream=True),
    ):
        assert assemble(call(request)) == WHOLE


@pytest.mark.parametrize(
    ("sent", "steps"),
    [
        ("a", [user_input("a")]),
        (TextContent(text="a"), [user_input("a")]),
        ([TextContent(text="a"), TextContent(text="b")], [user_input("a", "b")]),
        ([user_input("a"), ThoughtStep(), user_input("b")], None),
    ],
)
def test_a_get_has_the_input_among_its_steps(call: Any, sent: Any, steps: Any) -> None:
    call(o.create_interaction({**ASK, "input": sent}))
    assert call(o.get_interaction(ID)) == with_input(*(sent if steps is None else steps))


def test_the_input_is_given_back_when_asked_for(call: Any) -> None:
    assert call(o.get_interaction(ID, include_input=True)).input is UNSET  # nobody has asked
    call(o.create_interaction(ASK))
    for flag in (None, False):
        assert call(o.get_interaction(ID, include_input=flag)).input is UNSET
    assert call(o.get_interaction(ID, include_input=True)).input == ASK["input"]
    turn = user_input("When?")
    call(o.create_interaction({**ASK, "input": [turn]}))
    assert call(o.get_interaction(ID, include_input=True)).input == [turn]


# ---- in the background


@pytest.mark.parametrize("polls", [0, 1, 3])
def test_a_run_in_the_background_ends(client: httpx2.Client, polls: int) -> None:
    request = o.create_interaction({**ASK, "background": True})
    poll = o.get_interaction(ID)
    statuses: list[Any] = []
    with ReplayServer("search", polls=polls) as server:
        answer = client.post(request.url(server.url), content=request.body)
        started = request.decode_response(answer.status_code, answer.content)
        whole = decode_interaction(SEARCH.body or b"")
        assert started == replace(whole, status="in_progress", steps=UNSET, usage=UNSET)
        for _ in range(polls + 2):
            response = client.get(poll.url(server.url))
            statuses.append(poll.decode_response(response.status_code, response.content).status)
    assert statuses == ["in_progress"] * polls + ["completed"] * 2


def test_cancel(call: Any) -> None:
    call(o.create_interaction({**ASK, "background": True}))
    assert call(o.get_interaction(ID)).status == "in_progress"
    cancelled = call(o.cancel_interaction(ID))
    assert (cancelled.id, cancelled.status, cancelled.steps or ()) == (ID, "cancelled", ())
    assert call(o.get_interaction(ID)) == cancelled
    assert refused(call, o.cancel_interaction(ID)) == (400, "failed_precondition")
    assert refused(call, o.get_interaction(ID, stream=True)) == (400, "failed_precondition")
    call(o.create_interaction(ASK))
    assert call(o.get_interaction(ID)).status == "completed"


def test_only_what_runs_in_the_background_can_be_cancelled(call: Any) -> None:
    assert refused(call, o.cancel_interaction(ID)) == (400, "failed_precondition")
    call(o.create_interaction(ASK))
    assert refused(call, o.cancel_interaction(ID)) == (400, "failed_precondition")
    call(o.create_interaction({**ASK, "background": True}))
    while call(o.get_interaction(ID)).status == "in_progress":
        pass
    assert refused(call, o.cancel_interaction(ID)) == (400, "failed_precondition")


def test_a_run_in_the_background_can_be_streamed(call: Any) -> None:
    """It has ended when its last event was sent."""
    run = {**ASK, "background": True}
    assert assemble(call(o.create_interaction({**run, "stream": True}))) == WHOLE
    assert call(o.get_interaction(ID)).status == "completed"
    call(o.create_interaction(run))
    half = {FAULT_HEADER: f"end={len(SEARCH.stream) // 2}"}
    with pytest.raises(TruncatedStream):
        assemble(call(o.get_interaction(ID, stream=True), **half))
    assert call(o.get_interaction(ID)).status == "in_progress"
    assert assemble(call(o.get_interaction(ID, stream=True))) == WHOLE
    assert call(o.get_interaction(ID)).status == "completed"


@pytest.mark.parametrize("size", [None, 100])
def test_a_stream_that_is_cancelled(client: httpx2.Client, size: int | None) -> None:
    """The event that is being sent is sent to its end."""
    with ReplayServer("search", delay=0.01, chunk_size=size) as server:
        request = o.create_interaction({**ASK, "background": True, "stream": True})
        cancel = o.cancel_interaction(ID).url(server.url)
        with client.stream("POST", request.url(server.url), content=request.body) as response:
            reader = InteractionStream(response.iter_raw())
            for event in reader:
                if event.event_type == "step.start":
                    assert client.post(cancel).json()["status"] == "cancelled"
                    break
            reader.until_done()
        assert reader.report.outcome == "cancelled"
        assert reader.report.issues == []
        assert reader.snapshot().status == "cancelled"
        answer = client.get(o.get_interaction(ID).url(server.url))
        assert answer.json()["status"] == "cancelled"


def test_what_is_not_stored_has_no_id(call: Any) -> None:
    body = {**ASK, "store": False}
    assert call(o.create_interaction(body)) == replace(WHOLE, id=UNSET)
    data = call(o.create_interaction({**body, "stream": True}))
    assert data.count(b'"id":""') == 2
    assert data.count(b'"interaction_id":""') == 1
    assert assemble(data) == replace(WHOLE, id=UNSET)


def test_going_on_from_a_run_that_has_not_ended(call: Any) -> None:
    further = o.create_interaction({**ASK, "previous_interaction_id": ID})
    call(o.create_interaction({**ASK, "background": True}))
    assert refused(call, further) == (400, "failed_precondition")
    call(o.cancel_interaction(ID))
    assert call(further) == WHOLE
    call(o.delete_interaction(ID))
    assert refused(call, further) == (404, "not_found")


def test_the_background_needs_the_store(call: Any) -> None:
    request = o.create_interaction({**ASK, "background": True, "store": False})
    assert refused(call, request) == (400, "invalid_request")


def test_a_run_of_which_only_events_are_recorded(call: Any) -> None:
    header = {RECORDING_HEADER: "cut"}
    started = call(o.create_interaction({**ASK, "background": True}), **header)
    assert (started.status, started.id) == ("in_progress", Recording.load("cut").interaction_id)


# ---- deleted


def test_delete(call: Any) -> None:
    assert call(o.delete_interaction(ID)) is None
    for request in (
        o.get_interaction(ID),
        o.get_interaction(ID, stream=True),
        o.cancel_interaction(ID),
        o.delete_interaction(ID),
    ):
        assert refused(call, request) == (404, "not_found")
    call(o.create_interaction({**ASK, "store": False}))
    assert refused(call, o.get_interaction(ID)) == (404, "not_found")
    call(o.create_interaction(ASK))
    assert call(o.get_interaction(ID)).status == "completed"


def test_delete_what_was_never_there(call: Any) -> None:
    assert refused(call, o.delete_interaction("v1_nobody")) == (404, "not_found")


# ---- resumed


def frame(event_type: str, **members: Any) -> bytes:
    data = json.dumps({**members, "event_type": event_type})
    return f"event: {event_type}\ndata: {data}\n\n".encode()


FRAMES = [
    frame("interaction.created", interaction={"id": "v1_r", "status": "in_progress"}),
    frame("step.start", index=0, step={"type": "model_output"}, event_id='e"1'),
    frame("step.delta", index=0, delta={"type": "text", "text": "e2"}),
    frame("step.delta", index=0, delta={"type": "text", "text": "b"}, event_id="e2"),
    frame("step.stop", index=0, event_id="e2"),
    frame("interaction.completed", interaction={"id": "v1_r", "status": "completed"}),
]
RESEARCH = Recording("research", b"".join(FRAMES))


@pytest.mark.parametrize(("last", "rest"), [('e"1', 2), ("e2", 4)])
def test_the_events_after_one(client: httpx2.Client, last: str, rest: int) -> None:
    assert RESEARCH.after(last).stream == b"".join(FRAMES[rest:])
    with ReplayServer(RESEARCH) as server:
        request = o.get_interaction("v1_r", stream=True, last_event_id=last)
        assert client.get(request.url(server.url)).content == b"".join(FRAMES[rest:])


def test_events_that_cannot_be_resumed(client: httpx2.Client) -> None:
    with pytest.raises(LookupError, match="e3"):
        RESEARCH.after("e3")
    with ReplayServer(RESEARCH) as server:
        for request in (
            o.get_interaction("v1_r", stream=True, last_event_id="e3"),
            o.get_interaction("v1_r", last_event_id="e2"),
        ):
            response = client.get(request.url(server.url))
            assert (response.status_code, response.json()["error"]["code"]) == (
                400,
                "invalid_request",
            )


# ---- on Vertex AI


def test_with_a_parent(call: Any) -> None:
    where: Any = {"api_version": "v1", "parent": "projects/p/locations/l"}
    call(o.create_interaction(ASK, **where))
    assert call(o.get_interaction(ID, **where)) == with_input(user_input(ASK["input"]))
    assert call(o.delete_interaction(ID, **where)) is None
    assert refused(call, o.get_interaction(ID)) == (404, "not_found")
