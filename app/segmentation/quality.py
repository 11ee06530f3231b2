"""Is this a usable frontal chest film? Reason codes for when not to trust the answer.

The checks of grey levels were measured on the 5,406 training films. They flag six: one of hardly any
contrast, one with an eighth of it white, two that are inverted and two that are upside down.
"""

import re
from dataclasses import dataclass

import numpy as np

from app.segmentation.radiograph import NARROWEST_CHEST_MM, Radiograph

LEARNT_SIDE = 512
MAX_ASPECT_RATIO = 1.5
MIN_SPAN = 0.3
MAX_WHITE_SHARE = 0.05
MAX_BLACK_SHARE = 0.65  # a film in a wide black frame has up to 0.62
MIN_ABDOMEN_ABOVE_LUNGS = -0.5
SAMPLED_SIDE = 256
MIN_FILM_SIDE = 32
NOT_FRONTAL = {"LL", "RL", "LAT", "LATERAL", "LLD", "RLD", "LLO", "RLO", "OBLIQUE", "DECUBITUS"}
CHEST = ("CHEST", "THORA", "LUNG", "RIB", "TORSO", "TRUNK")


@dataclass(frozen=True)
class QualityFlag:
    """One reason for doubt.

    Attributes:
        code: Stable, for programs: lower_snake_case.
        severity: "info" or "warning".
        message: A sentence for a person.
    """

    code: str
    severity: str
    message: str


def assess(radiograph: Radiograph) -> tuple[QualityFlag, ...]:
    """List the reasons to doubt an answer on this film; none is the usual case."""
    return (*_doubts_of_header(radiograph), *_doubts_of_format(radiograph), *_doubts_of_grey_levels(radiograph.image))


def _doubts_of_header(radiograph: Radiograph) -> list[QualityFlag]:
    flags = []
    view, part = radiograph.view_position.upper(), radiograph.body_part.upper()
    if NOT_FRONTAL & set(re.findall("[A-Z]+", view)):
        message = f"The file says that this is a {view} view; the model has learnt from frontal films (PA and AP) only."
        flags.append(QualityFlag("not_frontal", "warning", message))
    if part and not any(name in part for name in CHEST):
        message = f"The file says that this film shows {part}; the model knows nothing but chests."
        flags.append(QualityFlag("not_chest", "warning", message))
    if radiograph.size_mm is not None and min(radiograph.size_mm) < NARROWEST_CHEST_MM:
        height, width = radiograph.size_mm
        message = (
            f"By its pixel spacing this film is {width:.0f} × {height:.0f} mm, smaller than an adult's chest; "
            "so no area is given in mm²."
        )
        flags.append(QualityFlag("doubtful_pixel_spacing", "info", message))
    return flags


def _doubts_of_format(radiograph: Radiograph) -> list[QualityFlag]:
    flags = []
    height, width = radiograph.image.shape
    if min(height, width) < LEARNT_SIDE:
        message = f"The film has only {width} × {height} pixels; a thin pleural line may be lost."
        flags.append(QualityFlag("low_resolution", "warning", message))
    if max(height, width) > MAX_ASPECT_RATIO * min(height, width):
        message = (
            f"The film is {width} × {height} pixels, unusually long for a chest film; it may be cut or not frontal."
        )
        flags.append(QualityFlag("unusual_aspect_ratio", "warning", message))
    if radiograph.is_colour:
        message = "The picture is coloured, like a photograph or a screenshot; use the original film where you can."
        flags.append(QualityFlag("colour_image", "warning", message))
    return flags


def _doubts_of_grey_levels(image: np.ndarray) -> list[QualityFlag]:
    step = max(1, min(image.shape) // SAMPLED_SIDE)
    sample = image[::step, ::step]
    darkest, brightest = np.percentile(sample, [1, 99])
    if brightest - darkest < MIN_SPAN:
        message = "The film has hardly any contrast; it may be blank or badly windowed."
        return [QualityFlag("low_contrast", "warning", message)]
    flags = []
    white, black = float((sample >= 254 / 255).mean()), float((sample <= 1 / 255).mean())
    if white > MAX_WHITE_SHARE or black > MAX_BLACK_SHARE:
        message = (
            f"{white:.0%} of the film is pure white and {black:.0%} pure black; details may have been cut off there."
        )
        flags.append(QualityFlag("clipped", "warning", message))
    if _abdomen_above_lungs(sample) < MIN_ABDOMEN_ABOVE_LUNGS:
        message = "The film looks inverted, with dark bone and bright lungs, or upside down; turn it and send it again."
        flags.append(QualityFlag("inverted_suspected", "warning", message))
    return flags


def _abdomen_above_lungs(image: np.ndarray) -> float:
    """How much brighter the upper abdomen is than the lung fields, in standard deviations.

    Of the 5,406 training films, inverted, all but 60 lie below the limit.
    """
    film = _without_black_frame(image)
    height, width = film.shape

    def mean(top: float, bottom: float, left: float, right: float) -> float:
        return float(film[int(top * height) : int(bottom * height), int(left * width) : int(right * width)].mean())

    lungs = (mean(0.25, 0.55, 0.20, 0.35) + mean(0.25, 0.55, 0.65, 0.80)) / 2
    return (mean(0.80, 0.95, 0.35, 0.65) - lungs) / float(film.std())


def _without_black_frame(image: np.ndarray) -> np.ndarray:
    """Cut off the outer rows and columns of which less than 30 % is lit, such as a viewer's margin."""
    lit = image > 3 / 255
    rows, columns = np.flatnonzero(lit.mean(axis=1) > 0.3), np.flatnonzero(lit.mean(axis=0) > 0.3)
    if min(rows.size, columns.size) < MIN_FILM_SIDE:
        return image
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
