"""Each operation of the wire has its function, and the replay server accepts what that makes."""

from __future__ import annotations

import inspect
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from gemwire import ApiError, decode, encode, to_dict
from gemwire import models as m
from gemwire import operations as o
from gemwire.operations import OPERATIONS, Operation, Request
from gemwire.replay import Recording, ReplayServer
from gemwire.replay.routes import pattern, smallest

ROOT = Path(__file__).parent.parent
TABLE = Path(os.environ.get("GEMWIRE_WIRE", ROOT / ".." / "shared" / "wire")) / "current-3.6.json"
Json = dict[str, Any]

FUNCTIONS: dict[str, Callable[..., Request[Any]]] = {name: getattr(o, name) for name in OPERATIONS}


def arguments(name: str) -> tuple[list[Any], Json]:
    """The least that a function can be called with."""
    positional: list[Any] = []
    named: Json = {}
    for parameter in inspect.signature(FUNCTIONS[name]).parameters.values():
        if parameter.default is not parameter.empty:
            continue
        value: Any = {"int": 7, "str": "text/csv"}.get(str(parameter.annotation))
        if parameter.name == "body":
            value = smallest_body(OPERATIONS[name])
        elif parameter.kind is parameter.POSITIONAL_ONLY:
            value = Recording.load("search").interaction_id
        if parameter.kind is parameter.POSITIONAL_ONLY:
            positional.append(value)
        else:
            named[parameter.name] = value
    return positional, named


def smallest_body(operation: Operation) -> Any:
    return smallest(getattr(m, operation.body[0]))


def minimal(name: str) -> Request[Any]:
    positional, named = arguments(name)
    return FUNCTIONS[name](*positional, **named)


# ---- the functions


def test_every_operation_is_a_function() -> None:
    others = {"OPERATIONS", "Operation", "Request", "continue_interaction"}
    assert set(o.__all__) == {*others, *OPERATIONS}
    assert all(callable(getattr(o, name)) for name in o.__all__ if name != "OPERATIONS")
    assert len(OPERATIONS) == 40
    assert len({operation.id for operation in OPERATIONS.values()}) == 40


@pytest.mark.parametrize("name", OPERATIONS)
def test_signatures(name: str) -> None:
    """What is in the path is positional, everything else named, and all of it documented."""
    operation, signature = OPERATIONS[name], inspect.signature(FUNCTIONS[name])
    kinds = [p.kind for p in signature.parameters.values()]
    in_path = [n for n in re.findall(r"\{(\w+)\}", operation.path) if n != "api_version"]
    positional = kinds.count(inspect.Parameter.POSITIONAL_ONLY)
    assert positional == len(in_path) + bool(operation.body)
    assert set(kinds) <= {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.KEYWORD_ONLY}
    named = len(kinds) - positional
    assert named == len(operation.query) + len(operation.headers) + 2
    assert list(signature.parameters)[-2:] == ["api_version", "parent"]
    doc = inspect.getdoc(FUNCTIONS[name])
    assert doc is not None
    documented = re.findall(r"^    (\w+): \S", doc, re.MULTILINE)
    assert documented == list(signature.parameters)
    assert all(len(line) <= 96 for line in doc.splitlines())


@pytest.mark.parametrize("name", OPERATIONS)
def test_parameters_arrive_where_they_belong(name: str) -> None:
    operation = OPERATIONS[name]
    positional, named = arguments(name)
    values: Json = {"string": "a&b", "integer": 3, "boolean": True, "array": ["x", "y"]}
    optional = [
        parameter
        for parameter in inspect.signature(FUNCTIONS[name]).parameters
        if parameter.removeprefix("query_") in operation.query and parameter != "parent"
    ]
    assert [n.removeprefix("query_") for n in optional] == list(operation.query)
    for parameter, kind in zip(optional, operation.query.values(), strict=True):
        named[parameter] = values[kind]
    request = FUNCTIONS[name](
        *positional, **named, api_version="v1", parent="projects/p/locations/l"
    )
    assert "/v1/projects/p/locations/l/" in request.path
    texts = {"string": ["a&b"], "integer": ["3"], "boolean": ["true"], "array": ["x", "y"]}
    assert list(request.query) == [
        (wire, text) for wire, kind in operation.query.items() for text in texts[kind]
    ]
    assert (request.body is None) == (not operation.body_required)


def test_the_page_names_them_all() -> None:
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    table = page.partition("## What to send")[0]
    assert set(re.findall(r"`(\w+_\w+)`", table)) == set(OPERATIONS)


