"""An analysed film as a study keeps it."""

from typing import Any

from app.analysis.analysis import AnalysedFilm
from app.studies.drawing import THUMBNAIL_SIDE, film_png, grey_png
from app.studies.header import kept_of
from app.studies.patients import origin_of


def kept_columns(analysed: AnalysedFilm, secret: str) -> dict[str, Any]:
    """Make the columns of `Study` that come of a film, its header and its answer.

    Args:
        analysed: The film.
        secret: Key of the hash that tells films of one patient.
    """
    header, evidence = analysed.radiograph.header, analysed.prediction.evidence
    return {
        "film_png": film_png(analysed.radiograph.image),
        "thumbnail_png": film_png(analysed.radiograph.image, THUMBNAIL_SIDE),
        "probability_png": grey_png(evidence.probability_map),
        "disagreement_png": grey_png(evidence.disagreement_map),
        "dicom_header": kept_of(header),
        **origin_of(header, secret),
    }
