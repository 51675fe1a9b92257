"""Bytes to messages: the parser alone."""

from __future__ import annotations

from time import thread_time

import pytest

from .cases import FRAMING
from .conftest import Time

pytestmark = pytest.mark.benchmark(timer=thread_time)


@pytest.mark.parametrize("contestant", FRAMING)
@pytest.mark.parametrize("case", ["framing-64k", "framing-each"])
def test_framing(time: Time, case: str, contestant: str) -> None:
    time(case, contestant)
