"""What the reader says of an answer: right, wrong, or another mask; and films given for training.

A verdict and a drawn mask belong to the study and are deleted with it. Only where the operator named a folder, and
only for a film whose reader explicitly said so, a copy goes into the training set.
"""

import hmac
from typing import Any

import numpy as np
from flask import Blueprint, Response, abort, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from app.analysis.language import mark
from app.segmentation.errors import PleuraError
from app.studies.drawing import mask_png
from app.studies.masks import displayed_size, model_mask, read_mask, reader_mask, tells, vouched_mask
from app.studies.study import Study
from app.web.listing import chosen_filter
from app.web.monitoring import observe_verdict
from app.web.services import services
from app.web.session import own_study, owner

VERDICTS = ("right", "wrong")
LABEL_SOURCE = "reader_mask"
ID_LENGTH = 24

blueprint = Blueprint("feedback", __name__, url_prefix="/studies/<study_id>")


@blueprint.post("/verdict")
def judge(study_id: str) -> BaseResponse:
    """Note that the answer is right or wrong, or take that back."""
    study, verdict = own_study(study_id), request.form.get("verdict", "")
    if verdict and verdict not in VERDICTS:
        abort(400)
    if verdict and study.answer.is_withheld:
        abort(409, mark("The answer is withheld: there is nothing to judge. If you see a pneumothorax, draw it."))
    if study.corrected_png:
        abort(409, mark("You have drawn another mask of this film. Discard it before you judge the model's."))
    return _change(study, verdict=verdict or None)


@blueprint.get("/correct")
def correct(study_id: str) -> str:
    """Show the film with its mask, to be drawn on."""
    study = own_study(study_id)
    return render_template("correct.html", study=study, answer=study.answer, size=displayed_size(study))


@blueprint.post("/correct")
def save(study_id: str) -> BaseResponse:
    """Keep the reader's mask; the answer was wrong, then, unless it was withheld.

    A model's mask that is sent back as it was is no correction, unless the answer had left open whether to believe it.
    """
    study = own_study(study_id)
    drawn = read_mask(request.files["mask"].read() if "mask" in request.files else b"", displayed_size(study))
    return _keep(study, drawn)


@blueprint.post("/correct/nothing")
def mark_nothing(study_id: str) -> BaseResponse:
    """Keep an empty mask: the reader sees no pneumothorax on this film."""
    study = own_study(study_id)
    width, height = displayed_size(study)
    return _keep(study, np.zeros((height, width), dtype=bool))


@blueprint.post("/correct/discard")
def discard(study_id: str) -> BaseResponse:
    """Go back to the model's mask."""
    return _change(own_study(study_id), corrected_png=None)


@blueprint.get("/model_mask.png")
def model_mask_picture(study_id: str) -> Response:
    """Send the model's mask, in the pixels of the film as displayed."""
    return Response(mask_png(model_mask(own_study(study_id))), mimetype="image/png")


@blueprint.get("/reader_mask.png")
def reader_mask_picture(study_id: str) -> Response:
    """Send the mask that the reader drew, in the same pixels."""
    return Response(own_study(study_id).corrected_png or abort(404), mimetype="image/png")


@blueprint.post("/training")
def give(study_id: str) -> BaseResponse:
    """Put a copy into the training set, if there is one and the reader said so."""
    study, films = own_study(study_id), services().training_set
    mask = vouched_mask(study)
    if films is None or mask is None or request.form.get("consent") != "yes":
        abort(400)
    row = _manifest_row(study)
    if not services().studies.update(study.id, owner(), training_id=row["image_id"]):
        abort(404)
    try:
        films.add(row, study.film_png, mask_png(mask))  # last: there must be no copy that cannot be withdrawn
    except PleuraError:
        services().studies.note(study, training_id=None)
        raise
    now, given = services().studies.get(study.id, owner()), (row["image_id"], study.verdict, study.corrected_png)
    if now is None or (now.training_id, now.verdict, now.corrected_png) != given:
        return _change(study)  # the reader said something else meanwhile, in another tab: this copy is none of it
    return _back(study)


@blueprint.post("/training/withdraw")
def withdraw(study_id: str) -> BaseResponse:
    """Delete the copy that was given."""
    return _change(own_study(study_id))


@blueprint.app_context_processor
def _words() -> dict[str, object]:
    return {
        "asks_for_films": services().training_set is not None,
        "can_be_given": lambda study: vouched_mask(study) is not None,
        "drawn_share": _drawn_share,
    }


def _drawn_share(study: Study) -> float:
    """How much of the film the reader has marked."""
    mask = reader_mask(study)
    return 0.0 if mask is None else float(mask.mean())


def _image_id(study: Study) -> str:
    """Name a study's copy, so that it can be found whatever the study says of it."""
    key = current_app.config["SECRET_KEY"].encode()
    return hmac.digest(key, study.id.encode(), "sha256").hex()[:ID_LENGTH]


def _manifest_row(study: Study) -> dict[str, str]:
    """Describe a film without a word of its header. A second copy of a study takes the place of the first."""
    image_id = _image_id(study)
    return {
        "image_id": image_id,
        "patient_id": (study.patient_key or image_id)[:ID_LENGTH],
        "split": "train",  # who knows which other films there are of the patient may move it
        "label_source": LABEL_SOURCE,
        "drawn": "yes" if study.corrected_png else "no",
        "finding": str(study.answer.finding),
        "probability": f"{study.answer.probability:.4f}",
        "model": study.answer.model.short_hash,
    }


def _keep(study: Study, drawn: np.ndarray) -> BaseResponse:
    if tells(study) and np.array_equal(drawn, model_mask(study)):
        return _change(study, corrected_png=None)
    verdict = None if study.answer.is_withheld else "wrong"
    return _change(study, verdict=verdict, corrected_png=mask_png(drawn))


def _change(study: Study, **columns: Any) -> BaseResponse:
    """Change what the reader said. A copy given for training said something else: it is taken back first.

    And once more afterwards: another tab may have given it meanwhile. Who gives looks again, too, so none is left.
    """
    films = services().training_set
    if films is not None:
        films.remove(_image_id(study))
    if not services().studies.update(study.id, owner(), training_id=None, **columns):
        abort(404)
    if films is not None:
        films.remove(_image_id(study))
    if "verdict" in columns:
        observe_verdict(study, columns["verdict"])
    return _back(study)


def _back(study: Study) -> BaseResponse:
    return redirect(url_for("pages.result", study_id=study.id, _anchor="feedback", **chosen_filter().query), 303)