def test_nothing_of_other_resources_is_loaded() -> None:
    code = (
        "import sys, gemwire; assert 'gemwire.operations' not in sys.modules\n"
        "request = gemwire.operations.list_webhooks()\n"
        "loaded = {n.rpartition('.')[2] for n in sys.modules if n.startswith('gemwire.models.')}\n"
        "print(*sorted(loaded))\n"
        "request.response_type\n"
        "print('gemwire.models.webhooks' in sys.modules, 'gemwire.models.voices' in sys.modules)\n"
        "print(sys.modules.keys() & {'asyncio', 'email', 'html', 'http', 'json', 'socket'})"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [
        "interactions lazy tables views",
        "True False",
        "set()",
    ]


# ---- the wire


if TABLE.exists():
    DOCUMENT: Json = json.loads(TABLE.read_text("utf-8"))
    WIRE: list[Json] = DOCUMENT["operations"]
else:
    DOCUMENT, WIRE = {"schemas": {}}, []

wire = pytest.mark.skipif(not WIRE, reason=f"no table of the wire at {TABLE} (see GEMWIRE_WIRE)")


def models_of(type_: str | None) -> set[str]:
    """The names of our models that a type of the table refers to."""
    keys = re.findall(r"ref:([\w.]+)", type_ or "")
    return {DOCUMENT["schemas"][key].get("spec_name", key) for key in keys}


def is_enum(text: str) -> bool:
    """Whether a type of the table is an enum, which goes out as the text it is."""
    kind = DOCUMENT["schemas"].get(text.removeprefix("ref:"), {}).get("kind")
    return bool(kind == "enum")


@wire
def test_the_wire_has_no_other_operations() -> None:
    assert {row["id"] for row in WIRE} == {operation.id for operation in OPERATIONS.values()}


@wire
@pytest.mark.parametrize("row", WIRE, ids=lambda row: str(row["id"]))
def test_the_wire(row: Json) -> None:
    """Method, path, parameters, types of request and answer, and streaming."""
    operation = next(op for op in OPERATIONS.values() if op.id == row["id"])
    assert (operation.method, operation.path) == (row["method"], row["path"])

    params = {(p["in"], p["name"]): p for p in row["params"]}
    assert params.pop(("path", "api_version"))["type"] == "string"
    in_path = {name for where, name in params if where == "path"}
    assert in_path == set(re.findall(r"\{(\w+)\}", operation.path)) - {"api_version"}
    kinds = {
        name: "string" if is_enum(p["type"]) else re.sub("<.*", "", p["type"])
        for (where, name), p in params.items()
        if where == "query"
    }
    assert kinds == operation.query
    sent = {name: p for (where, name), p in params.items() if where == "header"}
    assert {n: p["const"] for n, p in sent.items() if "const" in p} == operation.constants
    assert {n: p["type"] for n, p in sent.items() if "const" not in p} == operation.headers
    for (where, _), p in params.items():
        assert p["required"] is (where != "query")

    request = row["request"] or {"type": None, "required": False}
    assert set(operation.body) == models_of(request["type"])
    assert operation.body_required == request["required"]

    plain = [answer for answer in row["response"] if not answer.get("stream")]
    assert len(plain) == 1
    assert {operation.response} - {None} == models_of(plain[0]["type"])
    names = [header["name"] for header in plain[0].get("headers", ())]
    assert [operation.response_header] == (names or [None])
    assert operation.streams == row["streaming"] == (len(row["response"]) == 2)
    assert str(inspect.signature(FUNCTIONS[function_of(operation)]).return_annotation) == (
        f"Request[{'str' if names else operation.response}]"
    )


def function_of(operation: Operation) -> str:
    return next(name for name, value in OPERATIONS.items() if value is operation)


# ---- the server


@pytest.fixture(scope="module")
def server() -> Iterator[ReplayServer]:
    with ReplayServer("search") as server:
        yield server


@pytest.fixture(scope="module")
def client() -> Iterator[httpx2.Client]:
    with httpx2.Client(trust_env=False, verify=False) as client:
        yield client


def send(
    client: httpx2.Client, server: ReplayServer, request: Request[Any], **changes: Any
) -> httpx2.Response:
    sent = {"headers": request.headers, "content": request.body, **changes}
    return client.request(request.method, request.url(server.url), **sent)


NEWER: dict[str, Callable[[], Request[Any]]] = {
    "a tool server whose tools are found by search": lambda: o.create_interaction(
        m.CreateModelInteraction(
            model="m", input="Hi", tools=[m.McpServer(url="https://m", defer_loading=True)]
        )
    ),
    "an environment that somebody else hosts": lambda: o.create_environment(
        m.CreateEnvironmentRequest(
            mode="self_hosted", custom_config={"region": "eu"}, system_instruction="Be brief."
        )
    ),
    "a run in one": lambda: o.create_interaction(
        m.CreateAgentInteraction(
            agent="a",
            input="Hi",
            environment=m.EnvironmentConfig(mode="self_hosted", custom_config={"region": "eu"}),
        )
    ),
    "only those": lambda: o.list_environments(mode="self_hosted"),
    "a token of the live socket": lambda: o.create_interaction_auth_token(
        Recording.load("search").interaction_id,
        m.InteractionAuthTokenCreateParams(expire_time="2026-10-01T00:00:00Z"),
    ),
}
"""What the official clients send since 3.5.0."""


@pytest.mark.parametrize("name", NEWER)
def test_the_replay_server_accepts_what_is_newer(
    client: httpx2.Client, server: ReplayServer, name: str
) -> None:
    request = NEWER[name]()
    response = send(client, server, request)
    assert response.status_code == 200, response.text
    assert request.decode_response(200, response.content, response.headers) is not None


STATEFUL = ("cancel_interaction", "delete_interaction")
"""These answer as what happened before will have it; see test_replay_operations.py."""


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_replay_server_accepts_it(
    client: httpx2.Client, server: ReplayServer, name: str
) -> None:
    if name in STATEFUL:
        body = {"model": "m", "background": True}
        assert send(client, server, o.create_interaction(body)).status_code == 200
    request = minimal(name)
    response = send(client, server, request)
    assert response.status_code == 200, response.text
    answer = request.decode_response(response.status_code, response.content, response.headers)
    if isinstance(request.response_type, type):
        assert isinstance(answer, request.response_type)
    elif request.response_type is None:
        assert answer is None
    else:
        assert decode(encode(answer), request.response_type, strict=True) == answer
    if name == "delete_interaction":  # so that it is there again
        send(client, server, o.create_interaction({"model": "m"}))


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_replay_server_refuses_unknown_parameters(
    client: httpx2.Client, server: ReplayServer, name: str
) -> None:
    request = minimal(name)
    url = request.url(server.url)
    response = client.request(
        request.method, url, headers=request.headers, content=request.body, params={"filtre": "x"}
    )
    assert refusal(request, response).code == "parameter_unknown"


def refusal(request: Request[Any], response: httpx2.Response) -> ApiError:
    assert 400 <= response.status_code < 500
    with pytest.raises(ApiError) as caught:
        request.decode_response(response.status_code, response.content, response.headers)
    assert caught.value.code
    assert caught.value.message
    return caught.value


WITH_BODY = [name for name, operation in OPERATIONS.items() if operation.body]


@pytest.mark.parametrize("name", WITH_BODY)
@pytest.mark.parametrize("body", [b"[]", b'"text"', b"{", b"\xff", b"7", b"[" * 100_000])
def test_the_replay_server_refuses_bodies_that_are_no_objects(
    client: httpx2.Client, server: ReplayServer, name: str, body: bytes
) -> None:
    request = minimal(name)
    response = send(client, server, request, content=body)
    error = refusal(request, response)
    assert (error.http_status, error.code) == (400, "invalid_request")


def broken_bodies() -> Iterator[Any]:
    """Each body without a required member, with one of a wrong type, and with a new one."""
    for name in WITH_BODY:
        body = smallest_body(OPERATIONS[name])
        if getattr(m, OPERATIONS[name].body[0]) == dict[str, Any]:
            continue  # anything goes
        broken = [{n: v for n, v in body.items() if n != gone} for gone in body]
        broken += [{**body, wrong: 7.5} for wrong in body]
        broken += [{**body, "no_such_member": 1}]
        for number, value in enumerate(broken):
            yield pytest.param(name, value, id=f"{name}-{number}")


@pytest.mark.parametrize(("name", "body"), [*broken_bodies()])
def test_the_replay_server_refuses_bodies_that_do_not_fit(
    client: httpx2.Client, server: ReplayServer, name: str, body: Json
) -> None:
    positional, named = arguments(name)
    needed = OPERATIONS[name].body_required and not OPERATIONS[name].body_may_be_empty
    request = FUNCTIONS[name](*positional[: -1 if needed else None], body, **named)
    error = refusal(request, send(client, server, request))
    assert (error.http_status, error.code) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (o.list_voices(page_size="many"), "invalid_request"),  # type: ignore[arg-type]
        (o.get_environment_files("e", "f", recursive="yes"), "invalid_request"),  # type: ignore[arg-type]
        (o.list_webhooks(page_token=["a", "b"]), "invalid_request"),  # type: ignore[arg-type]
        (o.list_agents(api_version="v7"), "not_found"),
        (o.list_agents(parent="organizations/p"), "not_found"),
        (o.get_interaction("v1_nobody"), "not_found"),
        (o.get_interaction("../../webhooks"), "not_found"),
    ],
)
def test_other_refusals(
    client: httpx2.Client, server: ReplayServer, request_: Request[Any], code: str
) -> None:
    assert refusal(request_, send(client, server, request_)).code == code


