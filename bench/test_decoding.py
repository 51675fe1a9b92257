"""Payloads, already cut out, to typed events."""

from __future__ import annotations

import pytest

from .conftest import Time
from .contestants import DECODING


@pytest.mark.parametrize("contestant", DECODING)
def test_decoding(time: Time, contestant: str) -> None:
    time("decoding", contestant)
