"""One event of 16 MiB in chunks of 16 KiB: the time, and (not timed) the peak of memory."""

from __future__ import annotations

from time import thread_time

import pytest

from .cases import CASES, IMAGE
from .conftest import Time
from .memory import PEAK_GOAL, peak_of

pytestmark = pytest.mark.benchmark(timer=thread_time)


@pytest.mark.parametrize("contestant", IMAGE)
def test_image(time: Time, contestant: str) -> None:
    time("image", contestant)


def test_peak_memory() -> None:
    stream = CASES["image"].stream()
    payload = max(map(len, stream.payloads))
    assert peak_of(IMAGE["gemwire.assemble"](stream)) <= PEAK_GOAL * payload
