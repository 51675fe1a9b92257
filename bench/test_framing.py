"""Bytes to messages: the parser alone."""

from __future__ import annotations

import pytest

from .conftest import Time
from .contestants import FRAMING


@pytest.mark.parametrize("contestant", FRAMING)
@pytest.mark.parametrize("case", ["framing-64k", "framing-each"])
def test_framing(time: Time, case: str, contestant: str) -> None:
    time(case, contestant)
