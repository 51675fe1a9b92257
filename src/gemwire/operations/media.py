"""Files and bytes as content: `image_content` and its siblings.

The type of a file is told by its first bytes, else by its suffix, among the types that the API
takes. Nothing is guessed: what cannot be told raises ValueError.
"""

from __future__ import annotations

import os
from binascii import b2a_base64
from typing import Final, TypeAlias, TypeVar

from ..models import AudioContent, DocumentContent, ImageContent, VideoContent

__all__ = ["Media", "audio_content", "document_content", "image_content", "video_content"]

Media: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview
"""The path of a file, or what is in it."""

T = TypeVar("T", AudioContent, DocumentContent, ImageContent, VideoContent)


def image_content(source: Media, /, mime_type: str | None = None) -> ImageContent:
    """An image from a file or from bytes, as base64.

    Args:
        source: a path, or the bytes.
        mime_type: taken as it is, if it is one of an image. By default it is what the first bytes
            say, else what the suffix of the file says.

    Raises:
        ValueError: the type cannot be told or is no image, or there are no bytes.
        OSError: the file cannot be read.

    """
    return _content(ImageContent, "image", source, mime_type)


def audio_content(source: Media, /, mime_type: str | None = None) -> AudioContent:
    """Sound, read as `image_content` reads an image. Raw samples need a `mime_type`."""
    return _content(AudioContent, "audio", source, mime_type)


def video_content(source: Media, /, mime_type: str | None = None) -> VideoContent:
    """A video, read as `image_content` reads an image."""
    return _content(VideoContent, "video", source, mime_type)


def document_content(source: Media, /, mime_type: str | None = None) -> DocumentContent:
    """A document, read as `image_content` reads an image."""
    return _content(DocumentContent, "document", source, mime_type)


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


def _content(cls: type[T], kind: str, source: Media, mime_type: str | None) -> T:
    if isinstance(source, bytes | bytearray | memoryview):
        data, suffix, name = bytes(source), "", "the bytes"
    else:
        path = os.fspath(source)
        if "://" in path:
            raise ValueError(f"{path!r} is no path: what has a URI needs content with `uri`")
        with open(path, "rb") as file:
            data = file.read()
        suffix, name = os.path.splitext(path)[1].lower().removeprefix("."), repr(path)
    if not data:
        raise ValueError(f"{name}: there is nothing in it")
    if mime_type is None:
        mime_type = _type_of(kind, data, suffix, name)
    elif _kind_of(mime_type) != kind:
        raise ValueError(f"{mime_type!r} is no type of {kind}")
    return cls(data=b2a_base64(data, newline=False).decode("ascii"), mime_type=mime_type)


def _type_of(kind: str, data: bytes, suffix: str, name: str) -> str:
    """The type that the data has, if it is one of this kind."""
    found = _types(data) or SUFFIXES.get(suffix, ())
    for mime_type in found:
        if _kind_of(mime_type) == kind:
            return mime_type
    if found:
        raise ValueError(f"{name}: this is {found[0]}, which is no type of {kind}")
    known = sorted({t for types in SUFFIXES.values() for t in types if _kind_of(t) == kind})
    raise ValueError(f"{name}: cannot tell the type, give it; known for {kind}: {', '.join(known)}")
