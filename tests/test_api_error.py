"""An error answer becomes an `ApiError` with whatever could be read, whoever wrote it."""

from __future__ import annotations

import json
from http.client import HTTPMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemwire import ApiError, GemwireError, Request
from gemwire import operations as o
from gemwire.operations.response import Headers, api_error
from gemwire.wire.error_body import ErrorInfo


def failed(status: int, body: bytes | str = b"", headers: Headers | None = None) -> ApiError:
    with pytest.raises(ApiError) as caught:
        o.get_interaction("v1_a").decode_response(status, body, headers)
    assert caught.value.http_status == status
    return caught.value


RPC = (
    '{"error":{"code":429,"message":"Quota.","status":"RESOURCE_EXHAUSTED","details":['
    '{"@type":"type.googleapis.com/google.rpc.Help"},7,'
    '{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.074s"}]}}'
)


@pytest.mark.parametrize(
    ("body", "code", "status", "message"),
    [
        ('{"error":{"code":"invalid_request","message":"No."}}', "invalid_request", None, "No."),
        ('{"error":{"code":404,"message":"No.","status":"NOT_FOUND"}}', 404, "NOT_FOUND", "No."),
        ('{"code":5,"message":"No.","status":"NOT_FOUND"}', 5, "NOT_FOUND", "No."),
        ('[{"error":{"code":503,"message":"Busy."}}]', 503, None, "Busy."),
        ('[{"error":{"message":"one"}},{"error":{"message":"two"}}]', None, None, "one"),
        ('{"error":"invalid_grant"}', None, None, "invalid_grant"),
        ('{"error":{"message":null,"code":"x"}}', "x", None, ""),
        ('{"error":"unauthorized","error_description":"Old."}', "unauthorized", None, "Old."),
        ('{"error":"unauthorized","error_description":7}', None, None, "unauthorized"),
        ('{"error":"busy","message":"Come back."}', None, None, "busy: Come back."),
        ('{"detail":"Invalid model name."}', None, None, "Invalid model name."),
        ('[{"detail":"x"}]', None, None, "x"),
        (
            '{"detail":[{"loc":["body","model"],"msg":"Field required","type":"missing"},'
            '{"loc":["body","steps",0],"msg":"Bad"},"and more",7]}',
            None,
            None,
            "body.model: Field required; body.steps.0: Bad; and more",
        ),
        ('{"detail":{"code":"x","message":"No."}}', "x", None, "No."),
        ('{"type":"about:blank","title":"Not","detail":"No quota."}', None, None, "No quota."),
        ('{"errors":[{"code":3,"message":"too big"}]}', 3, None, "too big"),
        ('{"message":"No."}', None, None, "No."),
        ('"Too many requests"', None, None, "Too many requests"),
        (
            "upstream connect error\n  or disconnect\n",
            None,
            None,
            "upstream connect error or disconnect",
        ),
        ("", None, None, ""),
        ("null", None, None, ""),
        ("{}", None, None, ""),
        ("[]", None, None, ""),
        ("17", None, None, ""),
        ('{"error":{}}', None, None, ""),
        ('{"error"', None, None, '{"error"'),
    ],
)
def test_error_bodies(body: str, code: str | int | None, status: str | None, message: str) -> None:
    error = failed(400, body)
    assert (error.code, error.status, error.message) == (code, status, message)
    assert error.retry_after is None


@pytest.mark.parametrize(
    "body",
    [
        '{"type":"about:blank","title":"Forbidden"}',
        '{"fault":{"faultstring":"Invalid ApiKey"}}',
        '{"errors":[]}',
        '[{"detail":7}]',
        '{"error":{"reason":"blocked by policy"}}',
        '{"error":{"code":true,"message":7}}',
        '{"error":{"message":["a","b"]}}',
    ],
)
def test_json_of_another_form_is_the_message(body: str) -> None:
    """What cannot be told apart is shown, as other texts are."""
    error = failed(403, "\ufeff" + body)
    assert (error.code, error.status, error.message) == (None, None, body)
    assert failed(403, body.replace("x", "x" * 1000).replace(":", ": \n")).message.count("\n") == 0


def test_google_rpc() -> None:
    error = failed(429, RPC)
    assert (error.code, error.status, error.message) == (429, "RESOURCE_EXHAUSTED", "Quota.")
    assert error.details is not None
    assert len(error.details) == 3
    assert error.retry_after == 34.074
    assert failed(429, RPC, {"Retry-After": "3"}).retry_after == 3


