"""The wire layer of the Gemini Interactions API: bytes in, typed events and Interactions out.

Importing this package loads msgspec and nothing of gemwire; a name is loaded, with its module, when
it is first used. Which names stand here, docs/architecture.md says.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from msgspec import UNSET as UNSET
from msgspec import UnsetType as UnsetType

if TYPE_CHECKING:
    from . import legacy as legacy
    from . import models as models
    from . import operations as operations
    from . import polling as polling
    from . import preview as preview
    from . import structured as structured
    from . import telemetry as telemetry
    from . import tools as tools
    from .assembler import Assembler as Assembler
    from .assembly.continuation import join_continuations as join_continuations
    from .assembly.disassemble import disassemble as disassemble
    from .assembly.report import Issue as Issue
    from .assembly.report import ResumePoint as ResumePoint
    from .assembly.report import StreamReport as StreamReport
    from .assembly.report import UnknownSeen as UnknownSeen
    from .assembly.usage import UsageSource as UsageSource
    from .codec.decode import decode as decode
    from .codec.encode import encode as encode
    from .codec.encode import to_dict as to_dict
    from .codec.structs import Unknown as Unknown
    from .codec.unknown import Found as Found
    from .codec.unknown import iter_unknown as iter_unknown
    from .codec.unknown import unknown_members as unknown_members
    from .errors import ApiError as ApiError
    from .errors import ArgumentsError as ArgumentsError
    from .errors import CheckpointError as CheckpointError
    from .errors import DamagedStream as DamagedStream
    from .errors import DecodeError as DecodeError
    from .errors import GemwireError as GemwireError
    from .errors import LimitExceeded as LimitExceeded
    from .errors import OutputError as OutputError
    from .errors import PollTimeout as PollTimeout
    from .errors import ProtocolError as ProtocolError
    from .errors import ServerError as ServerError
    from .errors import StreamError as StreamError
    from .errors import TruncatedStream as TruncatedStream
    from .models import Annotation as Annotation
    from .models import ArgumentsDelta as ArgumentsDelta
    from .models import AudioContent as AudioContent
    from .models import AudioDelta as AudioDelta
    from .models import Content as Content
    from .models import DocumentContent as DocumentContent
    from .models import DocumentDelta as DocumentDelta
    from .models import ErrorEvent as ErrorEvent
    from .models import FunctionCallStep as FunctionCallStep
    from .models import FunctionResultStep as FunctionResultStep
    from .models import ImageContent as ImageContent
    from .models import ImageDelta as ImageDelta
    from .models import Interaction as Interaction
    from .models import InteractionCompletedEvent as InteractionCompletedEvent
    from .models import InteractionCreatedEvent as InteractionCreatedEvent
    from .models import InteractionStatusUpdate as InteractionStatusUpdate
    from .models import ModelOutputStep as ModelOutputStep
    from .models import Step as Step
    from .models import StepDelta as StepDelta
    from .models import StepDeltaData as StepDeltaData
    from .models import StepStart as StepStart
    from .models import StepStop as StepStop
    from .models import TextAnnotationDelta as TextAnnotationDelta
    from .models import TextContent as TextContent
    from .models import TextDelta as TextDelta
    from .models import ThoughtSignatureDelta as ThoughtSignatureDelta
    from .models import ThoughtStep as ThoughtStep
    from .models import ThoughtSummaryDelta as ThoughtSummaryDelta
    from .models import Tool as Tool
    from .models import UnknownAnnotation as UnknownAnnotation
    from .models import UnknownContent as UnknownContent
    from .models import UnknownInteractionSseEvent as UnknownInteractionSseEvent
    from .models import UnknownStep as UnknownStep
    from .models import UnknownStepDeltaData as UnknownStepDeltaData
    from .models import UrlCitation as UrlCitation
    from .models import Usage as Usage
    from .models import UserInputStep as UserInputStep
    from .models import VideoContent as VideoContent
    from .models import VideoDelta as VideoDelta
    from .models.views import is_terminal as is_terminal
    from .operations.input import function_result as function_result
    from .operations.input import history as history
    from .operations.input import user_input as user_input
    from .operations.media import audio_content as audio_content
    from .operations.media import document_content as document_content
    from .operations.media import image_content as image_content
    from .operations.media import video_content as video_content
    from .operations.request import Request as Request
    from .preview.arguments import ArgumentsPreview as ArgumentsPreview
    from .redaction import redact as redact
    from .sse import DONE as DONE
    from .sse import SSEMessage as SSEMessage
    from .sse import SSEParser as SSEParser
    from .sse import encode_sse as encode_sse
    from .streams.async_stream import AsyncInteractionStream as AsyncInteractionStream
    from .streams.async_stream import aassemble as aassemble
    from .streams.async_stream import aiter_events as aiter_events
    from .streams.follow import AsyncFollowedStream as AsyncFollowedStream
    from .streams.follow import FollowedStream as FollowedStream
    from .streams.follow import afollow as afollow
    from .streams.follow import follow as follow
    from .streams.parser import InteractionParser as InteractionParser
    from .streams.stream import InteractionStream as InteractionStream
    from .streams.stream import assemble as assemble
    from .streams.stream import iter_events as iter_events
    from .wire.bodies import decode_interaction as decode_interaction
    from .wire.error_body import ErrorInfo as ErrorInfo
    from .wire.events import Event as Event
    from .wire.events import decode_event as decode_event
    from .wire.events import warm_up as warm_up
    from .wire.live import decode_live_event as decode_live_event

__version__ = "0.1.0"

__all__ = [
    "DONE",
    "UNSET",
    "Annotation",
    "ApiError",
    "ArgumentsDelta",
    "ArgumentsError",
    "ArgumentsPreview",
    "Assembler",
    "AsyncFollowedStream",
    "AsyncInteractionStream",
    "AudioContent",
    "AudioDelta",
    "CheckpointError",
    "Content",
    "DamagedStream",
    "DecodeError",
    "DocumentContent",
    "DocumentDelta",
    "ErrorEvent",
    "ErrorInfo",
    "Event",
    "FollowedStream",
    "Found",
    "FunctionCallStep",
    "FunctionResultStep",
    "GemwireError",
    "ImageContent",
    "ImageDelta",
    "Interaction",
    "InteractionCompletedEvent",
    "InteractionCreatedEvent",
    "InteractionParser",
    "InteractionStatusUpdate",
    "InteractionStream",
    "Issue",
    "LimitExceeded",
    "ModelOutputStep",
    "OutputError",
    "PollTimeout",
    "ProtocolError",
    "Request",
    "ResumePoint",
    "SSEMessage",
    "SSEParser",
    "ServerError",
    "Step",
    "StepDelta",
    "StepDeltaData",
    "StepStart",
    "StepStop",
    "StreamError",
    "StreamReport",
    "TextAnnotationDelta",
    "TextContent",
    "TextDelta",
    "ThoughtSignatureDelta",
    "ThoughtStep",
    "ThoughtSummaryDelta",
    "Tool",
    "TruncatedStream",
    "Unknown",
    "UnknownAnnotation",
    "UnknownContent",
    "UnknownInteractionSseEvent",
    "UnknownSeen",
    "UnknownStep",
    "UnknownStepDeltaData",
    "UnsetType",
    "UrlCitation",
    "Usage",
    "UsageSource",
    "UserInputStep",
    "VideoContent",
    "VideoDelta",
    "aassemble",
    "afollow",
    "aiter_events",
    "assemble",
    "audio_content",
    "decode",
    "decode_event",
    "decode_interaction",
    "decode_live_event",
    "disassemble",
    "document_content",
    "encode",
    "encode_sse",
    "follow",
    "function_result",
    "history",
    "image_content",
    "is_terminal",
    "iter_events",
    "iter_unknown",
    "join_continuations",
    "legacy",
    "models",
    "operations",
    "polling",
    "preview",
    "redact",
    "structured",
    "telemetry",
    "to_dict",
    "tools",
    "unknown_members",
    "user_input",
    "video_content",
    "warm_up",
]

_EXPORTS = {
    "assembler": "Assembler",
    "assembly.continuation": "join_continuations",
    "assembly.disassemble": "disassemble",
    "assembly.report": "Issue ResumePoint StreamReport UnknownSeen",
    "assembly.usage": "UsageSource",
    "codec.decode": "decode",
    "codec.encode": "encode to_dict",
    "codec.structs": "Unknown",
    "codec.unknown": "Found iter_unknown unknown_members",
    "errors": (
        "ApiError ArgumentsError CheckpointError DamagedStream DecodeError GemwireError "
        "LimitExceeded OutputError PollTimeout ProtocolError ServerError StreamError "
        "TruncatedStream"
    ),
    "models": (
        "Annotation ArgumentsDelta AudioContent AudioDelta Content DocumentContent "
        "DocumentDelta ErrorEvent FunctionCallStep FunctionResultStep ImageContent "
        "ImageDelta Interaction InteractionCompletedEvent InteractionCreatedEvent "
        "InteractionStatusUpdate ModelOutputStep Step StepDelta StepDeltaData StepStart "
        "StepStop TextAnnotationDelta TextContent TextDelta ThoughtSignatureDelta "
        "ThoughtStep ThoughtSummaryDelta Tool UnknownAnnotation UnknownContent "
        "UnknownInteractionSseEvent UnknownStep UnknownStepDeltaData UrlCitation Usage "
        "UserInputStep VideoContent VideoDelta"
    ),
    "models.views": "is_terminal",
    "preview.arguments": "ArgumentsPreview",
    "operations.input": "function_result history user_input",
    "operations.media": "audio_content document_content image_content video_content",
    "operations.request": "Request",
    "redaction": "redact",
    "sse": "DONE SSEMessage SSEParser encode_sse",
    "streams.async_stream": "AsyncInteractionStream aassemble aiter_events",
    "streams.follow": "AsyncFollowedStream FollowedStream afollow follow",
    "streams.parser": "InteractionParser",
    "streams.stream": "InteractionStream assemble iter_events",
    "wire.bodies": "decode_interaction",
    "wire.error_body": "ErrorInfo",
    "wire.events": "Event decode_event warm_up",
    "wire.live": "decode_live_event",
}
_MODULE_OF = {name: module for module, names in _EXPORTS.items() for name in names.split()}
_MODULES = frozenset(
    "legacy models operations polling preview structured telemetry tools".split()  # noqa: SIM905
)


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f".{name}", __name__)
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)
    globals()[name] = value  # so that it is looked up once
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
