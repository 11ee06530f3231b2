"""Turns go round."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.analysis.turns import Turns


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
        with turns:
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
    with pytest.raises(ZeroDivisionError), turns:
        1 / 0  # noqa: B018
    with ThreadPoolExecutor(1) as threads:
        assert threads.submit(lambda: turns.__enter__() is turns).result(timeout=10)