@pytest.mark.parametrize("name", OPERATIONS)
def test_unknown_paths(client: httpx2.Client, server: ReplayServer, name: str) -> None:
    request = minimal(name)
    url = urlsplit(request.url(server.url))
    paths = [url.path.replace("/v1beta/", "/v1beta/x/"), "/no" + url.path]
    if not OPERATIONS[name].slashes:  # else that is part of the name of the file
        paths.append(url.path + ":no")
    for path in paths:
        response = client.request(request.method, url._replace(path=path).geturl())
        assert refusal(request, response).http_status in (404, 405)


def test_the_upload_needs_its_headers(client: httpx2.Client, server: ReplayServer) -> None:
    request = o.start_environment_file_upload("e", "a/b", content_length=7, content_type="text/csv")
    url = request.decode_response(200, b"", send(client, server, request).headers)
    assert url.startswith(f"{server.url}/upload/v1beta/environments/e/files/a/b?")
    for name in request.headers:
        if name.startswith("X-Goog"):
            fewer = {n: v for n, v in request.headers.items() if n != name}
            assert refusal(request, send(client, server, request, headers=fewer)).http_status == 400
    for name, value in (("Command", "stop"), ("Protocol", "raw"), ("Header-Content-Length", "x")):
        headers = {**request.headers, f"X-Goog-Upload-{name}": value}
        assert refusal(request, send(client, server, request, headers=headers)).http_status == 400


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1beta/webhooks/w:ping", "POST"),
        ("/v1beta/webhooks/w", "GET, PATCH, DELETE"),
        ("/upload/v1beta/environments/e/files/f", "PUT"),
    ],
)
def test_other_methods(
    client: httpx2.Client, server: ReplayServer, path: str, allowed: str
) -> None:
    response = client.request("OPTIONS", server.url + path)
    assert response.status_code == 405
    assert response.headers["allow"] == allowed


