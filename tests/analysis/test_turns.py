"""Turns go round: one at a time, a few wait, and nobody's many films keep out another's one."""

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from app.analysis.turns import MOST_WAITING, BusyError, Turns


def test_one_at_a_time():
    turns, busy = Turns(), threading.Lock()

    def work(_) -> bool:
        with turns:
            alone = busy.acquire(blocking=False)
            threading.Event().wait(0.002)
            busy.release()
        return alone

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(work, range(40)))


def test_who_asks_again_stands_behind_who_waits():
    """Python's own lock fails this: the thread that lets it go has it again before the other has woken."""
    turns, order, waits = Turns(), [], threading.Event()

    def wait() -> None:
        waits.set()
        with turns.turn("reader"):
            order.append("film")

    film = threading.Thread(target=wait)
    for step in range(50):
        with turns:
            order.append(f"step {step}")
            if step == 3:
                film.start()
                waits.wait()
                threading.Event().wait(0.2)  # for it to ask, a moment later
    film.join(timeout=10)
    assert order.index("film") == order.index("step 3") + 1


def test_a_failure_hands_the_turn_on():
    turns = Turns()
    for turn in (turns, turns.turn("reader")):
        with pytest.raises(ZeroDivisionError), turn:
            1 / 0  # noqa: B018
    with ThreadPoolExecutor(1) as threads:
        assert threads.submit(lambda: turns.__enter__() is turns).result(timeout=10)


class Crowd:
    """Clients that ask while somebody works, one after another."""

    def __init__(self, turns: Turns, threads: ThreadPoolExecutor) -> None:
        self.turns, self.threads, self.order = turns, threads, []

    def ask(self, client: str) -> Future:
        asked = self.threads.submit(self._work, client)
        time.sleep(0.1)  # for it to stand in its place: where one changes hands there is nothing to see
        return asked

    def _work(self, client: str) -> None:
        with self.turns.turn(client):
            self.order.append(client)


@contextmanager
def crowd():
    turns = Turns()
    with ThreadPoolExecutor(20) as threads:
        people = Crowd(turns, threads)
        with turns:
            yield people


def test_clients_take_turns():
    with crowd() as people:
        for client in ("many", "many", "many", "few", "many"):
            people.ask(client)
    assert people.order == ["many", "few", "many", "many", "many"]


def test_one_client_may_wait_in_every_place_and_no_more():
    with crowd() as people:
        for _ in range(MOST_WAITING):
            people.ask("many")
        with pytest.raises(BusyError) as refusal:
            people.ask("many").result(timeout=10)
        assert refusal.value.retry_seconds >= 1
    assert people.order == ["many"] * MOST_WAITING


def test_who_has_most_gives_way_to_who_has_fewer():
    with crowd() as people:
        greedy = [people.ask("many") for _ in range(MOST_WAITING)]
        people.ask("first")
        people.ask("second")
        people.ask("first")
        with pytest.raises(BusyError):
            people.ask("first").result(timeout=10)
    assert sorted(people.order) == ["first", "first", "many", "many", "second"]
    assert people.order[:3] == ["many", "first", "second"]
    assert [isinstance(asked.exception(timeout=10), BusyError) for asked in greedy] == [False, False, True, True, True]


def test_steps_of_work_that_has_begun_are_never_refused():
    turns = Turns(most_waiting=0)
    with ThreadPoolExecutor(2) as threads:
        with turns:
            step = threads.submit(lambda: turns.__enter__() is turns)
            with pytest.raises(BusyError):
                threads.submit(lambda: turns.turn("film").__enter__()).result(timeout=10)
        assert step.result(timeout=10)


def test_work_in_hand_is_timed():
    turns = Turns()
    assert turns.held_seconds() == 0
    with turns:
        time.sleep(0.02)
        assert turns.held_seconds() >= 0.02
    assert turns.held_seconds() == 0
