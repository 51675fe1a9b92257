"""Helpers are in modules of their own; pytest shall explain their asserts as well."""

import pytest

pytest.register_assert_rewrite("tests.payloads", "tests.sse_reference")
