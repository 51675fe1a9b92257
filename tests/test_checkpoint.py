"""An assembler comes back from its checkpoint as it was: the same answer, now and later."""

from __future__ import annotations

import hashlib
import os
import zlib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gemwire import (
    Assembler,
    CheckpointError,
    Event,
    InteractionParser,
    InteractionStream,
    StreamReport,
    decode_event,
    encode,
    iter_events,
    unknown_members,
)
from gemwire.assembly.answer import Answer, Replayed
from gemwire.assembly.builder import StepBuilder
from gemwire.assembly.contents import ContentPartBuilder
from gemwire.assembly.interaction import InteractionBuilder
from gemwire.assembly.parts import AudioPart, TextPart, UnknownPart
from gemwire.assembly.report import Findings
from gemwire.assembly.steps import ContentBuilder, ThoughtBuilder, ToolBuilder, UnknownBuilder
from gemwire.assembly.usage import UsageLedger
from gemwire.replay import BUNDLED, Recording
from gemwire.resume import form
from gemwire.resume.checkpoint import MAGIC
from gemwire.resume.comparison import Repetition
from gemwire.resume.form import VERSION
from gemwire.resume.gate import Gate
from gemwire.resume.savepoints import Savepoint, Savepoints

from .answers import hop, long_answer, servers, uncut, whole, with_ids
from .wire import (
    IDENTITY,
    Payload,
    arguments,
    completed,
    created,
    delta,
    dumps,
    signature,
    start,
    stop,
    stream,
    text,
    update,
    verdict,
)

ODD = [
    created(identity="v1_a", news={"a": [1]}, created=17),
    update(event_id="e0", usage={"total_tokens": 1, "news": 12345678901234567890123}),
    start(0, "model_output", content=[{"type": "text", "text": "a"}, {"type": "hologram"}]),
    text(0, "half \ud83c"),
    {**text(0, "\udf0d whole"), "event_id": "e1"},
    delta(0, "audio", data="AAA=", mime_type="audio/l16"),
    delta(0, "audio", data="AAA=", mime_type="audio/l16"),
    delta(0, "audio", uri="gs://a"),
    stop(0),
    start(2, "loom_call", id="t", signature=""),
    delta(2, "loom_call", arguments={"x": 1}, news=None),
    arguments(2, '{"y":'),
    {"event_type": "step.new", "event_id": "e2", "metadata": {"total_usage": {"total_tokens": 2}}},
    arguments(2, "2}"),
    stop(2),
    start(4, "function_call", id="c", name="f", arguments={}),
    arguments(4, "[1]"),
    stop(4),
    update(continuation_token="t1"),
    delta(3, "google_search_result", result=[{"search_suggestions": "a", "b": 1}], call_id="s"),
    start(5, "thought", signature="x"),
    delta(5, "thought_signature", signature="y"),
    {"event_type": "error", "error": {}},
    stop(5),
    created(),
    start(0, "model_output"),
    text(0, "again"),
    completed("requires_continuation", continuation_token="t2", usage={"total_tokens": 7}),
    created("v1_b"),
    start(0, "user_input"),
    start(1, "model_output"),
    {**text(1, "b"), "event_id": "e1"},
    text(1, "c"),
    {"event_type": "error", "error": {"code": 503, "message": "No.", "details": [1.5]}},
    completed("done"),
]

STREAMS = {
    "odd": stream(*ODD),
    "half of the ids": whole(with_ids(long_answer(), 2)),
    "hops": stream(
        *hop("v1_a", "a", status="requires_continuation", continuation_token="t"), *hop("v1_b", "b")
    ),
    **{name: Recording.load(name).stream for name in BUNDLED if name != "audio"},
}


def all_of(assembler: Assembler) -> tuple[Any, ...]:
    """All that can be seen of an assembler."""
    report = assembler.report
    savepoints = {kind: held.event_id for kind, held in assembler._savepoints.held.items()}
    return encode(assembler.snapshot()), encode(report.usage), report.usage_source, savepoints, [
        report.outcome,
        report.error,
        report.interaction_ids,
        report.last_event_id,
        report.resume,
        report.issues,
        [(u.path, u.kind, u.tag, u.sample, u.count) for u in report.unknown],
        report.event_count,
    ]  # fmt: skip


