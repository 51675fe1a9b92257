"""Text, media and annotations become the content of a step: one row for each clause."""

from __future__ import annotations

import pytest

from .wire import CITATION, MILL, PNG, WAYS, Case, Payload, delta, ids, start, stop, text

PLACE: Payload = {"type": "place_citation", "start_index": 7, "end_index": 11, "name": "Eling"}

CONTENT = [
    Case(
        "text goes on with the last part if that is text",
        [start(0, "model_output"), text(0, "A "), text(0, "mi"), text(0, "ll"), stop(0)],
        [{"type": "model_output", "content": [MILL]}],
    ),
    Case(
        "text goes on with the text of the start",
        [
            start(0, "model_output", content=[{"type": "text", "text": "A "}]),
            text(0, "mill"),
            stop(0),
        ],
        [{"type": "model_output", "content": [MILL]}],
    ),
    Case(
        "neighbouring texts of the start stay apart",
        [start(0, "model_output", content=[MILL, MILL]), text(0, "!"), stop(0)],
        [{"type": "model_output", "content": [MILL, {"type": "text", "text": "A mill!"}]}],
    ),
    Case(
        "media between texts",
        [
            start(0, "model_output"),
            text(0, "A mill"),
            delta(0, "image", mime_type="image/png", data="iVBORw0K"),
            text(0, "A "),
            text(0, "mill"),
            stop(0),
        ],
        [{"type": "model_output", "content": [MILL, PNG, MILL]}],
    ),
    Case(
        "each image is a part of its own",
        [
            start(0, "model_output"),
            delta(0, "image", mime_type="image/png", data="iVBORw0K"),
            delta(0, "image", mime_type="image/png", data="iVBORw0K"),
            stop(0),
        ],
        [{"type": "model_output", "content": [PNG, PNG]}],
    ),
    Case(
        "an empty text delta opens a part, as it was sent",
        [start(0, "model_output"), text(0, ""), stop(0)],
        [{"type": "model_output", "content": [{"type": "text", "text": ""}]}],
    ),
    Case(
        "an unknown delta does not end a run of text",
        [
            start(0, "model_output"),
            text(0, "A "),
            delta(0, "hologram", shape="wheel"),
            text(0, "mill"),
            stop(0),
        ],
        [{"type": "model_output", "content": [MILL]}],
        unknown=[("step.delta.delta", "hologram")],
    ),
    Case(
        "a delta whose members do not fit does not end one either",
        [
            start(0, "model_output"),
            text(0, "A "),
            delta(0, "text", text=5),
            text(0, "mill"),
            stop(0),
        ],
        [{"type": "model_output", "content": [MILL]}],
        unknown=[("step.delta.delta", "text")],
    ),
    Case(
        "nor does an empty delta",
        [start(0, "model_output"), text(0, "A "), delta(0, None), text(0, "mill"), stop(0)],
        [{"type": "model_output", "content": [MILL]}],
        unknown=[("step.delta.delta", None)],
    ),
    Case(
        "nor a delta that belongs elsewhere",
        [
            start(0, "model_output"),
            text(0, "A "),
            delta(0, "thought_summary", content=MILL),
            text(0, "mill"),
            stop(0),
        ],
        [{"type": "model_output", "content": [MILL]}],
        issues=[("misplaced", 0)],
        unknown=[("step.delta.delta", "thought_summary")],
    ),
    Case(
        "an unknown member of a text delta is counted and left out",
        [start(0, "model_output"), delta(0, "text", text="A mill", mood="calm"), stop(0)],
        [{"type": "model_output", "content": [MILL]}],
        unknown=[("step.delta.delta.mood", "mood")],
    ),
    Case(
        "an unknown member of a media delta stays with its part",
        [start(0, "model_output"), delta(0, "image", data="iVBORw0K", seed=7), stop(0)],
        [{"type": "model_output", "content": [{"type": "image", "data": "iVBORw0K", "seed": 7}]}],
        unknown=[("interaction.steps[].content[].seed", "seed")],
    ),
    Case(
        "a member that the part knows and the delta does not is the part's",
        [
            start(0, "model_output"),
            delta(0, "video", uri="gs://a", name="clip"),
            delta(0, "document", uri="gs://b", resolution=5),
            stop(0),
        ],
        [
            {
                "type": "model_output",
                "content": [
                    {"type": "video", "uri": "gs://a", "name": "clip"},
                    {"type": "document", "uri": "gs://b", "resolution": 5},
                ],
            }
        ],
        unknown=[("interaction.steps[].content[].resolution", "resolution")],
    ),
    Case(
        "a part of the start that is no object",
        [start(0, "model_output", content=["x", None, 7]), text(0, "A mill"), stop(0)],
        [{"type": "model_output", "content": ["x", None, 7, MILL]}],
        unknown=[("interaction.steps[].content[]", None, 3)],
    ),
    Case(
        "unknown parts of the start stay",
        [
            start(0, "model_output", content=[{"type": "hologram", "n": 1}]),
            text(0, "A mill"),
            stop(0),
        ],
        [{"type": "model_output", "content": [{"type": "hologram", "n": 1}, MILL]}],
        unknown=[("interaction.steps[].content[]", "hologram")],
    ),
    Case(
        "a part of the start without a type but with a text is text",
        [start(0, "model_output", content=[{"text": "A "}]), text(0, "mill"), stop(0)],
        [{"type": "model_output", "content": [MILL]}],
    ),
    Case(
        "the error of a model_output stays",
        [start(0, "model_output", error={"code": 13, "message": "lost"}), stop(0)],
        [{"type": "model_output", "error": {"code": 13, "message": "lost"}}],
    ),
    Case(
        "user_input is filled likewise",
        [start(0, "user_input"), text(0, "A "), text(0, "mill"), stop(0)],
        [{"type": "user_input", "content": [MILL]}],
    ),
    Case(
        "a bare step stays bare",
        [start(0, "model_output"), stop(0), start(1, "thought"), stop(1)],
        [{"type": "model_output"}, {"type": "thought"}],
    ),
]

