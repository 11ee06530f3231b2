"""The browser session that a request belongs to, and the studies that are its own."""

import secrets

from flask import abort, request, session

from app.studies.reading_order import Worklist
from app.studies.store import Study
from app.web.services import services


def owner() -> str:
    """Return the random name of this browser session, kept in its signed cookie."""
    return session.setdefault("owner", secrets.token_urlsafe(24))


def client() -> str:
    """Name whom to be fair to: the browser session, if it is one that had a page before; else the address."""
    return session.get("owner") or f"address {request.remote_addr}"


def own_study(study_id: str) -> Study:
    """Return this session's study with its pictures, or answer 404."""
    return services().studies.get(study_id, owner()) or abort(404)


def own_worklist() -> Worklist:
    """List this session's films."""
    return Worklist(services().studies.list_of(owner()))