def without_repeated(report: StreamReport) -> StreamReport:
    """What happens to come twice right after a restart is told: it may be the answer to a resume
    request that nobody announced.
    """
    issues = [issue for issue in report.issues if issue.kind != "repeated"]
    return msgspec.structs.replace(report, issues=issues)


@pytest.mark.parametrize("name", STREAMS)
def test_between_any_two_events(name: str) -> None:
    """Restored, it is what it was, and so it comes to the same: answer, report, checkpoints."""
    events: list[Event] = list(iter_events(STREAMS[name]))
    ends = set(range(0, len(events) + 1, 1 + len(events) // 40)) | {len(events)}
    expected = Assembler()
    for event in events:
        expected.apply(event)
    last = expected.checkpoint()
    finish = verdict(expected.finish, expected)
    held = Assembler()
    for at in range(len(events) + 1):
        if at in ends:
            packed = held.checkpoint()
            again = Assembler.restore(packed)
            assert again.checkpoint() == packed, at
            assert all_of(again) == all_of(held), at
            assert again.report == held.report, at
            for event in events[at:]:
                again.apply(event)
            if without_repeated(again.report) == again.report:
                assert again.checkpoint() == last, at
            assert without_repeated(again.report).resume == expected.report.resume
            found = verdict(again.finish, again)
            found.issues[:] = [issue for issue in found.issues if issue[0] != "repeated"]
            assert found == finish, at
            assert without_repeated(again.report) == expected.report, at
        if at < len(events):
            held.apply(events[at])


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_that_is_read_on(name: str) -> None:
    """The parser knows that it is the same stream: nothing is taken for a repetition."""
    data = STREAMS[name]
    expected = InteractionParser()
    expected.feed(data)
    expected.close()
    for at in range(0, len(data), 1 + len(data) // 50):
        first = InteractionParser()
        first.feed(data[:at])
        again = InteractionParser.restore(first.checkpoint())
        again.feed(data[first.offset :])
        again.close()
        found, wanted = (
            msgspec.structs.replace(each.report, stray=b"") for each in (again, expected)
        )  # a bare error after frames looks like a body to whom the frames are not shown
        assert found == wanted, at
        assert again.snapshot() == expected.snapshot()


def test_findings_go_on() -> None:
    """What is found in the answer is not counted twice, what is found later is not lost."""
    head = [created(), start(0, "thought", news=1), stop(0), start(1, "model_output")]
    head.append(text(1, "a\ud83c"))
    for settled in (False, True):
        held = InteractionStream(stream(*head, done=False))
        list(held)
        if not settled:
            held = InteractionStream([stream(*head, done=False)])
            for _ in range(len(head)):
                next(held)
        again = Assembler.restore(held.checkpoint())
        for each in (again, held._parser.assembler):
            for event in iter_events(stream(text(1, "b"), stop(1), completed())):
                each.apply(event)
            each.settle()
        assert without_repeated(again.report).issues == held.report.issues
        assert again.report.unknown == held.report.unknown
        assert [(seen.tag, seen.count) for seen in again.report.unknown] == [("news", 1)]


def test_steps_of_the_terminal_event_stand_as_they_are() -> None:
    call = {"type": "google_search_call", "id": "s", "signature": "", "arguments": {}}
    held = InteractionStream(stream(created(), completed(steps=[call]))).until_done()
    assert Assembler.restore(held.checkpoint()).snapshot() == held.snapshot()


@pytest.mark.parametrize("way", servers([]))
def test_a_response_that_has_not_shown_how_it_goes_on(way: str) -> None:
    """Reopened, a part of the response read, restarted: what decides comes later."""
    events = with_ids(long_answer(), 3)
    data, serve = whole(events), servers(events)[way]
    for at in range(400, len(data) - 700, 173):
        kept = InteractionStream(data[:at]).until_done().checkpoint()
        point = Assembler.restore(kept).report.resume
        assert point is not None
        response = serve(point)
        for size in range(0, len(response), 301):
            first = InteractionParser(resume=kept)
            first.feed(response[:size])
            again = InteractionParser.restore(first.checkpoint())
            again.feed(response[first.offset - len(data[:at]) :])
            assert again.finish() == uncut(events), (at, size)


def test_a_replay_that_is_interrupted_loses_nothing() -> None:
    """Killed in a replay that had not come as far, and the next one breaks even earlier."""
    data = whole(long_answer())
    held = InteractionStream(data[:2500]).until_done()
    parser = InteractionParser(resume=held.checkpoint(), replay=True)
    parser.feed(data[:900])
    for more in (b"", data[:500], data[:1200]):
        again = InteractionStream(more, resume=parser.checkpoint()).until_done()
        assert again.snapshot() == held.snapshot()
    assert InteractionStream(data, resume=parser.checkpoint()).get_final_interaction() == uncut(
        long_answer()
    )


def test_savepoints_survive() -> None:
    """Resume after restore is resume, at every cut."""
    events = with_ids(long_answer(), 3)
    data, serve = whole(events), servers(events)["after the id"]
    for at in range(300, len(data) - 700, 41):
        reader = InteractionStream(data[:at]).until_done()
        assert reader.report.resume is not None
        rest = serve(reader.report.resume)
        packed = reader.checkpoint()
        assert InteractionStream(rest, resume=packed).get_final_interaction() == uncut(events)
        twice = Assembler.restore(packed).checkpoint()
        assert InteractionStream(rest, resume=twice).get_final_interaction() == uncut(events)


def test_savepoints_go_on_after_restore() -> None:
    """Those that come after it are as good as those before it."""
    events = with_ids(long_answer(), 3)
    assembler = Assembler()
    for event in list(iter_events(whole(events)))[:-1]:
        assembler = Assembler.restore(assembler.checkpoint())
        assembler.apply(event)
        point = assembler.report.resume
        assert point is not None
        rest = servers(events)["after the id"](point)
        found = InteractionStream(rest, resume=assembler.checkpoint()).get_final_interaction()
        assert found == uncut(events)


def test_a_replay_survives() -> None:
    """What is held to be compared goes along."""
    held = InteractionStream(stream(created(), start(0, "model_output"), text(0, "one"), stop(0)))
    reader = InteractionStream(
        stream(created(), start(0, "model_output"), text(0, "x"), done=False),
        resume=held.until_done().checkpoint(),
        replay=True,
    )
    for event in reader:
        if event.event_type == "step.delta":
            again = Assembler.restore(reader.checkpoint())
    again.apply(decode_event(encode({"event_type": "step.stop", "index": 0})))
    again.settle()
    assert "replay_differs" in [issue.kind for issue in again.report.issues]


def test_in_the_middle_of_a_chunk() -> None:
    """It is that of the last event that was yielded, however much was fed."""
    data = whole(long_answer())
    reader = InteractionStream(data)
    for number, _ in enumerate(reader, 1):
        assert Assembler.restore(reader.checkpoint()).report.event_count == number


# ---- bytes that are none of ours


def packed() -> bytes:
    events = with_ids(long_answer()[:20], 4)
    return InteractionStream(whole(events)).until_done().checkpoint()


def test_damage_at_every_position() -> None:
    data = packed()
    for at in range(len(data)):
        for other in (data[at] ^ 1, data[at] ^ 0x80, 0x0A):
            if other != data[at]:
                with pytest.raises(CheckpointError):
                    Assembler.restore(data[:at] + bytes([other]) + data[at + 1 :])
    for at in range(len(data)):
        with pytest.raises(CheckpointError):
            Assembler.restore(data[:at])
    with pytest.raises(CheckpointError):
        Assembler.restore(data + b" ")


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"{}", b"gemwire", MAGIC, b"\x80\x04\x95", STREAMS["hops"]]
)
def test_foreign_bytes(data: bytes) -> None:
    with pytest.raises(CheckpointError, match=r"no checkpoint|version|damaged"):
        Assembler.restore(data)


def test_another_version_is_named() -> None:
    data = packed().replace(MAGIC + b"%d " % VERSION, MAGIC + b"1 ", 1)
    with pytest.raises(CheckpointError, match=f"of version 1; this gemwire reads {VERSION}"):
        Assembler.restore(data)


REPLAYED = {
    "current": {"interaction": {"m": "Interaction", "j": {}}},
    "outcome": {"j": "truncated"},
}


def forged(change: Any) -> bytes:
    """A checkpoint whose sum is right and whose content is not."""
    head, _, body = packed().partition(b"\n")
    state = msgspec.json.decode(body)
    change(state)
    body = msgspec.json.encode(state)
    return head[:-8] + b"%08x\n" % zlib.crc32(body) + body


@pytest.mark.parametrize(
    "change",
    [
        lambda state: state.clear(),
        lambda state: state.pop("interactions"),
        lambda state: state.update(interactions=[]),
        lambda state: state.update(interactions=[{}]),
        lambda state: state.update(interactions=[{"interaction": {}}]),
        *(
            lambda state, cls=cls: state.update(interactions=[{"interaction": {"m": cls, "j": {}}}])
            for cls in ("warm_up", "Step", "Usage", "UnknownStep", "__doc__", "")
        ),
        *(
            lambda state, name=name, value=value: state["interactions"][0].update({name: value})
            for name, value in (
                ("routes", [[0, 99]]),
                ("last", 99),
                ("steps", [99]),
                ("raw_members", [["a"]]),
                ("usage", 1),
            )
        ),
        lambda state: state["steps"][0].update(b={}),
        lambda state: state["steps"][0].update(b={"m": "Usage", "j": {}}),
        lambda state: state["steps"][0].update(k="Path", b={"m": "ThoughtStep", "j": {}}, p=[{}]),
        lambda state: state["savepoints"][0].update(interactions=[]),
        lambda state: state.update(replayed={**REPLAYED, "hop": 7}),
        lambda state: state.update(token=7),
        lambda state: state.update(texts=[]),
        lambda state: state.update(values=[]),
        lambda state: state.update(issues=[[1]]),
        lambda state: state.update(unknown=[{"path": 1}]),
    ],
)
def test_forged_content(change: Any) -> None:
    with pytest.raises(CheckpointError):
        Assembler.restore(forged(change))


# ---- size


PIECES = [text(0, "some ") for _ in range(3000)]
OPEN = [created(), start(0, "model_output")]
LARGE = "A" * 100_000
IMAGE = delta(0, "image", data=LARGE, mime_type="image/png")
TOKEN = update(continuation_token="t")


def named(events: list[Payload], prefix: str = "evt_") -> list[Payload]:
    return [{**event, "event_id": f"{prefix}{at}"} for at, event in enumerate(events)]


def call(*pieces: str) -> list[Payload]:
    opened = start(0, "function_call", id="c", name="f", arguments={})
    return [created(), opened, *(arguments(0, piece) for piece in pieces)]


SIZES: dict[str, list[Payload]] = {
    "small fragments": [*OPEN, *PIECES],
    "an id for each": [*OPEN, *named(PIECES)],
    "an id now and then": with_ids([*OPEN, *PIECES], 50),
    "a token at the beginning": [created(), TOKEN, OPEN[1], *named(PIECES)],
    "a token in the middle": [*OPEN, *PIECES, TOKEN, *named(PIECES)],
    "a token at the end": [*OPEN, *named(PIECES), TOKEN],
    "long ids": [*OPEN, *PIECES, TOKEN, *named(PIECES, "x" * 300)],
    "a long id of the interaction": [
        created("v1_" + "x" * 20_000),
        update(identity="v1_" + "x" * 20_000, continuation_token="y" * 20_000, event_id="e"),
        *OPEN[1:],
        *PIECES[:100],
    ],
    "a picture before an id that is far behind": [*OPEN, IMAGE, *named(PIECES[:1]), *PIECES[:200]],
    "a picture before both": [
        *OPEN, IMAGE, TOKEN, *PIECES[:80], *named(PIECES[:1]), *PIECES[:300]
    ],
    "a large input": [created(input=LARGE), TOKEN, OPEN[1], *PIECES[:100], *named(PIECES[:80])],
    "content of the start": [
        created(), start(0, "model_output", content=[{"type": "text", "text": LARGE}]), stop(0)
    ],
    "steps of the terminal event": [
        created(), completed(steps=[{"type": "model_output", "content": [IMAGE["delta"]]}])
    ],
    "a step of no known kind": [created(), start(0, "hologram", data=LARGE), stop(0)],
    "one that grew": [created(), start(0, "hologram"), delta(0, "hologram", data=LARGE)],
    "audio": [*OPEN, *(delta(0, "audio", data="AAAA" * 5, mime_type="audio/l16"),) * 3000],
    "arguments": [*call('{"a":"', *["xy"] * 3000, '"}'), stop(0)],
    "long arguments": [*call('{"a":"', LARGE, '"}'), stop(0)],
    "many short steps": [
        created(),
        *with_ids(
            [
                event
                for at in range(500)
                for event in (start(at, "model_output"), text(at, "hi"), stop(at))
            ],
            7,
        ),
    ],
    "a summary of many items": [
        created(),
        start(0, "thought"),
        *(delta(0, "thought_summary", content={"type": "text", "text": "word"}),) * 1000,
    ],
    "a result": [
        created(),
        start(0, "function_result", call_id="c"),
        delta(0, "function_result", result=[{"type": "text", "text": LARGE}]),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", SIZES)
def test_size_is_about_that_of_what_was_assembled(name: str) -> None:
    """However small the fragments, and wherever the savepoints are."""
    reader = InteractionStream(stream(*SIZES[name], done=False)).until_done()
    report = reader.report
    size = len(encode(reader.snapshot())) + len(report.last_event_id or "")
    assert len(reader.checkpoint()) < 2 * size + 2000


def test_what_several_states_have_is_written_once() -> None:
    image = delta(0, "image", data="A" * 10**6, mime_type="image/png")
    events = with_ids([*OPEN, image, TOKEN, text(0, "a"), text(0, "b")], 2, 1)
    reader = InteractionStream(stream(*events, done=False)).until_done()
    assert len(reader.checkpoint()) < 1_005_000
    parser = InteractionParser(resume=reader.checkpoint(), replay=True)
    parser.feed(stream(*events, done=False))
    assert len(parser.checkpoint()) < 1_010_000, "and what was held before a replay"


def test_half_of_a_surrogate_pair_in_the_report() -> None:
    """In an id and in an issue, which only an escape can carry."""
    assembler = Assembler()
    opened = created("v1_\ud83c", continuation_token="t")
    conflict = [start(0, "thought"), signature(0, "\ud83c"), signature(0, "b")]
    for event in iter_events(stream(opened, *conflict, done=False)):
        assembler.apply(event)
    again = Assembler.restore(assembler.checkpoint())
    assert [issue.kind for issue in again.report.issues] == ["signature_conflict"]
    assert again.report.issues == assembler.report.issues


def test_what_a_body_has_beside_its_schema() -> None:
    """It is kept when the answer goes on, and goes when what fits comes."""
    body = dumps({"id": IDENTITY, "status": "in_progress", "new": 1, "created": 5}).encode()
    rest = stream(start(0, "thought"), stop(0), completed(created="now"))
    point = InteractionStream(body).until_done().checkpoint()
    for resume in (point, Assembler.restore(point)):
        assert unknown_members(Assembler.restore(point).snapshot()) == {"new": 1, "created": 5}
        found = InteractionStream(rest, resume=resume).until_done().snapshot()
        assert found.created == "now"
        assert unknown_members(found) == {"new": 1}


# ---- the form

GOLDEN = Path(__file__).parent / "golden" / f"checkpoint-{VERSION}.bin"

FORM_DIGEST = "63e997e0ec58cacc"
"""Of the Structs in form.py. When this test fails, raise `VERSION` (unless it was never released),
write the golden file anew with `GEMWIRE_GOLDEN=1`, and put the new digest here."""


def golden_events() -> list[Payload]:
    """One of everything that a checkpoint has a place for, with savepoints of both kinds."""
    return [
        *with_ids(
            [
                created(continuation_token="t", new_member={"a": [1]}),
                *long_answer()[1:14],
                start(7, "loom_call", tags=["a"]),
                delta(7, "loom_call", tags=["b"]),
                arguments(7, '{"x":'),
                start(8, "google_search_result", call_id="s1", signature=""),
                delta(8, "google_search_result", result=[{"search_suggestions": "x", "new": 1}]),
                start(9, "function_call", id="c9", name="g", arguments={}),
                arguments(9, '{"a": "\ud83c'),
            ],
            4,
        ),
        {"index": 20, "content": {"type": "text", "text": "old "}, "event_type": "content.start"},
        {
            "index": 20,
            "delta": {"type": "text", "text": "text"},
            "event_type": "content.delta",
        },
        {"event_type": "step.new", "event_id": "last"},
        text(2, "more"),
    ]


def golden() -> Assembler:
    parser = InteractionParser()
    parser.feed(stream(b"event: step.delta\ndata: {\n\n", *golden_events(), done=False))
    return parser.assembler


def test_the_golden_checkpoint_is_read() -> None:
    if os.environ.get("GEMWIRE_GOLDEN"):
        GOLDEN.write_bytes(golden().checkpoint())
    assembler = Assembler.restore(GOLDEN.read_bytes())
    expected = golden()
    assert all_of(assembler) == all_of(expected)
    assert assembler.report == expected.report
    for each in (assembler, expected):
        for event in iter_events(stream(arguments(7, "1}"), arguments(9, '"}'), completed())):
            each.apply(event)
    assert assembler.finish(damaged="keep") == expected.finish(damaged="keep")
    assert assembler.checkpoint() == expected.checkpoint()


def test_the_form_changes_with_its_version_alone() -> None:
    structs = [value for value in vars(form).values() if isinstance(value, type)]
    told = sorted(
        f"{cls.__name__}.{field.encode_name}: {field.type}"
        for cls in structs
        if issubclass(cls, msgspec.Struct)
        for field in msgspec.structs.fields(cls)
    )
    digest = hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]
    assert (VERSION, digest) == (4, FORM_DIGEST)


STATE: dict[type, tuple[type[msgspec.Struct], set[str]]] = {
    StepBuilder: (
        form.PackedStep,
        {
            *{"broken", "built", "findings", "folds", "plain_folds", "text_part"},
            "started",  # as `late`
        },
    ),
    ContentBuilder: (form.PackedStep, {"text_at"}),
    ContentPartBuilder: (form.PackedStep, {"run"}),
    ThoughtBuilder: (form.PackedStep, set()),
    ToolBuilder: (form.PackedStep, set()),
    UnknownBuilder: (form.PackedStep, {"changed"}),  # as whether there is `raw`
    InteractionBuilder: (
        form.PackedInteraction,
        {
            *{"content_seams", "findings", "highest", "in_runs", "open", "positions", "sorted"},
            *{"order", "ledger"},  # as `steps` and `usage`
            "doubted",  # to be told again changes nothing
        },
    ),
    UsageLedger: (form.PackedUsage, {"usage"}),  # as `total`
    Answer: (
        form.PackedAnswer,
        {
            *{"current", "routes"},  # of the last of `interactions`
            *{"findings", "savepoints_due"},  # as `issues` and `unknown`; empty between two events
        },
    ),
    Savepoint: (
        form.PackedSavepoint,
        {
            *{"answer", "_head"},  # as `interactions` and `head`
            *{"log", "room"},  # nothing is kept of the events themselves
        },
    ),
    Savepoints: (form.PackedAnswer, {"held"}),  # as `savepoints`
    Replayed: (form.PackedReplayed, set()),
    Gate: (form.PackedGate, {"_answer", "_savepoints", "undecided"}),  # none that has decided
    Repetition: (form.PackedAnswer, {"_answer", "_head", "_savepoints"}),
    Findings: (form.PackedAnswer, {"_issues", "_unknown", "_found", "unplaced"}),  # all are in it
    Assembler: (form.PackedAnswer, {"_answer", "_gate", "_repetition", "_savepoints"}),
    TextPart: (form.PackedPart, set()),
    AudioPart: (form.PackedPart, {"pieces"}),  # as `text`
    UnknownPart: (form.PackedPart, set()),
}
"""What each class of the state is written as, and what of it is worked out again; all else is in
the form by its name.
"""


@pytest.mark.parametrize("cls", STATE, ids=lambda cls: cls.__name__)
def test_every_part_of_the_state_is_packed_or_worked_out_again(cls: Any) -> None:
    """A slot that is new fails here until somebody has decided about it."""
    packed, worked_out = STATE[cls]
    written = {field.name for field in msgspec.structs.fields(packed)}
    slots = set(getattr(cls, "_fields", ()) or vars(cls)["__slots__"])
    assert slots - written == worked_out
