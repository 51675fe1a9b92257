"""A model by its name, from a module that may not be loaded yet.

The models of other resources and of the legacy generation are loaded when somebody asks for them.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .tables import MODULES

__all__ = ["load"]


def load(name: str) -> Any:
    """The model or union of this name; imports its module if need be."""
    return getattr(import_module(f".{MODULES.get(name, 'interactions')}", __package__), name)
