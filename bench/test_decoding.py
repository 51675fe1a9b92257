"""Payloads, already cut out, to typed events."""

from __future__ import annotations

from time import thread_time

import pytest

from .cases import DECODING
from .conftest import Time

pytestmark = pytest.mark.benchmark(timer=thread_time)


@pytest.mark.parametrize("contestant", DECODING)
def test_decoding(time: Time, contestant: str) -> None:
    time("decoding", contestant)
