"""What goes into the next request: input, results of functions, media, and what was said before.

All of these make models; they go into the `input` of a request as they are.
"""

from __future__ import annotations

import os
from binascii import b2a_base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias, TypeVar

from msgspec import UNSET, UnsetType

from .base import UNIONS, Unknown
from .codec import encode_finite
from .models import (
    AudioContent,
    Content,
    DocumentContent,
    FunctionCallStep,
    FunctionResultStep,
    FunctionResultSubcontent,
    ImageContent,
    Interaction,
    Step,
    TextContent,
    UserInputStep,
    VideoContent,
)

__all__ = [
    "audio_part",
    "document_part",
    "function_result",
    "history",
    "image_part",
    "user_input",
    "video_part",
]

Media: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview
"""The path of a file, or what is in it."""
Part = TypeVar("Part", AudioContent, DocumentContent, ImageContent, VideoContent)


def user_input(*content: str | Content) -> UserInputStep:
    """One turn of the user: texts, and parts of any kind, in order.

    Raises:
        ValueError: there is no content.
        TypeError: a part is neither a text nor a part.

    """
    if not content:
        raise ValueError("a turn of the user needs content")
    return UserInputStep(
        content=[
            TextContent(text=part) if isinstance(part, str) else _checked(part, Content)
            for part in content
        ]
    )


def _checked(value: Any, union: Any) -> Any:
    """The value, if it is a member of the union or what may be a newer one."""
    if isinstance(value, union | Unknown):
        return value
    name = UNIONS[union].__name__.removeprefix("Unknown")
    raise TypeError(f"not a {name}: {value!r:.80}")


def function_result(
    call: FunctionCallStep,
    result: str | Mapping[str, Any] | FunctionResultSubcontent | Sequence[FunctionResultSubcontent],
    /,
    *,
    is_error: bool | UnsetType = UNSET,
) -> FunctionResultStep:
    """The answer to a call of `interaction.function_calls`, which it names by id.

    Args:
        call: the call as it came.
        result: a text, an object, or content parts. Any other value has no place on the wire:
            give it as a member of an object.
        is_error: whether the function failed; then the result says why.

    Raises:
        ValueError: the call has no id, or the object has a number that is not finite.
        TypeError: the result is none of these, or the object holds what JSON has no form for.

    """
    if not call.id:
        raise ValueError(f"the call of {call.name!r} has no id that a result could name")
    value: Any = result
    if isinstance(value, Mapping):
        value = dict(value)
        encode_finite(value)
    elif isinstance(value, FunctionResultSubcontent | Unknown):
        value = [value]
    elif not isinstance(value, str):
        parts = isinstance(value, list | tuple)
        if not parts or not all(isinstance(p, FunctionResultSubcontent | Unknown) for p in value):
            raise TypeError(
                "the result of a function is a text, an object or a list of content parts; "
                f"give others as a member: {{'result': {value!r:.40}}}"
            )
        value = list(value)
    return FunctionResultStep(call_id=call.id, name=call.name, result=value, is_error=is_error)


def history(*turns: str | Step | Interaction | Iterable[Step]) -> list[Step]:
    """What was said so far as the `input` of the next request, for calls that store nothing.

    The steps of an answer go back as they came, thoughts and signatures byte for byte, and so does
    what the spec does not know: the server refuses a conversation in which anything of that was
    changed. A create call answers without the input it was given, so that belongs between::

        history("What is 6 times 7?", interaction, "And 8?")

    Args:
        turns: in order: a text, a step such as `user_input()` and `function_result()` give, steps,
            or a whole answer. The answer to a GET begins with the input, so that no text belongs
            before it.

    Raises:
        TypeError: a turn is none of these.

    """
    steps: list[Step] = []
    for turn in turns:
        if isinstance(turn, str):
            steps.append(user_input(turn))
        elif isinstance(turn, Interaction):
            steps.extend(turn.steps or ())
        elif isinstance(turn, Iterable) and not isinstance(turn, Mapping):
            steps.extend(_checked(step, Step) for step in turn)
        else:
            steps.append(_checked(turn, Step))
    return steps


