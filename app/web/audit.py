"""Writes into the audit trail who did what with which film, after each request that succeeded."""

import hashlib

from flask import Blueprint, Response, g, request, session

from app.web.services import services
from app.web.session import is_fetched_ahead

DEEDS = {
    "pages.create": "uploaded",
    "pages.result": "saw",
    "pages.film": "saw",
    "worklist.compare": "saw",
    "feedback.correct": "saw",
    "feedback.save": "corrected",
    "feedback.mark_nothing": "corrected",
    "feedback.discard": "corrected",
    "feedback.judge": "judged",
    "feedback.give": "gave for training",
    "feedback.withdraw": "withdrew from training",
    "downloads.export": "exported",
    "downloads.worklist": "exported",
    "pages.delete": "deleted",
    "api.predict": "asked",
}
"""What each view lets somebody do."""

blueprint = Blueprint("audit", __name__)


def uploaded(study_id: str) -> None:
    """Note for the end of the request that this study came of it."""
    g.setdefault("uploaded", []).append(study_id)


@blueprint.after_app_request
def _note(response: Response) -> Response:
    deed = DEEDS.get(request.endpoint or "")
    if deed == "saw" and is_fetched_ahead():
        deed = "fetched ahead"  # noted all the same: whoever sends the request can look at what it brings
    if deed is None or response.status_code >= 400 and "uploaded" not in g:
        return response
    arguments = request.view_args or {}
    ids = g.get("uploaded") or [arguments.get("study_id", "")]
    if other := arguments.get("other_id"):
        ids.append(other)
    detail = arguments.get("file", "worklist.csv" if request.endpoint == "downloads.worklist" else "")
    if request.endpoint == "downloads.export" and request.args.get("deidentify") == "1":
        detail += " without identity"
    for study_id in ids:
        services().studies.audit.note(_who(), deed, study_id, detail)
    return response


def _who() -> str:
    """Name the token, or the session by a hash: the name itself is what makes its films its own."""
    if request.blueprint == "api":
        return g.get("caller", "anybody")
    return f"session {hashlib.sha256(session.get('owner', '').encode()).hexdigest()[:16]}"
