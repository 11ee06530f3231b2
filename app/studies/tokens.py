"""Tokens of programs that use the API: each has a name, only its hash is kept, and each can be revoked."""

import hashlib
import secrets
import time
from collections.abc import Callable, Sequence
from typing import cast

from sqlalchemy import CursorResult, Engine, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.studies.database import Base, failures_named


class Token(Base):
    """One program's right to use the API.

    Attributes:
        name: Who has it, as the audit trail and the log call it.
        sha256: Of the token: it is drawn at random, so no slow hash is needed.
        created_at: Seconds since the epoch.
        revoked_at: Seconds since the epoch; None while it counts.
    """

    __tablename__ = "tokens"

    name: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[float]
    revoked_at: Mapped[float | None]


class Tokens:
    """The tokens in a database. Shared between threads and processes."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._clock = clock

    def add(self, name: str) -> str:
        """Draw a token, keep its hash, and return it.

        Raises:
            ValueError: If the name is taken, even by a token that was revoked: the audit trail has it.
        """
        token = secrets.token_urlsafe(32)
        with Session(self._engine) as session, session.begin():
            if not name.isprintable() or not name.strip() or session.get(Token, name) is not None:
                raise ValueError(f"{name!r} is no new name for a token.")
            session.add(Token(name=name, sha256=_hash(token), created_at=self._clock()))
        return token

    def revoke(self, name: str) -> bool:
        """Let a token count no longer, from the next request on; False if there is none that does."""
        with Session(self._engine) as session, session.begin():
            query = update(Token).where(Token.name == name, Token.revoked_at.is_(None)).values(revoked_at=self._clock())
            return cast(CursorResult, session.execute(query)).rowcount > 0

    @failures_named()
    def owner_of(self, token: str) -> str | None:
        """Return the name of a token that counts; None for any other text."""
        with Session(self._engine) as session:
            return session.scalar(select(Token.name).where(Token.sha256 == _hash(token), Token.revoked_at.is_(None)))

    def all(self) -> Sequence[Token]:
        """List the tokens, revoked ones too, by name."""
        with Session(self._engine) as session:
            return session.scalars(select(Token).order_by(Token.name)).all()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
