"""The `gen_ai.*` attributes of a call, by the OpenTelemetry conventions for generative AI.

Plain dicts; nothing of OpenTelemetry is imported. The names are written out in the tables of these
files: the conventions are still in development, and their own repository has no package.
"""

from .span import attributes as attributes
from .span import span_name as span_name

__all__ = ["attributes", "span_name"]
