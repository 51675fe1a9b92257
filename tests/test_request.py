"""A request says exactly what is to be sent, and reads whatever comes back."""

from __future__ import annotations

import copy
import json
import math
import pickle
from enum import Enum
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from gemwire import DecodeError, Interaction, decode_interaction, encode, unknown_members
from gemwire import models as m
from gemwire import operations as o
from gemwire.operations.request import Request
from gemwire.operations.response import Headers

HOST = "https://example.test"
ASK = {"model": "gemini-3.6-flash", "input": "Hi"}


def path_of(request: Request[Any]) -> str:
    """The path as a server splits it off, still encoded."""
    return urlsplit(request.url(HOST)).path


# ---- where things go


HOSTILE = [
    "a/b?c#d%2F..",
    "../../interactions",
    "..%2f..",
    "%2e%2e",
    "...",
    "a b+c&d=e;f",
    "x:ping",
    "{api_version}",
    "a\r\nHost: b",
    "a\x00b\x7f\t",
    "\\..\\",
    "@host",
    "//host",
    "日本🌸",
]


@pytest.mark.parametrize("value", HOSTILE)
def test_an_id_stays_one_segment(value: str) -> None:
    request = o.get_webhook(value)
    head, _, last = path_of(request).rpartition("/")
    assert head == "/v1beta/webhooks"
    assert unquote(last) == value
    assert request.url(HOST).isascii()
    assert request.url(HOST).isprintable()
    assert ":" not in last


@given(st.text(st.characters(codec="utf-8"), min_size=1).filter(lambda text: text.strip(".")))
def test_any_id_stays_one_segment(value: str) -> None:
    url = urlsplit(o.cancel_interaction(value).url(HOST))
    assert (url.scheme, url.netloc, url.query, url.fragment) == ("https", "example.test", "", "")
    *head, segment, last = url.path.split("/")
    assert (head, last) == (["", "v1beta", "interactions"], "cancel")
    assert unquote(segment) == value


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_ids_that_are_no_segment(value: str) -> None:
    """Dots would be a step in the path however they are encoded."""
    with pytest.raises(ValueError, match="interactionsId cannot be"):
        o.get_interaction(value)
    with pytest.raises(ValueError, match="id cannot be"):
        o.ping_webhook(value)
    with pytest.raises(ValueError, match="api_version cannot be"):
        o.list_webhooks(api_version=value)


def test_a_lone_surrogate_cannot_be_sent() -> None:
    for call in (
        lambda: o.get_webhook("\ud83c"),
        lambda: o.get_environment_files("e", "a/\ud83c"),
        lambda: o.get_webhook("w", parent="projects/\ud83c"),
        lambda: o.list_webhooks(page_token="\ud83c"),
        lambda: o.list_voices(accent=["a", "\ud83c"]),
    ):
        with pytest.raises(ValueError, match="half of a surrogate pair"):
            call()


class Name(str, Enum):  # noqa: UP042  # whose str() is not its value
    LOW = "low"


def test_members_of_an_enum_are_their_values() -> None:
    assert path_of(o.get_webhook(Name.LOW)) == "/v1beta/webhooks/low"
    assert o.list_webhooks(page_token=Name.LOW).query == (("page_token", "low"),)
    assert o.list_voices(accent=[Name.LOW]).query == (("accent", "low"),)


@pytest.mark.parametrize("value", [b"..", 7, None, PurePosixPath("a")])
def test_what_is_no_text(value: Any) -> None:
    with pytest.raises(TypeError, match="has to be a str"):
        o.get_webhook(value)
    with pytest.raises(TypeError, match="has to be a str"):
        o.get_environment_files("e", value)


def test_custom_verbs_stay() -> None:
    assert path_of(o.ping_webhook("w1")) == "/v1beta/webhooks/w1:ping"
    assert path_of(o.rotate_signing_secret("w1", {})) == "/v1beta/webhooks/w1:rotateSigningSecret"


def test_the_slashes_of_file_paths_stay() -> None:
    assert path_of(o.get_environment_files("a/b", "src/lib/ü ?.py")) == (
        "/v1beta/environments/a%2Fb/files/src/lib/%C3%BC%20%3F.py"
    )


