"""The masks of a study: the model's, the reader's own, and the one that the reader vouches for.

Unless it says "as stored", a mask has the pixels of the film as displayed, in which the reader draws.
"""

import io
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from app.segmentation.decision.calibration import Finding
from app.segmentation.errors import PleuraError
from app.studies.drawing import contour_path, greys_of
from app.studies.resizing import resized
from app.studies.study import Study

LONGEST_OUTLINE = 200_000
"""Edges between marked and unmarked pixels: fifty times around a film."""
MOST_REGIONS = 500
"""Separate areas: exports describe each."""
EDGES = (np.s_[1:], np.s_[:-1]), (np.s_[:, 1:], np.s_[:, :-1])


class InvalidMaskError(PleuraError):
    """What was sent is no mask of the film."""

    code = "invalid_mask"


@dataclass(frozen=True)
class Area:
    """What somebody marks on a film, as the pages draw it.

    Attributes:
        layer: As the pages' scripts name it: "area" counts; "model" is the model's, where the reader drew another.
        title: As the page names it.
        whose: Who marks it.
        contour: Data of an SVG path, in the pixels of the film as stored.
    """

    layer: str
    title: str
    whose: str
    contour: str


def marked_areas(study: Study) -> list[Area]:
    """List what is marked on a film: the reader's mask before the model's; neither where it is empty."""
    areas = [counting_area(study)]
    if study.corrected_png:
        contour = contour_path(_decoded(study.answer.mask.png, _stored_size(study)))
        areas.append(Area("model", "Model’s area", "the model", contour))
    return [area for area in areas if area.contour]


def counting_area(study: Study) -> Area:
    """Return what the mask that counts marks, the reader's before the model's; its contour may be empty."""
    title, whose = ("Your mask", "you") if study.corrected_png else ("Area", "the model")
    return Area("area", title, whose, contour_path(stored_mask(study)))


def stored_mask(study: Study) -> np.ndarray:
    """Return the reader's mask if there is one, else the model's: bool, in the pixels of the film as stored."""
    return _decoded(study.corrected_png or study.answer.mask.png, _stored_size(study))


def displayed_size(study: Study) -> tuple[int, int]:
    """(W, H) of the film as displayed, in pixels."""
    return Image.open(io.BytesIO(study.film_png)).size


def model_mask(study: Study) -> np.ndarray:
    """Return the model's mask, bool (H, W)."""
    return _decoded(study.answer.mask.png, displayed_size(study))


def reader_mask(study: Study) -> np.ndarray | None:
    """Return the mask that the reader drew, bool (H, W), if there is one."""
    return read_mask(study.corrected_png, displayed_size(study)) if study.corrected_png else None


def vouched_mask(study: Study) -> np.ndarray | None:
    """Return the mask that the reader vouches for, bool (H, W), if there is one.

    It is the one that the reader drew; or the model's, where its answer is "right" and tells. Of an example film there
    is none: nothing is to be learnt from what a program drew.
    """
    if study.example:
        return None
    drawn = reader_mask(study)
    return model_mask(study) if drawn is None and study.verdict == "right" and tells(study) else drawn


def tells(study: Study) -> bool:
    """Whether the answer says where a pneumothorax is, or that there is none.

    An indeterminate answer does neither, nor does a positive one without a marked area.
    """
    finding = study.answer.finding
    return finding is Finding.NEGATIVE or (finding is Finding.POSITIVE and bool(study.answer.regions))


def read_mask(data: bytes, size: tuple[int, int]) -> np.ndarray:
    """Read a drawn mask.

    Args:
        data: A PNG; what is at least half bright is marked.
        size: (W, H) that it must have, in pixels.

    Returns:
        bool (H, W).

    Raises:
        InvalidMaskError: If it is no PNG, or of another size.
    """
    try:
        picture = Image.open(io.BytesIO(data), formats=["PNG"])
        if picture.size != size:
            found, wanted = ("{} × {}".format(*pixels) for pixels in (picture.size, size))
            raise InvalidMaskError(f"The mask has {found} pixels, the film {wanted}. Draw it anew.")
        mask = np.asarray(picture.convert("L")) >= 128
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InvalidMaskError("What was sent as a mask is no PNG, or a damaged one. Draw it anew.") from error
    _refuse_dust(mask)
    return mask


def _refuse_dust(mask: np.ndarray) -> None:
    """Refuse a mask of so many dots, holes or bays that to trace and draw them would take minutes."""
    outline = sum(int(np.count_nonzero(mask[a] != mask[b])) for a, b in EDGES)
    if outline > LONGEST_OUTLINE:
        raise InvalidMaskError(
            f"The outline of the mask is {outline:,} pixels long; {LONGEST_OUTLINE:,} is the limit. "
            "Draw areas, not dots."
        )
    regions = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)[0] - 1
    if regions > MOST_REGIONS:
        raise InvalidMaskError(
            f"The mask has {regions:,} separate areas; {MOST_REGIONS} is the limit. Draw areas, not dots."
        )


def _stored_size(study: Study) -> tuple[int, int]:
    return study.answer.mask.width, study.answer.mask.height


def _decoded(png: bytes, size: tuple[int, int]) -> np.ndarray:
    return resized(greys_of(png) > 127, size[::-1])
