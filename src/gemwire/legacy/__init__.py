"""The legacy generation: an answer was a list of contents, `outputs`; today it is one of steps.

Texts and media in a row are the content of one `model_output`; a thought, a call or a result is the
step of the same name, member for member. The rules are in docs/legacy.md.

    steps = from_outputs(body["outputs"])
    outputs = to_outputs(interaction)  # the same as `interaction.outputs`

What the other side cannot say is left out or said otherwise, and a list given as `lost` takes down
where. Whatever lost nothing comes back the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .outputs import LOST as LOST
    from .outputs import Lost as Lost
    from .outputs import from_outputs as from_outputs
    from .outputs import to_outputs as to_outputs

__all__ = ["LOST", "Lost", "from_outputs", "to_outputs"]


def __getattr__(name: str) -> Any:
    """The public names, loaded with the legacy models when somebody asks for the first of them."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import outputs

    for public in __all__:
        globals()[public] = getattr(outputs, public)
    return globals()[name]
