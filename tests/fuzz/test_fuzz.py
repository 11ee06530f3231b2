"""A short run of `python -m tests.fuzz`: other inputs each day, so that in the long run many are tried."""

import random
from datetime import date

import pytest

from tests.fuzz.batches import check
from tests.fuzz.mutations import mutated, seeds

INPUTS = 300


@pytest.fixture(scope="module")
def sound() -> list[bytes]:
    return seeds()


def test_seeds_are_sound(sound):
    assert {check(data)[0] for data in sound} == {"read"}


def test_damaged_films_are_read_or_refused(sound):
    first = date.today().toordinal() * INPUTS
    for number in range(first, first + INPUTS):
        outcome, _ = check(mutated(sound, random.Random(number)))
        assert not outcome.startswith("!") or outcome.startswith("!slow"), f"input {number}: {outcome}"


def test_inputs_differ_and_reach_past_the_first_check(sound):
    outcomes = {check(mutated(sound, random.Random(number)))[0] for number in range(150)}
    assert {"read", "TruncatedImageError", "InvalidImageError"} <= outcomes
