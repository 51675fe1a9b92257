"""The exception tree: who is caught by what, what each one carries, and that nothing gets lost."""

from __future__ import annotations

import copy
import inspect
import pickle
from typing import Any, cast

import pytest

from gemwire import errors
from gemwire.errors import (
    ApiError,
    ArgumentsError,
    CheckpointError,
    DamagedStream,
    DecodeError,
    GemwireError,
    LimitExceeded,
    OutputError,
    PollTimeout,
    ProtocolError,
    ServerError,
    StreamError,
    TruncatedStream,
)

# Stand-ins: an exception does not look into them.
INTERACTION = cast("Any", {"id": "v1_a"})
REPORT = cast("Any", {"outcome": "truncated"})
STREAM = {"interaction": INTERACTION, "report": REPORT}
SERVER: dict[str, Any] = {"code": 503, "status": "UNAVAILABLE", "details": [{"a": 1}]}

CALL: dict[str, Any] = {"position": 1, "index": 2, "call_id": "f1", "name": "x", "raw": '{"a":'}

# Each class: where it stands in the tree, and an exception with the attributes that it must have.
TREE: dict[type[GemwireError], tuple[tuple[type, ...], GemwireError, dict[str, Any]]] = {
    GemwireError: ((Exception,), GemwireError("m"), {}),
    ProtocolError: ((GemwireError,), ProtocolError("m", offset=7), {"offset": 7}),
    LimitExceeded: (
        (ProtocolError,),
        LimitExceeded("m", offset=7, limit=10, size=11),
        {"offset": 7, "limit": 10, "size": 11},
    ),
    DecodeError: (
        (GemwireError, ValueError),
        DecodeError("m", path="$.a", event="step.delta", data=b"{}"),
        {"path": "$.a", "event": "step.delta", "data": b"{}"},
    ),
    OutputError: (
        (DecodeError,),
        OutputError("m", path="$.a", text="t", status="failed"),
        {"path": "$.a", "event": None, "data": b"t", "text": "t", "status": "failed"},
    ),
    PollTimeout: (
        (GemwireError, TimeoutError),
        PollTimeout("m", interaction=INTERACTION),
        {"interaction": INTERACTION},
    ),
    StreamError: ((GemwireError,), StreamError("m", **STREAM), STREAM),
    TruncatedStream: ((StreamError, EOFError), TruncatedStream("m", **STREAM), STREAM),
    ServerError: (
        (StreamError,),
        ServerError("m", **STREAM, **SERVER, retry_after=1.5),
        {"message": "m", **STREAM, **SERVER, "retry_after": 1.5},
    ),
    ArgumentsError: (
        (StreamError,),
        ArgumentsError("m", **STREAM, **CALL),
        {**STREAM, **CALL},
    ),
    DamagedStream: ((StreamError,), DamagedStream("m", **STREAM), STREAM),
    CheckpointError: ((GemwireError, ValueError), CheckpointError("m"), {}),
    ApiError: (
        (GemwireError,),
        ApiError("m", **SERVER, retry_after=1.5, http_status=503),
        {"message": "m", **SERVER, "retry_after": 1.5, "http_status": 503},
    ),
}


def test_the_tree_is_whole() -> None:
    public = [getattr(errors, name) for name in errors.__all__]
    assert set(TREE) == {item for item in public if is_error(item)}
    assert errors.__doc__ is not None
    assert all(kind.__name__ in errors.__doc__ for kind in TREE)


def is_error(item: object) -> bool:
    return inspect.isclass(item) and issubclass(item, BaseException)


@pytest.mark.parametrize("kind", TREE, ids=lambda kind: kind.__name__)
def test_an_exception(kind: type[GemwireError]) -> None:
    bases, error, attributes = TREE[kind]
    assert kind.__bases__ == bases
    assert issubclass(kind, GemwireError)
    assert vars(error) == attributes
    assert error.args == ("m",)
    assert "m" in str(error)
    error.add_note("note")
    for other in (
        copy.copy(error),
        copy.deepcopy(error),
        *(pickle.loads(pickle.dumps(error, protocol)) for protocol in range(6)),
    ):
        assert type(other) is kind
        assert other is not error
        assert other.args == error.args
        assert vars(other) == {**attributes, "__notes__": ["note"]}
        assert str(other) == str(error)


def test_a_subclass_of_the_caller_is_copied_too() -> None:
    class Ours(LimitExceeded):
        def __init__(self) -> None:
            super().__init__("m", offset=1, limit=2, size=3)

    assert vars(copy.copy(Ours())) == {"offset": 1, "limit": 2, "size": 3}


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (ProtocolError("odd", offset=7), "odd (at byte 7)"),
        (
            LimitExceeded("too large", offset=7, limit=10, size=11),
            "too large (at byte 7): 11 bytes or more, the limit is 10",
        ),
        (DecodeError("no int"), "no int (at $)"),
        (DecodeError("no int", path="$.a", event="e"), "no int (at $.a of event 'e')"),
        (TruncatedStream("cut", **STREAM), "cut"),
        (ServerError("busy", **STREAM, **SERVER), "503 UNAVAILABLE: busy"),
        (ServerError("busy", **STREAM, code="too_many_requests"), "too_many_requests: busy"),
        (ServerError("busy", **STREAM), "busy"),
        (ServerError("", **STREAM, code=0), "0"),
        (ServerError("", **STREAM), "an error without code or message"),
        (ArgumentsError("bad", **STREAM, index=2, raw="{"), "bad (index 2, '{')"),
        (
            ArgumentsError("bad", **STREAM, **CALL),
            "bad (call 'x', id 'f1', steps 1, index 2, '{\"a\":')",
        ),
        (ArgumentsError("bad", **STREAM), "bad"),
        (DamagedStream("spoiled", **STREAM), "spoiled"),
        (ApiError("gone", http_status=404), "404: gone"),
        (ApiError("gone", http_status=404, code="not_found"), "not_found: gone"),
    ],
)
def test_what_it_says(error: GemwireError, shown: str) -> None:
    assert str(error) == shown


def test_long_payloads_are_cut() -> None:
    for data in (b"x" * 2000, bytearray(b"x" * 2000), memoryview(b"x" * 2000)):
        error = DecodeError("m", data=data)
        assert error.data == b"x" * 512
        assert type(error.data) is bytes
    shown = str(ArgumentsError("bad", **STREAM, index=0, raw="x" * 2000))
    assert len(shown) < 120


def test_keywords_only() -> None:
    with pytest.raises(TypeError):
        ProtocolError("m", 7)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        ApiError("m", 404)  # type: ignore[call-arg]
