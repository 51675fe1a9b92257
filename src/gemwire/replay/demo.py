"""`python -m gemwire.replay.demo`: streams recorded answers through a real HTTP client.

The program under the decoration is short: an `httpx2` response is given to
`gemwire.InteractionStream`, its events are printed as they come, steps when they close, and in
the end there is the same Interaction that the call answers without streaming.
"""

from __future__ import annotations

import argparse
import base64
import json
import statistics
import sys
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

import httpx2
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

import gemwire
from gemwire import (
    FunctionCallStep,
    GemwireError,
    Interaction,
    InteractionStream,
    StepDelta,
    StepStop,
    StreamReport,
    TextDelta,
    ThoughtStep,
    Usage,
)
from gemwire.models import (
    AudioContent,
    GoogleSearchCallStep,
    ImageDelta,
    ModelOutputStep,
    Step,
    TextContent,
    UrlCitation,
)
from gemwire.replay.recording import BUNDLED, Recording, UnknownRecording
from gemwire.replay.server import ReplayServer
from gemwire.replay.terminal import Prose, picture

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

PROGRAMME: Final = ("text-with-thoughts", "function-calls", "search", "image", "cut")
DELAY: Final = 0.06
WIDTH: Final = 92
MARGIN: Final = "  "

_REQUEST: Final = {"model": "gemini-3.6-flash", "input": "…", "stream": True}
_MEASURE_SECONDS: Final = 0.05


@dataclass(frozen=True)
class Played:
    """What there is to say about one answer.

    Args:
        name: Of the recording.
        interaction: What was assembled, of a failed stream too.
        report: The stream's own account.
        error: Why it failed, if it did.
        chunks: The bytes as they came from the client.
        waited: Seconds from the first byte of the response to the last.
        twin: Whether it equals the answer without streaming; None when there is none.

    """

    name: str
    interaction: Interaction
    report: StreamReport
    error: GemwireError | None
    chunks: Sequence[bytes]
    waited: float
    twin: bool | None

    @property
    def per_event(self) -> float:
        """Seconds that gemwire takes for an event, from bytes to the Interaction.

        The chunks that came over HTTP are assembled again, many times, and the median is divided
        by the number of events: nothing is waited for and nothing printed in this time.
        """
        runs: list[float] = []
        until = perf_counter() + _MEASURE_SECONDS
        while (start := perf_counter()) < until:
            with suppress(GemwireError):
                gemwire.assemble(self.chunks)
            runs.append(perf_counter() - start)
        return statistics.median(runs) / max(self.report.event_count, 1)


