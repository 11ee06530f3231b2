"""A lock that is handed on in the order in which it was asked for."""

import threading
from types import TracebackType
from typing import Self


class Turns:
    """One at a time, first come, first served: `with turns: …`.

    Who holds Python's own lock, lets it go and asks again at once gets it again, past all who wait. Long work that
    is done step by step, each in a turn of its own, then keeps a film waiting for one step only.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._taken = 0
        self._served = 0

    def __enter__(self) -> Self:
        with self._changed:
            number = self._taken
            self._taken += 1
            self._changed.wait_for(lambda: self._served == number)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._changed:
            self._served += 1
            self._changed.notify_all()
