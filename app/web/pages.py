"""The pages: upload films, see what the model makes of each, delete them."""

import base64
import math
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PureWindowsPath
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, current_app, redirect, render_template, request, url_for
from flask_limiter import RateLimitExceeded
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.wrappers import Response as BaseResponse

from app.analysis.language import tr
from app.segmentation.errors import InvalidImageError, PleuraError
from app.segmentation.notice import NOTICE
from app.segmentation.reading.dicom_text import readable
from app.segmentation.reading.radiograph import MAX_BYTES
from app.studies.answer import Answer
from app.studies.drawing import film_png
from app.studies.masks import marked_areas
from app.studies.study import Study
from app.web.examples import offered, open_example
from app.web.intake import take_in
from app.web.limits import count_film
from app.web.listing import chosen_filter
from app.web.monitoring import observe_refusal
from app.web.problems import NO_FILE, Problem, headers_of, problem_of
from app.web.services import services
from app.web.session import is_fetched_ahead, own_study, owner, why_empty

MAX_NAME_LENGTH = 120
REFUSED_SIDE = 320
"""Longest side, in pixels, of the picture of a refused film."""

blueprint = Blueprint("pages", __name__)


@dataclass(frozen=True)
class Failure:
    """A film that has no answer, and why."""

    file_name: str
    problem: Problem
    detail: str
    picture: str | None = None
    """What the file shows, if it could be decoded at all: address (`data:`) of a PNG."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """What the answer's header says of it."""


@blueprint.get("/")
def index() -> str | BaseResponse:
    """Show the form, and this session's films; with `?example=<name>` the result of an example film."""
    if (name := request.args.get("example")) and request.method == "GET":
        return redirect(url_for(".result", study_id=open_example(name).id), 303)
    return _index([])


@blueprint.post("/studies")
def create() -> BaseResponse | tuple[str, int, Mapping[str, str]]:
    """Analyse the uploaded films.

    A script that sends one film at a time gets what to put in its place in the list; a form without
    a script is led to its result, or back to the list where it sent several.
    """
    uploads = [upload for upload in request.files.getlist("films") if upload.filename]
    outcomes = [_outcome(upload, at > 0) for at, upload in enumerate(uploads)] or [Failure("", *NO_FILE)]
    failures = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
    studies = [outcome for outcome in outcomes if isinstance(outcome, Study)]
    status, headers = (failures[0].problem.status, failures[0].headers) if failures else (201, {})
    if request.headers.get("X-Requested-With") == "XMLHttpRequest":
        return render_template("outcomes.html", outcomes=outcomes), status, headers
    if failures:
        return _index(failures), status, headers
    target = url_for(".index") if len(studies) > 1 else url_for(".result", study_id=studies[0].id)
    return redirect(target, 303)


@blueprint.get("/studies/<study_id>")
def result(study_id: str) -> str:
    """Show a film, what is marked on it, and what is to be known about the answer."""
    study = own_study(study_id)
    if not is_fetched_ahead():
        services().studies.note_seen(study)
    return render_template(
        "result.html",
        study=study,
        answer=study.answer,
        areas=marked_areas(study),
        calibrated_on=_calibrated_on(study.answer),
    )


@blueprint.get("/studies/<study_id>/film.png")
def film(study_id: str) -> Response:
    """Send a film as displayed."""
    return Response(own_study(study_id).film_png, mimetype="image/png")


@blueprint.get("/studies/<study_id>/thumbnail.png")
def thumbnail(study_id: str) -> Response:
    """Send a film small, as the list shows it."""
    study = own_study(study_id)
    return Response(study.thumbnail_png or study.film_png, mimetype="image/png")


@blueprint.get("/studies/<study_id>/probability.png")
def probability(study_id: str) -> Response:
    """Send the probability map, 0 to 255, in the network's own geometry: to be stretched over the whole film."""
    return Response(own_study(study_id).probability_png, mimetype="image/png")


@blueprint.get("/studies/<study_id>/disagreement.png")
def disagreement(study_id: str) -> Response:
    """Send the disagreement map: 255 would be 1, and 0.5 is its largest value; geometry as `probability`'s."""
    return Response(own_study(study_id).disagreement_png, mimetype="image/png")