def main(argv: Sequence[str] | None = None) -> int:
    """Play the programme. Returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m gemwire.replay.demo",
        description="Stream recorded answers through httpx2 and gemwire.",
    )
    parser.add_argument(
        "--recording",
        action="append",
        metavar="NAME|PATH.sse",
        help=f"may be repeated; bundled: {', '.join(BUNDLED)}",
    )
    parser.add_argument(
        "--delay",
        type=float,
        default=DELAY,
        metavar="SECONDS",
        help="between chunks (default: %(default)s)",
    )
    parser.add_argument(
        "--chunk-size", type=int, metavar="BYTES", help="default: a chunk is a frame"
    )
    options = parser.parse_args(argv)
    try:
        recordings = [Recording.load(source) for source in options.recording or PROGRAMME]
        servers = [
            ReplayServer(recording, chunk_size=options.chunk_size, delay=options.delay)
            for recording in recordings
        ]
    except (UnknownRecording, ValueError) as error:
        parser.error(str(error))
    gemwire.warm_up()
    console = Console(highlight=False)
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in ("recording", "outcome", "steps", "events", "bytes", "µs/event"):
        table.add_column(column, justify="left" if column in ("recording", "outcome") else "right")
    for recording, server in zip(recordings, servers, strict=True):
        title = Text(f"\n── {recording.name}", "bold cyan")
        if recording.name in BUNDLED:
            title.append(f"  ·  {BUNDLED[recording.name]}", "not bold dim")
        console.print(title, end="\n\n", soft_wrap=True)
        played = play(recording, server, console)
        per_event = played.per_event
        show_summary(console, played, per_event)
        table.add_row(
            recording.name,
            outcome(played),
            str(len(played.interaction.steps or ())),
            str(played.report.event_count),
            f"{played.report.byte_count:,}",
            f"{per_event * 1e6:.1f}",
        )
    if len(recordings) > 1:
        console.print()
        console.print(Padding(table, (0, 0, 0, 1), expand=False))
    return 0


# ---- streaming


def play(recording: Recording, server: ReplayServer, console: Console) -> Played:
    """Stream one answer, printing it as it comes."""
    prose = Prose(console, MARGIN, min(console.width, WIDTH))
    chunks: list[bytes] = []
    closed: set[int] = set()
    error: GemwireError | None = None
    # No proxy from the environment may come between.
    with server, httpx2.Client(base_url=server.url, trust_env=False) as client:
        with client.stream("POST", "/v1beta/interactions", json=_REQUEST) as response:
            start = perf_counter()
            with InteractionStream(kept(response.iter_bytes(), chunks)) as stream:
                for event in stream:
                    match event:
                        case StepDelta(delta=TextDelta(text=text)):
                            prose.write(text)
                        case StepDelta(delta=ImageDelta(data=str(data))):
                            prose.end()
                            show_image(console, data)
                        case StepStop(index=int(index)):
                            prose.end()
                            closed.add(index)
                            with suppress(IndexError):  # A stop of what never started.
                                show_step(console, stream.step(index))
                        case _:
                            pass
                prose.end()
                try:
                    interaction = stream.get_final_interaction()
                except GemwireError as failure:
                    error, interaction = failure, stream.snapshot()
                    for index, step in enumerate(interaction.steps or ()):
                        if index not in closed:
                            show_step(console, step)
                report = stream.report
            waited = perf_counter() - start
        twin: bool | None = None
        if recording.body is not None:
            answer = client.post("/v1beta/interactions", json={**_REQUEST, "stream": False})
            twin = gemwire.decode_interaction(answer.content) == interaction
    return Played(recording.name, interaction, report, error, chunks, waited, twin)


def kept(chunks: Iterable[bytes], into: list[bytes]) -> Iterator[bytes]:
    """Pass chunks on, and keep them."""
    for chunk in chunks:
        into.append(chunk)
        yield chunk


def show_step(console: Console, step: Step) -> None:
    """Print what is worth seeing of a step that has closed."""
    match step:
        case ThoughtStep(summary=list(summary)):
            for part in summary:
                if isinstance(part, TextContent):
                    title, _, text = part.text.partition("\n\n")
                    show(console, "∴", Text(title.strip("* "), "dim bold"))
                    show(console, "", Text(text.strip(), "dim italic"))
            console.print()
        case FunctionCallStep(name=str(name)):
            show(
                console,
                "→",
                Text.assemble((name, "bold yellow"), " ", call(step.parsed_arguments())),
            )
        case GoogleSearchCallStep(arguments=arguments):
            queries = (arguments.queries if arguments else None) or ()
            for query in queries:
                show(console, "→", Text.assemble(("google_search ", "bold yellow"), query))
            console.print()
        case ModelOutputStep(content=list(content)):
            for part in content:
                if isinstance(part, TextContent):
                    show_citations(console, part)
                elif isinstance(part, AudioContent):
                    show(console, "♪", Text(audio_length(part), "magenta"))
        case _:
            pass


def show_citations(console: Console, part: TextContent) -> None:
    """Print what a text cites; the offsets count bytes."""
    text = part.text.encode()
    for number, annotation in enumerate(part.annotations or (), 1):
        if isinstance(annotation, UrlCitation):
            cited = text[annotation.start_index or 0 : annotation.end_index or 0].decode(
                errors="replace"
            )
            if number == 1:
                console.print()
            line = Text.assemble(f"“{cited}” ", (annotation.title or "", "cyan"), style="dim")
            show(console, f"[{number}]", line, label_width=4)


def audio_length(audio: AudioContent) -> str:
    """`1.00 s of audio/l16` where it can be told, else its size."""
    size = len(decoded(audio.data or ""))
    if str(audio.mime_type).lower().startswith("audio/l16") and audio.sample_rate:
        return f"{size / 2 / audio.sample_rate / (audio.channels or 1):.2f} s of {audio.mime_type}"
    return f"{size:,} bytes of {audio.mime_type or 'audio'}"


def decoded(data: str) -> bytes:
    """Decode base64; nothing when it is none, since this is only for show."""
    try:
        return base64.b64decode(data)
    except ValueError:
        return b""


def show_image(console: Console, data: str) -> None:
    """Draw an image where colours can be had; say what it is where not."""
    image = decoded(data)
    drawn = picture(image, MARGIN) if console.color_system in ("truecolor", "256") else None
    if drawn and console.width >= cell_len(drawn.plain.partition("\n")[0]):
        console.print(drawn)
    else:
        show(console, "▣", Text(f"an image of {len(image):,} bytes", "magenta"))
        console.print()


# ---- telling


def show_summary(console: Console, played: Played, per_event: float) -> None:
    """Print what came of an answer, line by line."""
    report, pieces = played.report, len(played.chunks)
    lines = {
        "outcome": outcome(played),
        "raised": Text(f"{type(played.error).__name__}: {played.error}" if played.error else ""),
        "steps": Text(" · ".join(step_names(played.interaction))),
        "usage": Text(tokens(report.usage) if report.usage else ""),
        "wire": Text(
            f"{report.event_count} events, {report.byte_count:,} bytes, {pieces} chunks "
            f"in {played.waited:.2f} s"
        ),
        "gemwire": Text(
            f"{per_event * 1e6:.1f} µs per event from bytes to Interaction, waiting not counted"
        ),
    }
    if found := [*(each.kind for each in report.issues), *(each.path for each in report.unknown)]:
        lines["odd"] = Text(", ".join(found), "yellow")
    if played.twin is not None:
        lines["twin"] = Text(
            "equal" if played.twin else "NOT equal", "green" if played.twin else "red"
        )
        lines["twin"].append(" to the answer without streaming", "default")
    console.print()
    for label, text in lines.items():
        if text:
            show(console, label, text, label_width=10)


def outcome(played: Played) -> Text:
    """The outcome with a sign before it."""
    outcome = played.report.outcome
    if played.error is not None:
        return Text(f"✗ {outcome}", "bold red")
    return Text(f"✓ {outcome}", "bold green")


def step_names(interaction: Interaction) -> Iterator[str]:
    """Name the kinds of steps, counting neighbours of one kind: `4 function_call`."""
    for kind, steps in groupby(step.type for step in interaction.steps or ()):
        count = len([*steps])
        yield kind if count == 1 else f"{count} {kind}"


def tokens(usage: Usage) -> str:
    """`11 in + 301 out + 418 thought = 730 tokens`."""
    parts = {
        "in": usage.total_input_tokens,
        "out": usage.total_output_tokens,
        "thought": usage.total_thought_tokens,
        "tools": usage.total_tool_use_tokens,
    }
    told = " + ".join(f"{count:,} {name}" for name, count in parts.items() if count)
    return f"{told} = {usage.total_tokens or 0:,} tokens"


def call(arguments: dict[str, Any]) -> Text:
    """Arguments as JSON, their names apart from the values."""
    told = Text()
    for number, (name, value) in enumerate(arguments.items()):
        told.append(", " if number else "")
        told.append(f"{name}: ", "dim")
        told.append(json.dumps(value, ensure_ascii=False))
    return told


def show(console: Console, label: str, text: Text, *, label_width: int = 2) -> None:
    """Print a paragraph that hangs beside a label."""
    head = MARGIN + label.ljust(label_width)
    lines = text.wrap(console, min(console.width, WIDTH) - len(head))
    for line in lines:
        line.rstrip()
        console.print(Text.assemble((head, "dim"), line), soft_wrap=True)
        head = " " * len(head)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