# ---- media


def image_part(source: Media, /, mime_type: str | None = None) -> ImageContent:
    """An image from a file or from bytes, as base64.

    Args:
        source: a path, or the bytes.
        mime_type: taken as it is, if it is one of an image. By default it is what the first bytes
            say, else what the suffix of the file says.

    Raises:
        ValueError: the type cannot be told or is no image, or there are no bytes.
        OSError: the file cannot be read.

    """
    return _part(ImageContent, "image", source, mime_type)


def audio_part(source: Media, /, mime_type: str | None = None) -> AudioContent:
    """Sound from a file or from bytes, as `image_part` does it. Raw samples need a `mime_type`."""
    return _part(AudioContent, "audio", source, mime_type)


def video_part(source: Media, /, mime_type: str | None = None) -> VideoContent:
    """A video from a file or from bytes, as `image_part` does it."""
    return _part(VideoContent, "video", source, mime_type)


def document_part(source: Media, /, mime_type: str | None = None) -> DocumentContent:
    """A document from a file or from bytes, as `image_part` does it."""
    return _part(DocumentContent, "document", source, mime_type)


OFFICE: Final = "application/vnd.openxmlformats-officedocument."
OASIS: Final = "application/vnd.oasis.opendocument."

SUFFIXES: Final[dict[str, tuple[str, ...]]] = {
    "3gp": ("video/3gpp",),
    "aac": ("audio/aac",),
    "aif": ("audio/aiff",),
    "aiff": ("audio/aiff",),
    "avi": ("video/avi",),
    "bmp": ("image/bmp",),
    "csv": ("text/csv",),
    "doc": ("application/msword",),
    "docx": (OFFICE + "wordprocessingml.document",),
    "dotx": (OFFICE + "wordprocessingml.template",),
    "flac": ("audio/flac",),
    "flv": ("video/x-flv",),
    "gif": ("image/gif",),
    "heic": ("image/heic",),
    "heif": ("image/heif",),
    "jpeg": ("image/jpeg",),
    "jpg": ("image/jpeg",),
    "m4a": ("audio/m4a",),
    "mov": ("video/mov",),
    "mp3": ("audio/mp3",),
    "mp4": ("video/mp4", "audio/m4a"),
    "mpeg": ("video/mpeg",),
    "mpg": ("video/mpeg",),
    "odp": (OASIS + "presentation",),
    "ods": (OASIS + "spreadsheet",),
    "odt": (OASIS + "text",),
    "oga": ("audio/ogg",),
    "ogg": ("audio/ogg",),
    "opus": ("audio/opus",),
    "pdf": ("application/pdf",),
    "png": ("image/png",),
    "ppt": ("application/vnd.ms-powerpoint",),
    "pptx": (OFFICE + "presentationml.presentation",),
    "tif": ("image/tiff",),
    "tiff": ("image/tiff",),
    "wav": ("audio/wav",),
    "webm": ("video/webm", "audio/webm"),
    "webp": ("image/webp",),
    "wmv": ("video/wmv",),
    "xls": ("application/vnd.ms-excel",),
    "xlsx": (OFFICE + "spreadsheetml.sheet",),
}
"""The types of the spec that a file can have by its suffix; a second one where it can be another
kind of part as well.
"""