def test_the_root_of_an_environment() -> None:
    assert path_of(o.get_environment_files("e", "")) == "/v1beta/environments/e/files/"


@pytest.mark.parametrize("path", ["/", "/src", "src/", "a//b", "..", "a/../b", "./a", "a/."])
def test_file_paths_that_lead_elsewhere(path: str) -> None:
    with pytest.raises(ValueError, match="path has a segment"):
        o.get_environment_files("e", path)


def test_vertex() -> None:
    request = o.get_interaction("i", api_version="v1", parent="projects/p q/locations/l")
    assert path_of(request) == "/v1/projects/p%20q/locations/l/interactions/i"
    upload = o.start_environment_file_upload(
        "e", "f", content_length=1, content_type="text/csv", parent="projects/p/locations/l"
    )
    assert path_of(upload) == "/upload/v1beta/projects/p/locations/l/environments/e/files/f"
    assert path_of(o.list_agents(parent=UNSET)) == "/v1beta/agents"
    with pytest.raises(ValueError, match="parent has a segment"):
        o.list_agents(parent="projects/../locations/l")


def test_the_query() -> None:
    request = o.list_voices(
        accent=["a&b", "c d"], gender="neutral", page_size=0, page_token="", search="é=1"
    )
    assert request.query == (
        ("accent", "a&b"),
        ("accent", "c d"),
        ("gender", "neutral"),
        ("page_size", "0"),
        ("page_token", ""),
        ("search", "é=1"),
    )
    query = urlsplit(request.url(HOST)).query
    assert (
        query
        == "accent=a%26b&accent=c%20d&gender=neutral&page_size=0&page_token=&search=%C3%A9%3D1"
    )
    assert tuple(parse_qsl(query, keep_blank_values=True)) == request.query


def test_what_is_absent_is_left_out() -> None:
    page = m.ListWebhooksResponse()
    assert o.list_webhooks(page_size=None, page_token=page.next_page_token).query == ()
    assert o.list_voices(type=[]).query == ()
    assert o.get_interaction("i", stream=False).query == (("stream", "false"),)


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("http://h", "http://h/v1beta/agents?page_size=1"),
        ("http://h/", "http://h/v1beta/agents?page_size=1"),
        ("http://h:8/proxy/gemini/", "http://h:8/proxy/gemini/v1beta/agents?page_size=1"),
        ("", "/v1beta/agents?page_size=1"),
    ],
)
def test_url(base: str, url: str) -> None:
    assert o.list_agents(page_size=1).url(base) == url


@pytest.mark.parametrize("base", ["http://h?key=1", "http://h#x"])
def test_base_urls_that_would_swallow_the_path(base: str) -> None:
    with pytest.raises(ValueError, match="base URL"):
        o.list_agents().url(base)


def test_headers() -> None:
    """No `Api-Revision`: the server ignores it, and the official clients do not send it."""
    assert o.get_agent("a").headers == {"Accept": "application/json"}
    assert o.create_interaction(ASK).headers == {
        "Accept": "application/json",
        "Content-Type": "application/json",
    }
    assert o.get_interaction("i", stream=True).headers["Accept"] == "text/event-stream"
    upload = o.start_environment_file_upload("e", "f", content_length=7, content_type="text/csv")
    assert upload.headers == {
        "Accept": "application/json",
        "X-Goog-Upload-Command": "start",
        "X-Goog-Upload-Protocol": "resumable",
        "X-Goog-Upload-Header-Content-Length": "7",
        "X-Goog-Upload-Header-Content-Type": "text/csv",
    }


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "", " a", "ü", "a\x00"])
def test_a_header_stays_one_line(value: str) -> None:
    with pytest.raises(ValueError, match="header"):
        o.start_environment_file_upload("e", "f", content_length=7, content_type=value)


@pytest.mark.parametrize("value", [None, True, UNSET, 1.5, b"7"])
def test_what_is_no_header(value: Any) -> None:
    with pytest.raises(TypeError, match="has to be a str or an int"):
        o.start_environment_file_upload("e", "f", content_length=value, content_type="a/b")
    with pytest.raises(TypeError, match="has to be a str or an int"):
        o.start_environment_file_upload("e", "f", content_length=1, content_type=value)


