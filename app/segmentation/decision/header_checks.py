"""What a film's header says against an answer: view, body part, modality, age, size, text."""

import math

from app.segmentation.decision.doubts import Doubt, doubt
from app.segmentation.decision.population import ADULT, Population
from app.segmentation.reading.body_part import shows_chest
from app.segmentation.reading.geometry import NARROWEST_CHEST_MM, WIDEST_FILM_MM, FilmGeometry
from app.segmentation.reading.radiograph import Radiograph
from app.segmentation.reading.view import is_frontal

PLAIN_RADIOGRAPHY = ("CR", "DX", "RG")


def doubts_of_header(radiograph: Radiograph, learnt_from: Population) -> list[Doubt]:
    """List what the header says against an answer on this film."""
    return [*_of_what_is_shown(radiograph), *_of_age(radiograph.age_years, learnt_from), *_of_size(radiograph.geometry)]


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


def _of_age(years: float | None, learnt_from: Population) -> list[Doubt]:
    if years is None:
        return []
    age = f"{int(years)} years" if years >= 2 else f"{12 * years:.0f} months"
    if years < ADULT and not learnt_from.has_learnt_from_children:
        share = "few" if learnt_from.ages_known else "nobody knows how many"
        return [
            doubt(
                "under_18",
                f"The patient is {age} old by the file, under {ADULT}; {share} of the training films are children’s.",
            )
        ]
    youngest, oldest = learnt_from.ages or (0, math.inf)
    if int(years) > oldest:
        return [
            doubt(
                "age_outside_training", f"The patient is {age} old by the file; the training films go up to {oldest}."
            )
        ]
    if int(years) < youngest:
        return [
            doubt(
                "age_outside_training", f"The patient is {age} old by the file; the training films begin at {youngest}."
            )
        ]
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
