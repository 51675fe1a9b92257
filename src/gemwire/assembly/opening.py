"""Which step a delta belongs to that came without the start of one."""

from __future__ import annotations

from typing import Any, get_args

from .. import models as m
from ..codec.structs import Unknown, WireStruct

__all__ = ["OPENS", "opened_by"]

OPENS: dict[type, type[WireStruct]] = {
    m.ArgumentsDelta: m.FunctionCallStep,
    m.AudioDelta: m.ModelOutputStep,
    m.CodeExecutionCallDelta: m.CodeExecutionCallStep,
    m.CodeExecutionResultDelta: m.CodeExecutionResultStep,
    m.DocumentDelta: m.ModelOutputStep,
    m.FileSearchCallDelta: m.FileSearchCallStep,
    m.FileSearchResultDelta: m.FileSearchResultStep,
    m.FunctionResultDelta: m.FunctionResultStep,
    m.GoogleMapsCallDelta: m.GoogleMapsCallStep,
    m.GoogleMapsResultDelta: m.GoogleMapsResultStep,
    m.GoogleSearchCallDelta: m.GoogleSearchCallStep,
    m.GoogleSearchResultDelta: m.GoogleSearchResultStep,
    m.ImageDelta: m.ModelOutputStep,
    m.McpServerToolCallDelta: m.McpServerToolCallStep,
    m.McpServerToolResultDelta: m.McpServerToolResultStep,
    m.ProcessingCallDelta: m.ProcessingCallStep,
    m.ProcessingResultDelta: m.ProcessingResultStep,
    m.RetrievalCallDelta: m.RetrievalCallStep,
    m.RetrievalResultDelta: m.RetrievalResultStep,
    m.TextAnnotationDelta: m.ModelOutputStep,
    m.TextDelta: m.ModelOutputStep,
    m.ThoughtSignatureDelta: m.ThoughtStep,
    m.ThoughtSummaryDelta: m.ThoughtStep,
    m.ToolCallDelta: m.ToolCallStep,
    m.ToolSearchCallDelta: m.ToolSearchCallStep,
    m.ToolSearchResultDelta: m.ToolSearchResultStep,
    m.UrlContextCallDelta: m.UrlContextCallStep,
    m.UrlContextResultDelta: m.UrlContextResultStep,
    m.VideoDelta: m.ModelOutputStep,
}
"""Every kind of delta, and the step that it belongs to when that was never started."""

STEP_BY_TAG: dict[str, type[WireStruct]] = {cls.type: cls for cls in get_args(m.Step)}


def opened_by(delta: Any) -> Any:
    """The empty step that a delta without a start belongs to; None if that cannot be told."""
    cls = OPENS.get(type(delta))
    if isinstance(delta, m.FunctionCallStep):  # a whole call, of the legacy generation
        cls = type(delta)
    elif isinstance(delta, Unknown):
        tag = delta.tag or ""
        cls = STEP_BY_TAG.get(tag) if tag.endswith(("_call", "_result")) else None
    return None if cls is None else cls()
