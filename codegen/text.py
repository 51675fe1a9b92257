"""Files of JSON or YAML, read as OpenAPI has it: what YAML can say is what JSON can."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

import yaml

from .notes import Refused

__all__ = ["read_text"]

# YAML 1.2's own table; by that of 1.1 `no` is false, `16:9` a number and a day no text.
SCALARS: Final = {
    "null": ("null|Null|NULL|~|", [*"nN~", ""]),
    "bool": ("true|True|TRUE|false|False|FALSE", [*"tTfF"]),
    "int": ("[-+]?(?:0|[1-9][0-9]*)", [*"-+0123456789"]),
    "float": (
        r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+",
        [*"-+.0123456789"],
    ),
}


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Knows the merge key `<<` and `SCALARS`, and nothing else."""


_Loader.yaml_implicit_resolvers = {"<": yaml.SafeLoader.yaml_implicit_resolvers["<"]}
for _kind, (_form, _first) in SCALARS.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(f"(?:{_form})$"), _first)


def read_text(path: Path) -> Any:
    """What is in a file of JSON or YAML.

    Raises:
        Refused: it is neither.
    """
    try:
        text = path.read_text("utf-8-sig")
        is_json = text.lstrip()[:1] in ("{", "[")
        return json.loads(text) if is_json else yaml.load(text, _Loader)
    except RecursionError:
        what = "nested too deeply"
    except (ValueError, yaml.YAMLError) as error:
        what = f"neither JSON nor YAML: {' '.join(str(error).split())}"
    raise Refused(path.name, what, "Give the document as published")