def test_a_size_below_nothing() -> None:
    with pytest.raises(ValueError, match="header"):
        o.start_environment_file_upload("e", "f", content_length=-1, content_type="a/b")


# ---- the body


def test_bodies_of_every_form() -> None:
    model = m.CreateModelInteraction(model="m", input="Hi")
    assert o.create_interaction(model).body == encode(model) == b'{"model":"m","input":"Hi"}'
    newer = o.create_interaction(
        {"model": "m", "input": [m.UserInputStep()], "new": 1, "no": UNSET}
    )
    assert newer.body == b'{"model":"m","input":[{"type":"user_input"}],"new":1}'
    for data in (b'{"a": 1 }', bytearray(b'{"a": 1 }'), memoryview(b'{"a": 1 }')):
        assert o.create_interaction(data).body == b'{"a": 1 }'  # type: ignore[arg-type]
    assert o.ping_webhook("w").body is None
    assert "Content-Type" not in o.ping_webhook("w").headers
    assert o.ping_webhook("w", {}).body == b"{}"


@pytest.mark.parametrize("body", ["{}", 1, [ASK], object()])
def test_what_is_no_body(body: Any) -> None:
    with pytest.raises(TypeError, match="a model, a mapping or bytes"):
        o.create_interaction(body)


@pytest.mark.parametrize("body", [None, UNSET])
def test_a_body_that_is_missing(body: Any) -> None:
    with pytest.raises(TypeError, match="needs a body"):
        o.create_interaction(body)
    assert o.ping_webhook("w", body).body is None


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_numbers_that_json_lacks(number: float) -> None:
    """They would be sent as null."""
    settings = m.GenerationConfig(temperature=number)
    for body in (
        {**ASK, "generation_config": {"temperature": number}},
        {**ASK, "generation_config": settings, "labels": None},
        {**ASK, "tools": ({"a": [1.5, number]},)},
        m.CreateModelInteraction(model="m", input="a", generation_config=settings),
    ):
        with pytest.raises(ValueError, match="JSON has no form for"):
            o.create_interaction(body)
    kept = o.create_interaction({"input": "null", "new": [1.5, None]})
    assert kept.body == b'{"input":"null","new":[1.5,null]}'


def test_what_is_unset_inside_is_left_out() -> None:
    body = {**ASK, "generation_config": {"temperature": UNSET, "seed": 1}}
    sent = o.create_interaction(body).body
    assert sent == encode(body)
    assert json.loads(sent or b"")["generation_config"] == {"seed": 1}


@pytest.mark.parametrize(
    ("body", "streams"),
    [
        ({**ASK, "stream": True}, True),
        ({**ASK, "stream": False}, False),
        ({**ASK, "stream": "true"}, False),
        (m.CreateModelInteraction(model="m", stream=True), True),
        (m.CreateAgentInteraction(agent="a"), False),
        (b'{"input": "\\"stream\\": true"}', False),
        (b'{"input": {"stream": true}}', False),
        (b'{"\\u0073tream" : true}', True),
        (b'{"input": "\\ud83c", "stream": true}', True),
        (b"{", False),
        (b"[true]", False),
        (b"\xff", False),
    ],
)
def test_the_body_says_whether_events_come(body: Any, streams: bool) -> None:
    request = o.create_interaction(body)
    assert request.streams is streams
    accepted = "text/event-stream" if streams else "application/json"
    assert request.headers["Accept"] == accepted


def test_only_operations_that_can_stream_do() -> None:
    assert o.get_interaction("i", stream=True).streams
    assert not o.get_interaction("i", stream=False).streams
    assert not o.create_agent({"stream": True}).streams


def test_a_request_is_a_value() -> None:
    one, two = (o.create_interaction({**ASK, "input": "x" * 10_000}) for _ in range(2))
    assert one == two
    assert pickle.loads(pickle.dumps(one)) == copy.deepcopy(one) == one
    assert repr(one) == "<Request POST /v1beta/interactions, 10039 bytes>"
    assert repr(o.list_agents(page_size=1)) == "<Request GET /v1beta/agents?page_size=1>"
    with pytest.raises(AttributeError):
        one.method = "GET"  # type: ignore[misc]