@pytest.mark.parametrize(
    ("delay", "seconds"),
    [
        ("3.5s", 3.5),
        ("3", 3.0),
        ({"seconds": 3, "nanos": 500_000_000}, 3.5),
        ({"seconds": "3"}, 3.0),  # JSON writes int64 as a text
        ({"nanos": 1000}, 1e-6),
        ({}, None),
        ({"seconds": -1}, None),
        ({"seconds": True}, None),
        ({"seconds": None}, None),
        ("soon", None),
        ("-1s", None),
        (3, None),
        (None, None),
    ],
)
def test_how_long_to_wait_as_google_rpc_says(delay: object, seconds: float | None) -> None:
    for name in ("retryDelay", "retry_delay"):
        details = [7, {"@type": "type.googleapis.com/google.rpc.RetryInfo", name: delay}]
        info = ErrorInfo(429, "", None, details, None)
        assert info.retry_after == seconds
        body = json.dumps({"error": {"code": 429, "details": details}})
        assert failed(429, body).retry_after == seconds


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("<html><head><title>502 Bad\nGateway</title></head><body><h1>x</h1>", "502 Bad Gateway"),
        ("\n<!doctype html><TITLE lang=en>A &amp; B</TITLE >", "A & B"),
        ("<html><h1>Not <b>here</b></h1><p>more</p></html>", "Not here"),
        ("<html><body>Just\n <i>text</i></body></html>", "Just text"),
        ("<" * 100_000, "<" * 100),
        ("<html><title></title><h1>502 <i>Bad</i> Gateway</h1>", "502 Bad Gateway"),
        (f"<html><style>{'a{}' * 500}</style><title>Low</title>", "Low"),
        (f"<!-- {'x' * 5000} --><p>High", "High"),
        ("<script>a='<title>no</title>'</SCRIPT ><p>Yes", "Yes"),
        ("<style>p{}</style><p>Yes", "Yes"),
        ("\ufeff<html><title>502</title>", "502"),
        ("<!doctype html>", "<!doctype html>"),
    ],
)
def test_pages_of_proxies(page: str, message: str) -> None:
    error = failed(502, page)
    assert error.message.startswith(message)
    assert len(error.message) <= 512
    assert error.code is None
    assert str(error).startswith("502: ")


def test_long_and_broken_texts() -> None:
    assert len(failed(500, b"\xff" * 100_000).message) == 512
    assert failed(500, b"oops \xff").message == "oops \ufffd"
    assert str(failed(500)) == "500"


def test_redirects_are_no_answers() -> None:
    for status in (100, 302, 304, 404):
        assert failed(status, b'{"id":"v1_a"}').message == '{"id":"v1_a"}'


NOW = {"Date": "Wed, 21 Oct 2026 07:28:00 GMT"}


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        ("7, 7", 7.0),  # two lines, which clients join
        (" 7 ", 7.0),
        ("1.5", 1.5),
        ("Wed, 21 Oct 2026 07:28:30 GMT", 30.0),
        ("Wednesday, 21-Oct-26 07:29:00 GMT", 60.0),
        ("Wed Oct 21 07:28:05 2026", 5.0),
        ("Wed, 21 Oct 2026 07:27:00 GMT", 0.0),  # in the past
        ("-1", None),
        ("1e3", None),
        ("٣", None),
        ("9" * 400, None),
        ("soon", None),
        ("Wed, 21 Oct 99999999999 07:28:30 GMT", None),
        ("", None),
    ],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    headers = {**NOW, "RETRY-AFTER": value}
    assert failed(429, b"", headers).retry_after == seconds
    assert (
        api_error(429, b"", [(k.encode(), v.encode()) for k, v in headers.items()]).retry_after
        == seconds
    )


@pytest.mark.parametrize("date", [None, "yesterday"])
def test_a_date_without_a_date_is_no_number(date: str | None) -> None:
    headers = {"Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT"} | ({"Date": date} if date else {})
    assert failed(503, b"", headers).retry_after is None


@pytest.mark.parametrize(
    "request_",
    [
        o.get_interaction("i"),
        o.list_webhooks(),  # all members of its answer are optional
        o.get_webhook("w"),
        o.delete_webhook("w"),
        o.delete_interaction("i"),  # answers nothing
        o.start_environment_file_upload("e", "f", content_length=1, content_type="a/b"),
    ],
    ids=repr,
)
@pytest.mark.parametrize(
    "body",
    [
        '{"error":{"code":"api_error","message":"No."}}',
        '[{"error":{"code":"api_error","message":"No."}}]',
        '{"code":7,"message":"No.","status":"PERMISSION_DENIED"}',
        '\ufeff{"error":{"message":"No."}}',
    ],
)
def test_errors_that_came_with_200(request_: Request[object], body: str) -> None:
    with pytest.raises(ApiError, match="No") as caught:
        request_.decode_response(200, body, {"Retry-After": "2"})
    assert caught.value.http_status == 200
    assert caught.value.retry_after == 2


def test_headers_of_the_standard_library() -> None:
    headers = HTTPMessage()
    headers["RETRY-AFTER"] = "5"
    assert failed(429, b"", headers).retry_after == 5  # type: ignore[arg-type]


@given(st.binary(max_size=60) | st.text(max_size=60), st.sampled_from([200, 404, 503]))
def test_whatever_comes(body: bytes | str, status: int) -> None:
    for request in (o.get_interaction("i"), o.list_voices(), o.delete_agent("a")):
        try:
            request.decode_response(status, body, {"Retry-After": str(body), "Date": str(body)})
        except GemwireError:
            pass
        else:
            assert status == 200
