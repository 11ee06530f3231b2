"""Studies deleted for good: nothing of them stays in the database's file, and a full disk does not hinder it."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar, cast

from sqlalchemy import ColumnElement, CursorResult, Engine, delete, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.studies.database import erase_log, give_space_back, is_full
from app.studies.disk import Reserve
from app.studies.study import Study

MOST_ERASED_AT_ONCE = 100
MOST_BYTES_ERASED_AT_ONCE = 4 * 2**20
"""Of several studies; the log of their deletion must fit what is kept back on a full disk."""

T = TypeVar("T")


class Eraser:
    """Deletes studies. Shared between threads.

    Attributes:
        reserve: What is kept back on the disk; None where the database is no file of ours.
    """

    def __init__(self, engine: Engine, reserve: Reserve | None) -> None:
        self._engine = engine
        self.reserve = reserve

    def erase(self, *conditions: ColumnElement[bool]) -> int:
        """Delete every study of which the conditions hold, and return how many there were.

        A few at a time: each is written to the log before it is gone, and there may be no room.
        """
        with Session(self._engine) as session:
            found = session.execute(select(Study.id, Study.size_bytes).where(*conditions)).all()
        count = sum(self.even_if_full(lambda: self._erase_some(ids, conditions)) for ids in _few(found))  # noqa: B023
        self.even_if_full(lambda: erase_log(self._engine))  # always: a reader may have kept an earlier call from it
        if count:
            self.even_if_full(lambda: give_space_back(self._engine))
            self.even_if_full(lambda: erase_log(self._engine))
        return count

    def even_if_full(self, work: Callable[[], T]) -> T:
        """Do what only gives room back; where the disk is full, at the cost of the reserve."""
        try:
            return work()
        except SQLAlchemyError as error:
            if self.reserve is None or not (is_full(error) or self.reserve.is_needed()) or not self.reserve.let_go():
                raise
            return work()

    def _erase_some(self, ids: Sequence[str], conditions: tuple[ColumnElement[bool], ...]) -> int:
        with Session(self._engine) as session, session.begin():
            erased = session.execute(delete(Study).where(Study.id.in_(ids), *conditions))
            return cast(CursorResult, erased).rowcount


def _few(found: Sequence[tuple[str, int]]) -> Iterator[list[str]]:
    """Part ids, each with the size of its study, into such as may be deleted at once."""
    ids: list[str] = []
    together = 0
    for study_id, size in found:
        if ids and (len(ids) == MOST_ERASED_AT_ONCE or together + size > MOST_BYTES_ERASED_AT_ONCE):
            yield ids
            ids, together = [], 0
        ids.append(study_id)
        together += size
    if ids:
        yield ids