MAGIC: Final = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (8, b"WEBP", "image/webp"),
    (0, b"fLaC", "audio/flac"),
    (0, b"OggS", "audio/ogg"),
    *((0, b"ID3" + version, "audio/mp3") for version in (b"\2", b"\3", b"\4")),
    (0, b"\xff\xfb", "audio/mp3"),
    (0, b"\xff\xf3", "audio/mp3"),
    (0, b"\xff\xf2", "audio/mp3"),
    (0, b"\xff\xf1", "audio/aac"),
    (0, b"\xff\xf9", "audio/aac"),
    (8, b"WAVE", "audio/wav"),
    (8, b"AIFF", "audio/aiff"),
    (8, b"AIFC", "audio/aiff"),
    (8, b"AVI ", "video/avi"),
    (0, b"FLV\x01", "video/x-flv"),
    (0, b"\0\0\x01\xba", "video/mpeg"),
    (0, b"\0\0\x01\xb3", "video/mpeg"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video/wmv"),
    (0, b"%PDF-", "application/pdf"),
    *((30, f"mimetype{OASIS}{n}".encode(), OASIS + n) for n in ("presentation", "spreadsheet")),
    (30, f"mimetype{OASIS}text".encode(), OASIS + "text"),
)
"""What stands at an offset of a file, and its type; what is at 8 is in a RIFF or a FORM."""

BRANDS: Final = {
    **dict.fromkeys(
        (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"), ("image/heic",)
    ),
    **dict.fromkeys((b"mif1", b"msf1"), ("image/heif",)),
    **dict.fromkeys((b"M4A ", b"M4B "), ("audio/m4a",)),
    b"qt  ": ("video/mov",),
    **dict.fromkeys(
        (
            b"isom",
            *(b"iso%d" % n for n in range(2, 10)),
            b"mp41",
            b"mp42",
            b"avc1",
            b"dash",
            b"MSNV",
        ),
        ("video/mp4", "audio/m4a"),
    ),
    **dict.fromkeys((b"M4V ", b"M4VH", b"M4VP"), ("video/mp4",)),
}
"""The types by the brand of an ISO media file: MP4 can be with or without pictures. AVIF and other
brands are not known.
"""


def _types(data: bytes) -> tuple[str, ...]:
    """The types that the data can be by its first bytes."""
    for at, magic, found in MAGIC:
        if data.startswith(magic, at) and (at != 8 or data.startswith((b"RIFF", b"FORM"))):
            return (found,)
    if data[4:8] == b"ftyp":
        brand = data[8:12]
        return ("video/3gpp",) if brand.startswith(b"3g") else BRANDS.get(brand, ())
    if data.startswith(b"\x1a\x45\xdf\xa3") and b"webm" in data[:64]:
        return ("video/webm", "audio/webm")
    if data.startswith(b"BM") and data[6:10] == bytes(4):
        return ("image/bmp",)
    return ()


def _kind_of(mime_type: str) -> str:
    """Which part a type goes into."""
    family, slash, name = mime_type.lower().partition("/")
    if not slash or not family or not name:
        return "nothing"
    return family if family in ("image", "audio", "video") else "document"


def _part(cls: type[Part], kind: str, source: Media, mime_type: str | None) -> Part:
    if isinstance(source, bytes | bytearray | memoryview):
        data, suffix, name = bytes(source), "", "the bytes"
    else:
        path = os.fspath(source)
        if "://" in path:
            raise ValueError(f"{path!r} is no path: what has a URI needs a part with `uri`")
        with open(path, "rb") as file:
            data = file.read()
        suffix, name = os.path.splitext(path)[1].lower().removeprefix("."), repr(path)
    if not data:
        raise ValueError(f"{name}: there is nothing in it")
    if mime_type is None:
        mime_type = _told(kind, data, suffix, name)
    elif _kind_of(mime_type) != kind:
        raise ValueError(f"{mime_type!r} is no type of {kind}")
    return cls(data=b2a_base64(data, newline=False).decode("ascii"), mime_type=mime_type)


def _told(kind: str, data: bytes, suffix: str, name: str) -> str:
    """The type that the data has, if it is one of this kind."""
    found = _types(data) or SUFFIXES.get(suffix, ())
    for mime_type in found:
        if _kind_of(mime_type) == kind:
            return mime_type
    if found:
        raise ValueError(f"{name}: this is {found[0]}, which is no type of {kind}")
    known = sorted({t for types in SUFFIXES.values() for t in types if _kind_of(t) == kind})
    raise ValueError(f"{name}: cannot tell the type, give it; known for {kind}: {', '.join(known)}")
