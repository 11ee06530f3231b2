"""Who did what with which film: kept longer than the film, without a name, a picture or a value of its header.

`python -m app.studies audit` writes it all as CSV. Rows are never changed: the database itself refuses that, and
refuses to delete one before its time.
"""

import logging
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, Float, delete, insert, literal_column, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, mapped_column

from app.config import AUDIT_DAYS
from app.studies.database import Base

COLUMNS = ("at", "who", "deed", "study", "detail")

REFUSE = "SELECT RAISE(ABORT, 'audit is append-only')"
APPEND_ONLY = {
    "sqlite": {
        "audit_unchanged": f"CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit BEGIN {REFUSE}; END",
        "audit_undeleted": "CREATE TRIGGER audit_undeleted BEFORE DELETE ON audit "
        f"WHEN OLD.expires_at > CAST(strftime('%s', 'now') AS REAL) BEGIN {REFUSE}; END",
    },
    "postgresql": {
        "audit_refuse": "CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'audit is append-only'; END $$",
        "audit_unchanged": "CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit "
        "FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
        "audit_undeleted": "CREATE TRIGGER audit_undeleted BEFORE DELETE ON audit FOR EACH ROW "
        "WHEN (OLD.expires_at > extract(epoch FROM now())) EXECUTE FUNCTION audit_refuse()",
    },
}
"""By SQLAlchemy's name of a database: what guards the trail, by its name."""
GUARDS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE tgrelid = 'audit'::regclass "
    "UNION SELECT proname FROM pg_proc WHERE oid = to_regproc('audit_refuse')",
}
"""Names of those that are there."""
OWN_NOW = {"sqlite": "CAST(strftime('%s', 'now') AS REAL)", "postgresql": "extract(epoch FROM now())"}
"""Seconds since the epoch by a database's own clock, which the triggers believe."""

logger = logging.getLogger(__name__)


class Entry(Base):
    """One deed.

    Attributes:
        at: Seconds since the epoch.
        expires_at: Seconds since the epoch; from here on it may be deleted.
        who: A hash of the browser session, or a token's name, or "anybody" where the API asks for none.
        deed: "uploaded", "saw", "exported", "corrected" …, from `app.web.audit`.
        study: Id of the study, which means nothing once the film is gone; "" where there is none.
        detail: Which export; never anything of a film.
    """

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    at: Mapped[float]
    expires_at: Mapped[float] = mapped_column(index=True)
    who: Mapped[str]
    deed: Mapped[str]
    study: Mapped[str]
    detail: Mapped[str]


def guard(connection: Connection) -> None:
    """Have a database refuse to forget deeds, as far as it does not: a copy may have the table without its triggers."""
    dialect = connection.dialect.name
    found = set(connection.exec_driver_sql(GUARDS[dialect]).scalars()) if dialect in GUARDS else set()
    for name, statement in APPEND_ONLY.get(dialect, {}).items():
        if name not in found:
            connection.exec_driver_sql(statement)


class AuditTrail:
    """The deeds of all. Shared between threads.

    Attributes:
        days: How long a deed is kept.
    """

    def __init__(self, engine: Engine, days: int = AUDIT_DAYS, clock: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self.days = days
        self._clock = clock

    def note(self, who: str, deed: str, study: str = "", detail: str = "") -> None:
        """Write down a deed. Where that fails the log has it: a full disk must not hinder anybody to delete a film."""
        now = self._clock()
        row = {"at": now, "expires_at": now + 86400 * self.days, "who": who, "deed": deed}
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(Entry).values(**row, study=study, detail=detail))
        except SQLAlchemyError as error:
            logger.error("Not in the audit trail: %s %s %s %s (%s)", who, deed, study, detail, type(error).__name__)

    def purge(self) -> int:
        """Delete what has been kept long enough, by this clock and the database's; return how many rows that were."""
        due = [Entry.expires_at <= self._clock()]
        if now := OWN_NOW.get(self._engine.dialect.name):
            due.append(Entry.expires_at <= literal_column(now, Float))
        with self._engine.begin() as connection:
            return connection.execute(delete(Entry).where(*due)).rowcount

    def rows(self) -> Iterator[tuple[str, ...]]:
        """Yield every deed, the earliest first, as `COLUMNS` names its parts; times are UTC in ISO 8601."""
        query = select(Entry.at, Entry.who, Entry.deed, Entry.study, Entry.detail).order_by(Entry.id)
        with self._engine.connect() as connection:
            for at, *rest in connection.execute(query):
                yield datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds"), *rest
