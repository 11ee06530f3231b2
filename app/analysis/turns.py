"""Who works next: one at a time, a few wait, the rest come back later; fair between those who ask."""

import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from app.segmentation.errors import PleuraError

MOST_WAITING = 5
"""Places in which to wait: each holds a thread that answers requests, and a film in memory."""
USUAL_SECONDS = 1.0
"""How long a turn is taken to last before one has."""


class BusyError(PleuraError):
    """As many wait as may.

    Attributes:
        retry_seconds: When to ask again.
    """

    code = "busy"
    retry_seconds: int = 1


class _Place:
    """Somebody who waits."""

    def __init__(self) -> None:
        self.is_called = False
        self.has_lost_it = False


class Turns:
    """One at a time; clients in rotation, and each client's own in the order in which they asked.

    Who holds Python's own lock, lets it go and asks again at once gets it again, past all who wait. Long work that
    is done step by step, each in a turn of its own (`with turns: …`), then keeps a film waiting for one step only.

    Attributes:
        notice: Is told by how many those who wait have become more or fewer.
    """

    def __init__(self, most_waiting: int = MOST_WAITING) -> None:
        self.most_waiting = most_waiting
        self.notice: Callable[[int], object] = lambda change: None
        self._changed = threading.Condition()
        self._waiting: OrderedDict[str, deque[_Place]] = OrderedDict()
        self._since: float | None = None
        self._usual_seconds = USUAL_SECONDS

    @contextmanager
    def turn(self, client: str) -> Iterator[None]:
        """Take a turn on a client's behalf.

        Where every place is taken, whoever has taken most of them gives up the last to a client with fewer.

        Args:
            client: Whom to be fair to: a browser session, a program, an address.

        Raises:
            BusyError: If there is no place to wait in, or it went to somebody with fewer.
        """
        with self._changed:
            if self._since is not None and self._taken() >= self.most_waiting:
                self._make_room(client)
            self._take(client)
        try:
            yield
        finally:
            self._pass_on()

    def check(self, client: str) -> None:
        """Refuse a client that would be refused a turn, before it has sent its film.

        Raises:
            BusyError: If it would.
        """
        with self._changed:
            if self._since is not None and self._taken() >= self.most_waiting and not self._greedier_than(client):
                raise self._busy()

    def __enter__(self) -> Self:
        """Take a turn that nobody is refused: for a step of work that has begun."""
        self._take("")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._pass_on()

    def held_seconds(self) -> float:
        """How long the turn in hand has lasted; 0 if nobody works."""
        with self._changed:
            return 0.0 if self._since is None else time.monotonic() - self._since

    def _take(self, client: str) -> None:
        with self._changed:
            if self._since is not None:
                place = _Place()
                self._waiting.setdefault(client, deque()).append(place)
                self.notice(1)
                try:
                    self._changed.wait_for(lambda: place.is_called or place.has_lost_it)
                finally:
                    self.notice(-1)
                if place.has_lost_it:
                    raise self._busy()
            self._since = time.monotonic()

    def _pass_on(self) -> None:
        with self._changed:
            lasted = time.monotonic() - (self._since or 0.0)
            self._usual_seconds += (lasted - self._usual_seconds) / 8
            self._since = None
            if self._waiting:
                client, places = self._waiting.popitem(last=False)
                places.popleft().is_called = True
                self._since = time.monotonic()  # so that nobody slips in before the one who is called has woken
                if places:
                    self._waiting[client] = places  # at the end of the rotation
                self._changed.notify_all()

    def _make_room(self, client: str) -> None:
        greedier = self._greedier_than(client)
        if greedier is None:
            raise self._busy()
        greedier.pop().has_lost_it = True
        self._changed.notify_all()

    def _greedier_than(self, client: str) -> deque[_Place] | None:
        """The places of who has most of them, if that is two more than a client has; it may take one, then."""
        most = max((self._waiting[other] for other in self._films()), key=len, default=deque())
        return most if len(most) > len(self._waiting.get(client, ())) + 1 else None

    def _films(self) -> list[str]:
        return [client for client in self._waiting if client]

    def _taken(self) -> int:
        return sum(len(self._waiting[client]) for client in self._films())

    def _busy(self) -> BusyError:
        error = BusyError("Other films are waiting already. Try again in a moment.")
        error.retry_seconds = math.ceil((self._taken() + 1) * self._usual_seconds)
        return error
