"""The documents with the overlay laid over them, as one in plain form: what is generated from."""

from __future__ import annotations

from .config import Documents
from .descriptions import describe
from .document import Schema, merged, read, renamed, schemas_of, tag_members
from .notes import Notes, too_long
from .overlay import apply
from .paths import plain_paths
from .plain import plain
from .shape import shaped
from .text import read_text
from .unions import settle_unions

__all__ = ["load", "published"]


def published(documents: Documents) -> Schema:
    """The documents as one, corrected by the overlay.

    Raises:
        Refused: they are no OpenAPI 3, or cannot be one document.
        StaleOverlay: a correction has no reason, no target or no effect.
    """
    found = []
    for path, module in documents.specs.items():
        document = read(path)
        if module:
            for schema in document.get("components", {}).get("schemas", {}).values():
                schema.setdefault("x-module", module)
        found.append((path.name, document))
    whole = merged(found)
    if not documents.overlay:
        return whole
    apply(whole, read_text(documents.overlay), documents.overlay.name)
    corrected: Schema = shaped(whole)
    return corrected


def load(documents: Documents, notes: Notes) -> Schema:
    """The documents in plain form: each schema and each operation in the one way that there is.

    Raises:
        Refused: a construct that has no form.
        StaleOverlay: see `published`.
    """
    whole = published(documents)
    renamed(whole, notes)
    paths = plain_paths(whole, notes)
    given = schemas_of(whole)
    tags = tag_members(given)
    try:
        schemas = plain(given, tags, notes)
        settle_unions(schemas, tags, notes)
    except RecursionError:
        raise too_long() from None
    document: Schema = {"paths": paths, "components": {"schemas": schemas}}
    if documents.descriptions:
        describe(document, documents.descriptions)
    return document