@blueprint.get("/studies/<study_id>/mask.png")
def mask(study_id: str) -> Response:
    """Send a film's mask, in the film's own pixels."""
    return Response(own_study(study_id).answer.mask.png, mimetype="image/png")


@blueprint.post("/studies/<study_id>/keep")
def keep_longer(study_id: str) -> BaseResponse | dict[str, int]:
    """Keep a study longer, and tell a script how many seconds are left."""
    expires_at = services().studies.keep_longer(own_study(study_id))
    if request.headers.get("X-Requested-With") == "XMLHttpRequest":
        return {"seconds_left": max(0, math.ceil(expires_at - time.time()))}
    return redirect(url_for(".result", study_id=study_id, **chosen_filter().query), 303)


@blueprint.post("/studies/<study_id>/delete")
def delete(study_id: str) -> BaseResponse:
    """Delete a study now."""
    if not services().studies.delete(study_id, owner()):
        abort(404)
    return redirect(url_for(".index", **chosen_filter().query), 303)


@blueprint.app_errorhandler(PleuraError)
@blueprint.app_errorhandler(HTTPException)
def show_failure(error: PleuraError | HTTPException) -> tuple[str, int, Mapping[str, str]]:
    """Say what went wrong; of a defect of ours only the number under which the log has it."""
    problem, detail = problem_of(error)
    if isinstance(error, PleuraError) and request.endpoint == "pages.create":  # before it was even read
        observe_refusal(error)
    incident = None
    if isinstance(error, InternalServerError):
        incident = secrets.token_hex(4)
        current_app.logger.error("Incident %s: %s: %r", incident, request.endpoint, error.original_exception)
    failure = Failure("", problem, detail)
    return render_template("error.html", failure=failure, incident=incident), problem.status, headers_of(error)


@blueprint.app_context_processor
def _words() -> dict[str, object]:
    return {
        "notice": tr(NOTICE),
        "offered_examples": offered,
        "page_before": _page_before,
        "seconds_left": lambda study: max(0, math.ceil(study.expires_at - time.time())),
    }


def _page_before() -> str:
    """Return the address of the page that a form was sent from, if it is one of ours; else the list's."""
    before = urlsplit(request.referrer or "")
    if before.netloc != request.host or not before.path.startswith("/studies/"):
        return url_for("pages.index")
    return f"{before.path}?{before.query}" if before.query else before.path


def _index(failures: list[Failure]) -> str:
    reason = why_empty()  # before the page asks for its list, which begins a session
    return render_template(
        "index.html",
        why_empty=reason,
        failures=failures,
        retention_minutes=current_app.config["RETENTION_MINUTES"],
        max_bytes=MAX_BYTES,
    )


def _outcome(upload: FileStorage, is_further: bool) -> Study | Failure:
    """Take in one film of a form; of several, each but the first counts by itself, for the request counted that one."""
    try:
        if is_further:
            count_film()
        return take_in(upload.read(), _shown_name(upload))
    except (PleuraError, RateLimitExceeded) as error:
        if isinstance(error, PleuraError):
            observe_refusal(error)
        return Failure(_shown_name(upload), *problem_of(error), _picture_of(error), headers_of(error))


def _picture_of(error: Exception) -> str | None:
    """Draw what was refused, small; nothing of it is kept, so the page itself carries it."""
    if not isinstance(error, InvalidImageError) or error.picture is None:
        return None
    return "data:image/png;base64," + base64.b64encode(film_png(error.picture, REFUSED_SIDE)).decode("ascii")


def _shown_name(upload: FileStorage) -> str:
    """The last part of the path, whichever slash divides it; printable and of bounded length."""
    return readable(PureWindowsPath(upload.filename or "").name)[:MAX_NAME_LENGTH] or "film"


def _calibrated_on(answer: Answer) -> dict | None:
    """Return the counts of the validation films, or None where another model answered or they are not known."""
    predictor = services().predictor
    return predictor.metadata.metrics.get("val") if answer.model.sha256 == predictor.sha256 else None
