"""Arguments of a call to look at while they stream; nothing in here is fit to run the call with."""

from .arguments import ArgumentsPreview as ArgumentsPreview
from .arguments import ArgumentsSnapshot as ArgumentsSnapshot
from .unfinished import UnfinishedArray as UnfinishedArray
from .unfinished import UnfinishedObject as UnfinishedObject
from .unfinished import UnfinishedText as UnfinishedText

__all__ = [
    "ArgumentsPreview",
    "ArgumentsSnapshot",
    "UnfinishedArray",
    "UnfinishedObject",
    "UnfinishedText",
]
