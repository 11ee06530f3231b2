"""The browser session that a request belongs to, and the studies that are its own."""

import secrets

from flask import abort, current_app, request, session

from app.analysis.language import tr
from app.studies.reading_order import Worklist
from app.studies.study import Study
from app.web.services import services


def owner() -> str:
    """Return the random name of this browser session, kept in its signed cookie."""
    return session.setdefault("owner", secrets.token_urlsafe(24))


def client() -> str:
    """Name whom to be fair to: the browser session, if it is one that had a page before; else the address."""
    return session.get("owner") or f"address {request.remote_addr}"


def is_fetched_ahead() -> bool:
    """Say whether the page asks for a film before its reader does."""
    return request.headers.get("X-Purpose") == "prefetch"


def note_film() -> None:
    """Remember that this session had a film, to say later why it has none."""
    session["had_films"] = True


def why_empty() -> str:
    """Say why a list without films is empty."""
    if not session and current_app.config["SESSION_COOKIE_NAME"] in request.cookies:
        return tr(
            "The server does not know this browser session any more: it was restarted, or the session ended. "
            "Earlier films cannot be shown. Send them again."
        )
    if session.get("had_films"):
        return tr("No films are left: you deleted them, or their time was over. Send them again to see them.")
    return tr("None yet. Results appear here, the most suspicious first.")


def own_study(study_id: str) -> Study:
    """Return this session's study with its pictures, or answer 404."""
    return services().studies.get(study_id, owner()) or abort(404)


def own_worklist() -> Worklist:
    """List this session's films."""
    return Worklist(services().studies.list_of(owner()))
