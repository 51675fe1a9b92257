"""Bytes to the Interaction; the peers stop at typed events."""

from __future__ import annotations

from time import thread_time

import pytest

from .cases import CALLS, WHOLE_WAY
from .conftest import Time

pytestmark = pytest.mark.benchmark(timer=thread_time)


# google-genai builds pydantic models while it reads, which may warn; that is not for us to mend.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("contestant", WHOLE_WAY)
@pytest.mark.parametrize("case", ["whole-64k", "whole-each"])
def test_text(time: Time, case: str, contestant: str) -> None:
    time(case, contestant)


@pytest.mark.parametrize("contestant", CALLS)
@pytest.mark.parametrize("case", ["calls-64k", "calls-each"])
def test_function_calls(time: Time, case: str, contestant: str) -> None:
    time(case, contestant)
