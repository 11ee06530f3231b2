"""What is kept for a while: a film as displayed and its answer, until it expires or is deleted.

The uploaded file itself is never kept. A study belongs to one browser session; nobody else learns that it exists.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import cast

from sqlalchemy import ColumnElement, CursorResult, func, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import sessionmaker, undefer, undefer_group

from app.config import AUDIT_DAYS
from app.segmentation.errors import PleuraError
from app.studies.answer import Answer
from app.studies.audit import AuditTrail
from app.studies.database import (
    StorageFullError,
    erase_log,
    failures_named,
    is_full,
    open_database,
    sqlite_file,
)
from app.studies.disk import Reserve
from app.studies.erasing import Eraser
from app.studies.observations import Observations
from app.studies.schema import migrate
from app.studies.study import Study
from app.studies.tokens import Tokens

MAX_STUDIES_PER_OWNER = 100
PURGE_SECONDS = 30
FULL_SECONDS = 60
"""How long a film that found no room speaks against sending others; the disk of a server elsewhere cannot be asked."""
logger = logging.getLogger(__name__)


class TooManyStudiesError(PleuraError):
    """One browser session keeps as many films as it may."""

    code = "too_many_studies"


class StudyStore:
    """The studies of all sessions. Shared between threads; processes share its database.

    Attributes:
        audit: Who did what with them.
        tokens: Who may send films without a browser.
        observations: Figures of answers, without whose they are.
    """

    def __init__(
        self,
        url: str,
        retention_seconds: float,
        clock: Callable[[], float] = time.time,
        most_bytes: int = 0,
        audit_days: int = AUDIT_DAYS,
        longest_seconds: float = 0,
    ) -> None:
        """Open the database, and bring its tables to this version.

        Args:
            url: SQLAlchemy's URL of the database.
            retention_seconds: How long a study is kept.
            clock: Seconds since the epoch.
            most_bytes: How much all sessions together may keep; 0: what the disk holds.
            audit_days: How long a deed is kept.
            longest_seconds: How long a study is kept at most where its reader asks for more than `retention_seconds`.

        Raises:
            SettingError: If a later version of this program made the tables.
        """
        file = sqlite_file(url)
        self.engine = open_database(url)
        self._eraser = Eraser(self.engine, None if file is None else Reserve(file))
        self.most_bytes = most_bytes
        self.retention_seconds = retention_seconds
        self.longest_seconds = max(longest_seconds, retention_seconds)
        self.clock = clock
        self._session = sessionmaker(self.engine, expire_on_commit=False)
        self._closed = threading.Event()
        self._full_at = float("-inf")
        self.audit = AuditTrail(self.engine, audit_days, clock)
        self.tokens = Tokens(self.engine, clock)
        self.observations = Observations(self.engine, audit_days, clock)
        self._eraser.even_if_full(lambda: migrate(self.engine))
        self._inode = file.stat().st_ino if file is not None else 0
        self._keep_reserve()

    @failures_named()
    def add(self, owner: str, file_name: str, answer: Answer, **columns: object) -> Study:
        """Keep a film and its answer until they expire.

        Args:
            owner: Name of the browser session.
            file_name: As the browser gave it.
            answer: To the film.
            columns: Every picture of `Study`, and what else is known of the film.

        Raises:
            TooManyStudiesError: If this session keeps as many as it may.
            StorageFullError: If all together do, or the disk is full.
        """
        self.check_room(owner)
        now = self.clock()
        pictures = [value for value in columns.values() if isinstance(value, bytes)]
        study = Study(
            id=answer.id,
            owner=owner,
            file_name=file_name,
            created_at=now,
            expires_at=now + self.retention_seconds,
            answer=answer,
            size_bytes=sum(map(len, pictures)),
            **columns,
        )
        try:
            with self._session.begin() as session:
                session.add(study)
        except SQLAlchemyError as error:
            if is_full(error):
                self._full_at = time.monotonic()
            raise
        self._full_at = float("-inf")
        erase_log(self.engine)  # what is only in the log needs room twice when it is deleted
        return study

    @failures_named()
    def check_room(self, owner: str) -> None:
        """Refuse another film, before it is analysed for nothing.

        Raises:
            TooManyStudiesError: If this session keeps as many as it may.
            StorageFullError: If all together do, or the disk is full.
        """
        with self._session() as session:
            kept = session.scalar(select(func.count(Study.id)).where(*self._visible(owner))) or 0
            all_bytes = session.scalar(select(func.sum(Study.size_bytes))) or 0
        if self.most_bytes and all_bytes >= self.most_bytes:
            raise StorageFullError(
                f"All readers together keep {all_bytes // 2**20} MiB of films, as many as they may. "
                "Delete films that you no longer need, or wait until some expire."
            )
        if self._eraser.reserve is not None:
            self._eraser.reserve.check()
        if kept >= MAX_STUDIES_PER_OWNER:
            raise TooManyStudiesError(f"This browser session keeps {kept} films already. Delete some of them, or wait.")

    @failures_named()
    def get(self, study_id: str, owner: str) -> Study | None:
        """Return a session's own study with its film; None if there is none, or no longer."""
        with self._session() as session:
            query = select(Study).options(undefer_group("pictures")).where(Study.id == study_id, *self._visible(owner))
            return session.scalar(query)

    @failures_named()
    def list_of(self, owner: str) -> Sequence[Study]:
        """Return a session's studies without their films, the latest first."""
        with self._session() as session:
            visible = select(Study).where(*self._visible(owner)).order_by(Study.created_at.desc())
            query = visible.options(undefer(Study.dicom_header))  # the list says whose films these are
            return session.scalars(query).all()

    @failures_named()
    def update(self, study_id: str, owner: str, **columns: object) -> bool:
        """Change what is kept of a session's own study; False if there is none."""
        with self._session.begin() as session:
            changed = session.execute(update(Study).where(Study.id == study_id, *self._visible(owner)).values(columns))
        if "corrected_png" in columns:
            erase_log(self.engine)  # it may hold the mask that was replaced
        return cast(CursorResult, changed).rowcount > 0

    def note_seen(self, study: Study) -> None:
        """Note that a study's result was opened; only the first time counts."""
        if study.seen_at is None:
            self.note(study, seen_at=self.clock())

    def note(self, study: Study, **columns: object) -> None:
        """Keep what nobody asked to keep. Where that fails the log has it: it must not hinder anybody to read."""
        try:
            self.update(study.id, study.owner, **columns)
        except PleuraError as error:
            logger.error("Not kept: %s of %s (%s)", ", ".join(columns), study.id, error.code)

    def keep_longer(self, study: Study) -> float:
        """Keep a study for another `retention_seconds` from now, up to `longest_seconds` in all.

        Returns:
            When it expires now, seconds since the epoch.
        """
        expires_at = min(self.clock() + self.retention_seconds, study.created_at + self.longest_seconds)
        if expires_at > study.expires_at and self.update(study.id, study.owner, expires_at=expires_at):
            return expires_at
        return study.expires_at

    @failures_named()
    def delete(self, study_id: str, owner: str) -> bool:
        """Delete a session's own study for good; False if there is none."""
        return self._eraser.erase(Study.id == study_id, *self._visible(owner)) > 0

    @failures_named()
    def purge(self) -> int:
        """Delete every expired study for good, and deeds in their time; return how many studies there were."""
        count = self._eraser.erase(Study.expires_at <= self.clock())
        self.audit.purge()
        self.observations.purge()
        self._keep_reserve()
        return count

    def objection(self) -> str:
        """Say why films cannot be kept at present; "" if they can."""
        try:
            self.check_room("")
        except PleuraError as error:
            return str(error)
        if time.monotonic() - self._full_at < FULL_SECONDS:
            return "The disk of the database was full when the latest film came."
        if self._file_is_gone():
            return "The database's file was deleted or replaced; restart the server."
        return ""

    def start_purging(self, every_seconds: float = PURGE_SECONDS) -> threading.Thread:
        """Purge in the background until `close`. Every worker may: deleting twice does no harm."""
        thread = threading.Thread(target=self._keep_purging, args=(every_seconds,), name="purge", daemon=True)
        thread.start()
        return thread

    def close(self) -> None:
        """Stop purging, and let go of the database."""
        self._closed.set()
        self.engine.dispose()

    def _visible(self, owner: str) -> tuple[ColumnElement[bool], ...]:
        return Study.owner == owner, Study.expires_at > self.clock()

    def _keep_reserve(self) -> None:
        if self._eraser.reserve is not None:
            self._eraser.reserve.make()

    def _file_is_gone(self) -> bool:
        file = sqlite_file(str(self.engine.url))
        return file is not None and (not file.exists() or file.stat().st_ino != self._inode)

    def _keep_purging(self, every_seconds: float) -> None:
        while not self._closed.wait(every_seconds):
            try:
                self.purge()
            except (PleuraError, SQLAlchemyError, OSError):
                logger.exception("Expired films could not be deleted; trying again in %g s", every_seconds)
