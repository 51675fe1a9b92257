"""The body of a call that does not stream → an Interaction, of either generation."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from .. import models
from ..codec.decode import Data, as_utf8, decode, read_leniently, refuse_unknown
from ..codec.encode import encode, to_dict
from ..codec.json import read_json
from ..codec.surrogates import with_whole_pairs
from ..errors import ApiError, DecodeError
from ..models import Interaction
from .error_body import error_info, is_error
from .lifecycle import has_legacy_form

__all__ = ["decode_interaction"]


def decode_interaction(data: Data, /, *, strict: bool = False) -> Interaction:
    """Decode the body of a call that does not stream, of either generation.

    A body of the legacy generation comes in today's form: its `outputs` are `steps`, by the rules
    of `gemwire.legacy`. `decode(data, Interaction)` leaves it as it is.

    Raises:
        ApiError: the body is an error (`{"error": …}`, what stands there without that, or a list
            of such), whatever the HTTP status was; code and message as far as they could be read.
        DecodeError: it is no JSON object, or (`strict`) has any part that the spec does not know.

    """
    interaction: Interaction
    try:
        interaction, refused = read_leniently(data, Interaction)
    except DecodeError:
        _raise_api_error(read_json(as_utf8(data)[0]))
        raise
    without_steps = interaction.steps is UNSET  # those with steps are held to the schema of today
    legacy = has_legacy_form(interaction)
    if legacy:
        from ..legacy.bodies import modernised

        interaction = modernised(interaction)
    if interaction.extra_ is not UNSET and (
        interaction.status is UNSET  # or it is the "NOT_FOUND" of a bare google.rpc error
        or (interaction.object, interaction.id, interaction.steps) == (UNSET, UNSET, UNSET)
    ):
        _raise_api_error(to_dict(interaction))
    if refused is not None and interaction.steps:
        steps = list(map(_sayable, interaction.steps))
        interaction = replace(interaction, steps=steps)
    if strict and legacy and without_steps:
        decode(data, models.LegacyInteraction, strict=True)
    elif strict and refused is not None:
        refuse_unknown(interaction, refused, data)
    return interaction


def _sayable(step: Any) -> Any:
    """A call whose arguments can be written in UTF-8, so that the next request can have it."""
    arguments = getattr(step, "arguments", UNSET)
    if not isinstance(arguments, dict):
        return step
    text, halves = with_whole_pairs(encode(arguments))
    return replace(step, arguments=read_json(text)) if halves else step


def _raise_api_error(body: Any) -> None:
    """Raise `ApiError` if the body says that something went wrong."""
    if is_error(body) and (found := error_info(body)) is not None:
        raise ApiError(
            found.message,
            code=found.code,
            status=found.status,
            details=found.details,
            retry_after=found.retry_after,
        )
