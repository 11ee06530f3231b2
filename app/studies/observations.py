"""What outlives a film for whoever watches the operation: figures of answers, without whose they are.

No row holds a patient, a file's name, an id, or a time finer than the hour. A reader's verdict is written into one of
the rows that are alike, so that nothing ties a row to a film.
"""

import logging
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from sqlalchemy import Engine, delete, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, MappedAsDataclass, Session, mapped_column

from app.config import AUDIT_DAYS
from app.studies.answer import Answer
from app.studies.database import Base, failures_named

REFUSED = "refused"
"""In place of a finding: the film was refused, for the reason that `codes` names."""
VIEWS = ("PA", "AP")
MACHINE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/+-]{0,31}")
"""A machine's model, as manufacturers write one; anything else in that place may be anything."""

logger = logging.getLogger(__name__)


class Observation(MappedAsDataclass, Base):
    """One film that was answered or refused.

    Attributes:
        row: Its number.
        hour: When, UTC: "2026-11-27T09".
        model_sha256: Which weights answered.
        finding: Positive, negative, indeterminate, or `REFUSED`.
        score: Calibrated probability; None where the film was refused.
        distance: From the training films, in limits of what is familiar; None where nobody knows.
        withheld_for: Code of the doubt for which no answer stands; "" where one does.
        codes: Of the doubts, or of the refusal, parted by spaces.
        view: "PA", "AP", "other" or "".
        machine: Its model, or "".
        verdict: What the reader said: "right", "wrong" or "".
    """

    __tablename__ = "observations"

    row: Mapped[int] = mapped_column(primary_key=True, autoincrement=True, init=False)
    hour: Mapped[str] = mapped_column(index=True)
    model_sha256: Mapped[str]
    finding: Mapped[str]
    score: Mapped[float | None]
    distance: Mapped[float | None]
    withheld_for: Mapped[str] = mapped_column(default="")
    codes: Mapped[str] = mapped_column(default="")
    view: Mapped[str] = mapped_column(default="")
    machine: Mapped[str] = mapped_column(default="")
    verdict: Mapped[str] = mapped_column(default="")


class Observations:
    """All observations. Shared between threads; processes share the database."""

    def __init__(self, engine: Engine, days: int = AUDIT_DAYS, clock: Callable[[], float] = time.time) -> None:
        self._engine, self._days, self._clock = engine, days, clock

    def answered(self, answer: Answer, distance: float | None, view: str, machine: str) -> None:
        """Note an answer.

        Args:
            answer: To the film.
            distance: From the training films, in limits of what is familiar.
            view: View Position as the header has it.
            machine: Manufacturer's Model Name, likewise.
        """
        self._add(
            Observation(
                hour_of(self._clock()),
                answer.model.sha256,
                str(answer.finding),
                answer.probability,
                None if distance is None else round(distance, 3),
                answer.withheld_for or "",
                " ".join(doubt.code for doubt in answer.doubts),
                view if view in VIEWS else "other" if view else "",
                machine if MACHINE.fullmatch(machine) else "",
            )
        )

    def refused(self, model_sha256: str, code: str) -> None:
        """Note that a film was refused."""
        self._add(Observation(hour_of(self._clock()), model_sha256, REFUSED, None, None, codes=code))

    def judged(self, created_at: float, answer: Answer, before: str, now: str) -> None:
        """Note what a reader says of an answer, in place of what was said before.

        Args:
            created_at: When the film came.
            answer: To it.
            before: "right", "wrong" or "".
            now: Likewise.
        """
        if before == now:
            return
        alike = (
            (Observation.hour == hour_of(created_at))
            & (Observation.model_sha256 == answer.model.sha256)
            & (Observation.finding == str(answer.finding))
            & (Observation.score == answer.probability)
            & (Observation.verdict == before)
        )
        with self._even_if_it_fails(), self._engine.begin() as connection:
            row = connection.scalar(select(Observation.row).where(alike).limit(1))
            connection.execute(update(Observation).where(Observation.row == row).values(verdict=now))

    @failures_named()
    def latest(self, model_sha256: str, count: int) -> Sequence[Observation]:
        """Return the last so many answers of a model, the latest first; refusals are left out."""
        own = (Observation.model_sha256 == model_sha256) & (Observation.finding != REFUSED)
        with Session(self._engine) as session:
            return session.scalars(select(Observation).where(own).order_by(Observation.row.desc()).limit(count)).all()

    def since(self, hour: str) -> Iterator[Observation]:
        """Yield everything from an hour on, refusals too, the earliest first."""
        query = select(Observation).where(Observation.hour >= hour).order_by(Observation.hour, Observation.row)
        with failures_named(), Session(self._engine) as session:
            yield from session.scalars(query)

    def purge(self) -> int:
        """Delete what has been kept long enough, and return how many rows that were."""
        oldest = hour_of(self._clock() - 86400 * self._days)
        with self._engine.begin() as connection:
            return connection.execute(delete(Observation).where(Observation.hour < oldest)).rowcount

    def _add(self, seen: Observation) -> None:
        with self._even_if_it_fails(), Session(self._engine) as session, session.begin():
            session.add(seen)

    @contextmanager
    def _even_if_it_fails(self) -> Iterator[None]:
        """No film is refused because it could not be counted; the log has it."""
        try:
            yield
        except SQLAlchemyError as error:
            logger.error("An observation is lost (%s).", type(error).__name__)


def hour_of(seconds: float) -> str:
    """Name the hour of a time, seconds since the epoch, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H")
