"""What a film's header says against an answer: view, body part, modality, age, size, text.

The limits of age are those of the training films: of the 2,325 whose patient's age is known, 173 are of
people under 18, and none of anyone over 87.
"""

from app.segmentation.decision.doubts import Doubt, doubt
from app.segmentation.reading.body_part import shows_chest
from app.segmentation.reading.geometry import NARROWEST_CHEST_MM, WIDEST_FILM_MM, FilmGeometry
from app.segmentation.reading.radiograph import Radiograph
from app.segmentation.reading.view import is_frontal

PLAIN_RADIOGRAPHY = ("CR", "DX", "RG")
ADULT = 18
OLDEST_LEARNT = 87


def doubts_of_header(radiograph: Radiograph) -> list[Doubt]:
    """List what the header says against an answer on this film."""
    return [*_of_what_is_shown(radiograph), *_of_age(radiograph.age_years), *_of_size(radiograph.geometry)]


def _of_what_is_shown(radiograph: Radiograph) -> list[Doubt]:
    doubts = []
    view, part = radiograph.view_position, radiograph.body_part
    if not is_frontal(view):
        message = f"The file says that this is a {view} view; the model has learnt from frontal films (PA and AP) only."
        doubts.append(doubt("not_frontal", message))
    if shows_chest(part) is False:
        doubts.append(doubt("not_chest", f"The file says that this film shows {part}; the model knows only chests."))
    if radiograph.source_format == "DICOM" and radiograph.modality not in PLAIN_RADIOGRAPHY:
        says = f"The file names the modality {radiograph.modality}" if radiograph.modality else "No modality is named"
        message = f"{says}; only {', '.join(PLAIN_RADIOGRAPHY)} are sure to be plain radiographs."
        doubts.append(doubt("unknown_modality", message))
    if radiograph.is_for_processing:
        message = "The file says that this is the detector's raw image (FOR PROCESSING), not one to look at."
        doubts.append(doubt("for_processing", message))
    if radiograph.has_burned_in_text:
        message = "The file says that text is burned into the picture (Burned In Annotation: YES)."
        doubts.append(doubt("burned_in_text", message))
    return doubts


def _of_age(years: float | None) -> list[Doubt]:
    if years is None:
        return []
    if years < ADULT:
        age = f"{int(years)} years" if years >= 2 else f"{12 * years:.0f} months"
        message = f"The patient is {age} old by the file, under {ADULT}; few of the training films are children’s."
        return [doubt("under_18", message)]
    if years > OLDEST_LEARNT:
        message = f"The patient is {int(years)} years old by the file; the training films go up to {OLDEST_LEARNT}."
        return [doubt("age_outside_training", message)]
    return []


def _of_size(geometry: FilmGeometry) -> list[Doubt]:
    if geometry.size_mm is None or geometry.credible_spacing_mm is not None:
        return []
    height, width = geometry.size_mm
    limit = (
        f"smaller than an adult’s chest ({NARROWEST_CHEST_MM} mm)"
        if min(width, height) < NARROWEST_CHEST_MM
        else f"larger than any detector for a chest ({WIDEST_FILM_MM} mm)"
    )
    message = f"By its pixel spacing this film is {width:.0f} × {height:.0f} mm, {limit}; so no area is given in mm²."
    return [doubt("doubtful_pixel_spacing", message)]
