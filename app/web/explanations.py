"""The explanations of a study's score: computed when asked for, kept with the study, deleted with it.

The page's script asks, so failures are problem documents (RFC 9457), as the JSON API's are.
"""

import json
from collections.abc import Iterator

from flask import Blueprint, Response, abort
from werkzeug.exceptions import HTTPException

from app.analysis import wording
from app.analysis.language import mark, tr
from app.analysis.saliency import Saliency
from app.segmentation.errors import PleuraError
from app.studies.store import StudyStore
from app.studies.study import Study
from app.web.problems import Problem, failure_answer, problem_answer, report_incident, said
from app.web.services import services
from app.web.session import own_study, owner

NOTHING_TO_EXPLAIN = Problem(409, "nothing_to_explain", mark("There is nothing to explain"))
OTHER_MODEL = Problem(409, "other_model", mark("Another model gave this answer"))
BUSY = Problem(503, "explanation_busy", mark("Another film is being explained"))
RETRY_SECONDS = 30

blueprint = Blueprint("explanations", __name__, url_prefix="/studies/<study_id>/explanations")


@blueprint.get("")
def kept(study_id: str) -> dict:
    """Send what has been computed before; None for what has not."""
    study = own_study(study_id)
    return {"activations": study.activations, "occlusion": study.occlusion}


@blueprint.post("/activations")
def activations(study_id: str) -> dict:
    """Explain by Grad-CAM and feature maps."""
    study = _explainable(study_id)
    if study.activations is None:
        study.activations = services().saliency.activations(study.film_png, owner())
        services().studies.note(study, activations=study.activations)
    return study.activations


@blueprint.post("/occlusion")
def occlusion(study_id: str) -> Response:
    """Explain by occlusion: the map so far, again and again, a line of JSON each. Who stops reading stops the work."""
    study = _explainable(study_id)
    if study.occlusion is not None:
        return _stream(iter([study.occlusion]))
    if not services().saliency.start_occlusion():
        answer = problem_answer(
            *said(BUSY, tr("That takes minutes, and is done for one film at a time. Try again later."))
        )
        answer.headers["Retry-After"] = str(RETRY_SECONDS)
        abort(answer)
    answer = _stream(_occlude_and_keep(study, services().saliency, services().studies))
    answer.call_on_close(services().saliency.end_occlusion)  # also where the reader left before the first line
    return answer


@blueprint.errorhandler(PleuraError)
@blueprint.errorhandler(HTTPException)
def _refuse(error: PleuraError | HTTPException) -> Response:
    return failure_answer(error)


blueprint.register_error_handler(Exception, report_incident)


def _occlude_and_keep(study: Study, saliency: Saliency, studies: StudyStore) -> Iterator[dict]:
    step = None
    for step in saliency.occlusion(study.film_png):
        yield step
    studies.note(study, occlusion=step)


def _stream(steps: Iterator[dict]) -> Response:
    answer = Response((f"{json.dumps(step)}\n" for step in steps), mimetype="application/x-ndjson")
    answer.headers["X-Accel-Buffering"] = "no"  # nginx would gather the lines
    return answer


def _explainable(study_id: str) -> Study:
    """Return this session's study, or refuse what cannot be explained."""
    study = own_study(study_id)
    if study.answer.is_withheld:
        means = tr("{finding}. Its score means nothing.", finding=wording.conclusion(study.answer))
        abort(problem_answer(*said(NOTHING_TO_EXPLAIN, means)))
    if study.answer.model.sha256 != services().saliency.predictor.sha256:
        changed = tr("The server has loaded another model since. Upload the film again.")
        abort(problem_answer(*said(OTHER_MODEL, changed)))
    return study