def test_all_paths_are_told_apart() -> None:
    """No two operations of one method match one path."""
    for name in OPERATIONS:
        request = minimal(name)
        matching = {
            other
            for other, operation in OPERATIONS.items()
            if operation.method == request.method and pattern(other).fullmatch(request.path)
        }
        assert matching == {name}


@pytest.mark.parametrize("name", [n for n in OPERATIONS if n.startswith("list_")])
def test_pages_go_item_by_item(name: str) -> None:
    page = getattr(m, OPERATIONS[name].response or "")
    member = next(n for n in page.__struct_fields__ if "oken" not in n and n != "extra_")
    assert list(page()) == []
    assert len(page()) == 0
    full = page(**{member: ["a", "b"]}, next_page_token="t")
    assert [*full] == ["a", "b"]
    assert len(full) == 2


def test_the_files_of_a_page() -> None:
    body = b'{"files":[{"path":"a","newer":1}]}'
    page = o.get_environment_files("e", "").decode_response(200, body)
    assert [file.path for file in page] == ["a"]


def test_triggers_of_old() -> None:
    """One whose interaction is no request of today does not take the others on its page with it."""
    today = {"id": "1", "schedule": "*", "time_zone": "UTC", "interaction": {"agent": "a"}}
    older = {**today, "id": "2", "interaction": {"id": "i", "status": "completed"}}
    page = o.list_triggers().decode_response(200, json.dumps({"triggers": [today, older]}))
    assert to_dict(page) == {"triggers": [today, older]}
    one, other = page.triggers or []
    assert one.interaction == m.CreateAgentInteraction(agent="a")
    assert other.interaction == older["interaction"]
