"""The wire layer of the Gemini Interactions API: bytes in, typed events and Interactions out.

Importing this package loads msgspec and nothing of gemwire; a name is loaded, with its module, when
it is first used.
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
    from .assembler import Assembler as Assembler
    from .base import Unknown as Unknown
    from .codec import Event as Event
    from .codec import decode as decode
    from .codec import decode_event as decode_event
    from .codec import decode_interaction as decode_interaction
    from .codec import encode as encode
    from .codec import iter_unknown as iter_unknown
    from .codec import to_dict as to_dict
    from .codec import unknown_members as unknown_members
    from .codec import warm_up as warm_up
    from .continuation import join_continuations as join_continuations
    from .conversation import audio_part as audio_part
    from .conversation import document_part as document_part
    from .conversation import function_result as function_result
    from .conversation import history as history
    from .conversation import image_part as image_part
    from .conversation import user_input as user_input
    from .conversation import video_part as video_part
    from .disassemble import disassemble as disassemble
    from .errors import ApiError as ApiError
    from .errors import ArgumentsError as ArgumentsError
    from .errors import CheckpointError as CheckpointError
    from .errors import DecodeError as DecodeError
    from .errors import GemwireError as GemwireError
    from .errors import LimitExceeded as LimitExceeded
    from .errors import ProtocolError as ProtocolError
    from .errors import ServerError as ServerError
    from .errors import SignatureError as SignatureError
    from .errors import StreamError as StreamError
    from .errors import TruncatedStream as TruncatedStream
    from .errors import WebhookError as WebhookError
    from .following import afollow as afollow
    from .following import follow as follow
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
    from .report import Issue as Issue
    from .report import ResumePoint as ResumePoint
    from .report import StreamReport as StreamReport
    from .report import UnknownSeen as UnknownSeen
    from .request import Request as Request
    from .sse import DONE as DONE
    from .sse import SSEMessage as SSEMessage
    from .sse import SSEParser as SSEParser
    from .sse import encode_sse as encode_sse
    from .stream import AsyncInteractionStream as AsyncInteractionStream
    from .stream import InteractionStream as InteractionStream
    from .stream import aassemble as aassemble
    from .stream import aiter_events as aiter_events
    from .stream import assemble as assemble
    from .stream import iter_events as iter_events

__version__ = "0.1.0"

_EXPORTS = {
    "": "legacy models operations",  # modules, not names of one
    "assembler": "Assembler",
    "base": "Unknown",
    "codec": (
        "Event decode decode_event decode_interaction encode iter_unknown to_dict "
        "unknown_members warm_up"
    ),
    "continuation": "join_continuations",
    "conversation": (
        "audio_part document_part function_result history image_part user_input video_part"
    ),
    "disassemble": "disassemble",
    "errors": (
        "ApiError ArgumentsError CheckpointError DecodeError GemwireError LimitExceeded "
        "ProtocolError ServerError SignatureError StreamError TruncatedStream "
        "WebhookError"
    ),
    "following": "afollow follow",
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
    "report": "Issue ResumePoint StreamReport UnknownSeen",
    "request": "Request",
    "sse": "DONE SSEMessage SSEParser encode_sse",
    "stream": (
        "AsyncInteractionStream InteractionStream aassemble aiter_events assemble iter_events"
    ),
}
_MODULE_OF = {name: module for module, names in _EXPORTS.items() for name in names.split()}

__all__ = ["UNSET", "UnsetType", *_MODULE_OF]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f".{_MODULE_OF[name] or name}", __name__)
    value = getattr(module, name) if _MODULE_OF[name] else module
    globals()[name] = value  # so that it is looked up once
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