ANNOTATIONS = [
    Case(
        "annotations are appended to the last text",
        [
            start(0, "model_output"),
            text(0, "A mill"),
            delta(0, "text_annotation_delta", annotations=[CITATION]),
            delta(0, "text_annotation_delta", annotations=[PLACE, CITATION]),
            stop(0),
        ],
        [
            {
                "type": "model_output",
                "content": [{**MILL, "annotations": [CITATION, PLACE, CITATION]}],
            }
        ],
    ),
    Case(
        "media after the text is skipped over, and still ends the run of text",
        [
            start(0, "model_output"),
            text(0, "A mill"),
            delta(0, "image", mime_type="image/png", data="iVBORw0K"),
            delta(0, "text_annotation_delta", annotations=[CITATION]),
            text(0, "A mill"),
            stop(0),
        ],
        [{"type": "model_output", "content": [{**MILL, "annotations": [CITATION]}, PNG, MILL]}],
    ),
    Case(
        "the last of several texts",
        [
            start(0, "model_output"),
            text(0, "A mill"),
            delta(0, "image", mime_type="image/png", data="iVBORw0K"),
            text(0, "A mill"),
            delta(0, "text_annotation_delta", annotations=[CITATION]),
            stop(0),
        ],
        [{"type": "model_output", "content": [MILL, PNG, {**MILL, "annotations": [CITATION]}]}],
    ),
    Case(
        "text goes on after annotations",
        [
            start(0, "model_output"),
            text(0, "A "),
            delta(0, "text_annotation_delta", annotations=[CITATION]),
            text(0, "mill"),
            stop(0),
        ],
        [{"type": "model_output", "content": [{**MILL, "annotations": [CITATION]}]}],
    ),
    Case(
        "without any text an empty part is opened, and the next text goes into it",
        [
            start(0, "model_output"),
            delta(0, "text_annotation_delta", annotations=[CITATION]),
            text(0, "A mill"),
            stop(0),
        ],
        [{"type": "model_output", "content": [{**MILL, "annotations": [CITATION]}]}],
    ),
    Case(
        "with media alone the empty part comes after it",
        [
            start(0, "model_output"),
            delta(0, "image", mime_type="image/png", data="iVBORw0K"),
            delta(0, "text_annotation_delta", annotations=[CITATION]),
            stop(0),
        ],
        [
            {
                "type": "model_output",
                "content": [PNG, {"type": "text", "text": "", "annotations": [CITATION]}],
            }
        ],
    ),
    Case(
        "they go on after those of the start",
        [
            start(0, "model_output", content=[{**MILL, "annotations": [CITATION]}]),
            delta(0, "text_annotation_delta", annotations=[PLACE]),
            stop(0),
        ],
        [{"type": "model_output", "content": [{**MILL, "annotations": [CITATION, PLACE]}]}],
    ),
    Case(
        "offsets stay as sent, whatever they are",
        [
            start(0, "model_output"),
            text(0, "A mill"),
            delta(
                0,
                "text_annotation_delta",
                annotations=[{**CITATION, "start_index": 900, "end_index": 3}],
            ),
            stop(0),
        ],
        [
            {
                "type": "model_output",
                "content": [
                    {**MILL, "annotations": [{**CITATION, "start_index": 900, "end_index": 3}]}
                ],
            }
        ],
    ),
    Case(
        "an unknown annotation is kept as it is",
        [
            start(0, "model_output"),
            text(0, "A mill"),
            delta(0, "text_annotation_delta", annotations=[{"type": "footnote", "n": 1}, CITATION]),
            stop(0),
        ],
        [
            {
                "type": "model_output",
                "content": [{**MILL, "annotations": [{"type": "footnote", "n": 1}, CITATION]}],
            }
        ],
        unknown=[("interaction.steps[].content[].annotations[]", "footnote")],
    ),
    Case(
        "without the member nothing happens",
        [start(0, "model_output"), delta(0, "text_annotation_delta"), stop(0)],
        [{"type": "model_output"}],
    ),
]

ANNOTATIONS += [
    Case(
        "the text may have come after the stop",
        [
            start(0, "model_output"),
            delta(0, "image", data="iVBORw0K"),
            stop(0),
            text(0, "A mill"),
            delta(0, "text_annotation_delta", annotations=[CITATION]),
        ],
        [
            {
                "type": "model_output",
                "content": [
                    {"type": "image", "data": "iVBORw0K"},
                    {**MILL, "annotations": [CITATION]},
                ],
            }
        ],
        issues=[("after_stop", 0, 2)],
    ),
    Case(
        "two of them after the stop, without any text",
        [
            start(0, "model_output"),
            stop(0),
            *[delta(0, "text_annotation_delta", annotations=[CITATION])] * 2,
        ],
        [
            {
                "type": "model_output",
                "content": [{"type": "text", "text": "", "annotations": [CITATION, CITATION]}],
            }
        ],
        issues=[("after_stop", 0, 2)],
    ),
]

RULES = [*CONTENT, *ANNOTATIONS]


@pytest.mark.parametrize("case", RULES, ids=ids(RULES))
def test_rule(case: Case) -> None:
    for way, read in WAYS.items():
        assert (way, case.seen(read(case.bytes))) == (way, case.expected)
