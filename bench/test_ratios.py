"""The harness itself: that a ratio is what it says, and that a miss is seen."""

from __future__ import annotations

import pytest

from .cases import CASES
from .ratios import BEGIN, END, table, written_into
from .timing import compare, race


def test_ratios_are_taken_within_a_round() -> None:
    # The clock halves its speed after the first round; `b` always takes twice as long as `a`.
    rounds = [{"b": 200.0, "a": 100.0}, {"a": 200.0, "b": 400.0}, {"b": 400.0, "a": 200.0}]
    first, second = compare("case", ["a", "b"], rounds, "event", {"b": 1.9})
    assert (first.contestant, first.ratio) == ("a", 1.0)
    assert (second.contestant, second.ratio, second.ratio_of_least) == ("b", 2.0, 2.0)
    assert (second.least, second.middle) == (200.0, 400.0)
    assert second.misses()
    assert not second.misses(0.06)
    assert not first.misses()


def test_a_contestant_may_sit_out_rounds() -> None:
    rounds = [{"a": 1.0, "slow": 50.0}, {"a": 2.0}, {"a": 2.0, "slow": 120.0}]
    assert compare("case", ["a", "slow"], rounds, "event", {})[1].ratio == pytest.approx(55.0)


def test_the_table_has_a_line_for_each_contestant() -> None:
    results = race(CASES["decoding"], rounds=2)
    text = table(results, {"python": "CPython", "msgspec": "1.0"})
    assert text.startswith("CPython, msgspec 1.0.\n\n| case |")
    for name in CASES["decoding"].contestants:
        assert text.count(f"| {name} |") == 1


def test_writing_replaces_what_is_between_the_markers() -> None:
    document = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    written = written_into(document, "new\n")
    assert written == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
    assert written_into(written, "new\n") == written
    with pytest.raises(ValueError, match="markers"):
        written_into("no markers", "new")