# ---- the answer


def test_an_interaction() -> None:
    body = b'{"id":"v1_a","status":"completed","steps":[]}'
    for request in (
        o.create_interaction(ASK),
        o.create_interaction({**ASK, "stream": True}),  # JSON all the same
        o.get_interaction("v1_a"),
        o.cancel_interaction("v1_a"),
    ):
        answer = request.decode_response(200, body)
        assert answer == Interaction(id="v1_a", status="completed", steps=[])
        assert request.response_type is Interaction


@pytest.mark.parametrize(
    "members",
    ['"error":{"code":"e","message":"m"}', '"code":"e","message":"m"', '"error":null'],
)
def test_an_interaction_that_failed(members: str) -> None:
    """It is the answer, whatever it says of its error."""
    body = '{"id":"v1_a","object":"interaction","status":"failed",' + members + "}"
    for request in (o.get_interaction("v1_a"), o.cancel_interaction("v1_a")):
        answer = request.decode_response(200, body)
        assert answer == decode_interaction(body)
        assert answer.status == "failed"


def test_no_error_is_no_error() -> None:
    assert decode_interaction(b'{"status":"completed","error":null}').status == "completed"


def test_members_of_the_schema_are_no_error() -> None:
    execution = {"id": "e", "trigger_id": "t", "error": {"code": "x", "message": "m"}}
    answer = o.run_trigger("t").decode_response(200, json.dumps(execution))
    assert unknown_members(answer) == {"error": execution["error"]}


def test_half_of_a_surrogate_pair_in_an_answer() -> None:
    step = '{"type":"model_output","content":[{"type":"text","text":"\ud83c"}]}'
    answer = o.get_interaction("i").decode_response(200, f'{{"status":"x","steps":[{step}]}}')
    assert answer.output_text == "\ud83c"


def test_other_answers() -> None:
    assert o.delete_interaction("i").decode_response(200, b"\n") is None
    page = o.list_webhooks().decode_response(
        200, '{"webhooks":[{"subscribed_events":[],"uri":"u"}]}'
    )
    assert page.webhooks == [m.Webhook(subscribed_events=[], uri="u")]
    assert o.delete_interaction("i").decode_response(200) is None
    assert o.delete_interaction("i").decode_response(204, b"{}") is None
    marked = b'\xef\xbb\xbf{"status":"new"}'
    assert o.get_interaction("i").decode_response(200, marked).status == "new"
    assert o.delete_interaction("i").response_type is None
    assert o.delete_webhook("w").decode_response(200, b"{}") == {}
    assert o.delete_webhook("w").decode_response(204, b"") == {}


def test_what_is_no_answer() -> None:
    for body in (b"", b"<html>", b"[]", b'{"uri":1}'):
        with pytest.raises(DecodeError):
            o.get_webhook("w").decode_response(200, body)
    with pytest.raises(DecodeError):
        o.delete_interaction("i").decode_response(200, b"<html>log in first</html>")
    with pytest.raises(DecodeError):
        o.create_interaction({**ASK, "stream": True}).decode_response(
            200, b"event: x\ndata: {}\n\n"
        )


URL = "https://example.test/upload?id=1"


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Goog-Upload-URL": URL},
        {"other": "x", "x-goog-upload-url": f" {URL} "},
        [("a", "b"), ("X-GOOG-UPLOAD-URL", URL)],
        [(b"x-goog-upload-url", URL.encode()), (b"X-Goog-Upload-URL", b"second")],
    ],
)
def test_an_answer_in_a_header(headers: Headers) -> None:
    request = o.start_environment_file_upload("e", "f", content_length=7, content_type="text/csv")
    assert request.response_type is str
    assert request.decode_response(200, b"", headers) == URL


@pytest.mark.parametrize("headers", [None, {}, [], {"X-Goog-Upload": "x"}])
def test_no_answer_in_a_header(headers: Headers | None) -> None:
    request = o.start_environment_file_upload("e", "f", content_length=7, content_type="text/csv")
    with pytest.raises(DecodeError, match="X-Goog-Upload-URL"):
        request.decode_response(200, b"", headers)
