"""Files and bytes become content, of the type that they are."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from gemwire import (
    AudioContent,
    DocumentContent,
    ImageContent,
    VideoContent,
    audio_content,
    decode,
    document_content,
    image_content,
    user_input,
    video_content,
)
from gemwire import models as m
from gemwire.codec.schema import fields, known_values
from gemwire.operations import create_interaction
from gemwire.operations.media import MAGIC, SUFFIXES

PARTS: dict[str, tuple[Any, Any]] = {
    "image": (image_content, ImageContent),
    "audio": (audio_content, AudioContent),
    "video": (video_content, VideoContent),
    "document": (document_content, DocumentContent),
}

OASIS = "application/vnd.oasis.opendocument."
FTYP = b"\0\0\0\x18ftyp"
HEADS = {
    b"\x89PNG\r\n\x1a\n....": "image/png",
    b"\xff\xd8\xff\xe0..JFIF": "image/jpeg",
    b"GIF89a....": "image/gif",
    b"RIFF....WEBPVP8 ": "image/webp",
    b"BM\x36\0\0\0\0\0\0\0": "image/bmp",
    b"II*\0....": "image/tiff",
    b"MM\0*....": "image/tiff",
    FTYP + b"heic\0\0": "image/heic",
    FTYP + b"heis\0\0": "image/heic",
    FTYP + b"mif1\0\0": "image/heif",
    b"RIFF....WAVEfmt ": "audio/wav",
    b"ID3\x04....": "audio/mp3",
    b"\xff\xfb\x90....": "audio/mp3",
    b"\xff\xf1\x50....": "audio/aac",
    b"fLaC....": "audio/flac",
    b"OggS....": "audio/ogg",
    b"FORM....AIFF": "audio/aiff",
    FTYP + b"M4A ": "audio/m4a",
    FTYP + b"isom": "video/mp4",
    FTYP + b"mp42": "video/mp4",
    FTYP + b"qt  ": "video/mov",
    FTYP + b"3gp4": "video/3gpp",
    b"\x1a\x45\xdf\xa3....B\x82\x84webm": "video/webm",
    b"RIFF....AVI LIST": "video/avi",
    b"FLV\x01....": "video/x-flv",
    b"\0\0\x01\xba....": "video/mpeg",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11....": "video/wmv",
    b"%PDF-1.7": "application/pdf",
    b"PK\x03\x04" + b"." * 26 + b"mimetype" + OASIS.encode() + b"text": OASIS + "text",
}


def kind_of(mime_type: str) -> str:
    family = mime_type.partition("/")[0]
    return family if family in PARTS else "document"


@pytest.mark.parametrize(("data", "mime_type"), HEADS.items())
@pytest.mark.parametrize("form", [bytes, bytearray, memoryview])
def test_bytes(data: bytes, mime_type: str, form: Any) -> None:
    make, cls = PARTS[kind_of(mime_type)]
    part = make(form(data))
    assert isinstance(part, cls)
    assert part == cls(data=base64.b64encode(data).decode(), mime_type=mime_type)
    for kind, (other, _) in PARTS.items():
        containers = ("video/mp4", "video/webm")  # which may hold nothing but sound
        if kind != kind_of(mime_type) and not (kind == "audio" and mime_type in containers):
            with pytest.raises(
                ValueError, match=f"this is {mime_type}, which is no type of {kind}"
            ):
                other(data)


def test_containers_may_hold_nothing_but_sound() -> None:
    assert audio_content(FTYP + b"isom").mime_type == "audio/m4a"
    assert audio_content(b"\x1a\x45\xdf\xa3....webm").mime_type == "audio/webm"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_suffixes(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"some.thing.{suffix.upper()}"
    path.write_bytes(b"?")
    for mime_type in SUFFIXES[suffix]:
        make, _ = PARTS[kind_of(mime_type)]
        assert make(path).mime_type == mime_type
        assert make(str(path)) == make(path)
        assert make(path).data == "Pw=="


def test_what_is_in_a_file_counts_more_than_its_name(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"\x89PNG\r\n\x1a\n")
    assert image_content(path).mime_type == "image/png"
    assert image_content(path, "image/tiff").mime_type == "image/tiff"
    path = path.rename(tmp_path / "report.pdf")
    with pytest.raises(ValueError, match=r"report\.pdf.*this is image/png"):
        document_content(path)


def test_the_types_are_those_of_the_spec() -> None:
    found = {t for types in SUFFIXES.values() for t in types} | {row[2] for row in MAGIC}
    spec: set[str] = set()
    for _, cls in PARTS.values():
        spec |= known_values(fields(cls)["mime_type"].hint) or set()
    assert found <= spec
    # Raw samples, which no file begins with a mark for, and other spellings of what is there.
    assert spec - found == {"audio/alaw", "audio/l16", "audio/mpeg", "audio/mulaw", "video/mpg"}


@pytest.mark.parametrize(
    ("make", "data", "known"),
    [
        (image_content, b"<svg>", "image/bmp, image/gif"),
        (audio_content, b"\0\0\0\0", "audio/aac"),
        (video_content, b"RIFF....ACON", "video/3gpp"),
        (image_content, FTYP + b"avif", "image/bmp"),
        (video_content, FTYP + b"avif", "video/3gpp"),
        (audio_content, FTYP + b"crx ", "audio/aac"),
        (audio_content, b"ID3,name\n", "audio/aac"),
        (document_content, b"plain text", "application/msword"),
        (document_content, b"PK\x03\x04....", "application/pdf"),
    ],
)
def test_types_that_cannot_be_told(make: Any, data: bytes, known: str) -> None:
    with pytest.raises(ValueError, match=f"the bytes: cannot tell the type.*{known}"):
        make(data)


def test_unknown_suffixes(tmp_path: Path) -> None:
    for name in ("notes.txt", "notes", ".png"):
        path = tmp_path / name
        path.write_bytes(b"hello")
        with pytest.raises(ValueError, match=r"cannot tell the type.*text/csv"):
            document_content(path)
    (tmp_path / "a.csv").write_bytes(b"a,b")
    with pytest.raises(ValueError, match="this is text/csv"):
        image_content(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("make", "mime_type"),
    [
        (image_content, "image/avif"),
        (audio_content, "audio/l16; rate=24000; channels=1"),
        (video_content, "Video/MP4"),
        (document_content, "text/plain"),
        (document_content, "application/x-new"),
    ],
)
def test_a_type_that_is_given_is_taken(make: Any, mime_type: str) -> None:
    assert make(b"?", mime_type).mime_type == mime_type
    assert make(b"?", mime_type=mime_type).data == "Pw=="


@pytest.mark.parametrize(
    ("make", "mime_type"),
    [
        (image_content, "audio/wav"),
        (image_content, "png"),
        (audio_content, "video/mp4"),
        (document_content, "image/png"),
        (document_content, "pdf"),
        (document_content, "/pdf"),
        (document_content, ""),
    ],
)
def test_a_type_of_another_kind(make: Any, mime_type: str) -> None:
    with pytest.raises(ValueError, match="is no type of"):
        make(b"?", mime_type)


def test_nothing_in_it(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    for source in (b"", tmp_path / "a.png"):
        with pytest.raises(ValueError, match="there is nothing in it"):
            image_content(source)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        image_content(tmp_path / "a.png")
    for uri in ("gs://bucket/a.png", "https://example.test/a.png"):
        with pytest.raises(ValueError, match="is no path"):
            image_content(uri)


def test_parts_are_accepted_in_a_request() -> None:
    turn = user_input("See", image_content(b"GIF89a"), document_content(b"%PDF-"))
    body = create_interaction({"model": "m", "input": [turn]}).body
    assert decode(body or b"", m.CreateModelInteraction, strict=True).input == [turn]
