"""What a DICOM header says of a film besides its grey levels."""

import math
from datetime import date

from pydicom.dataset import Dataset

from app.segmentation.reading.radiograph import Laterality

DESCRIPTION = (
    *("Modality", "BodyPartExamined", "ViewPosition", "PatientOrientation", "BurnedInAnnotation"),
    *("ImagerPixelSpacing", "PixelSpacing", "PatientAge", "PatientBirthDate", "StudyDate"),
)
"""The elements that are read here."""

YEARS = {"Y": 1, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}
LONGEST_CODE = 64
"""Characters; a code has 16 (PS3.5 6.2), and some machines write a sentence."""

OLDEST = 110
"""Whoever is older by the header was born on a de-identifier's date."""


def describe(dataset: Dataset) -> dict[str, object]:
    """Return fields of `Radiograph`, by name, that a header tells."""
    towards_right = str((dataset.get("PatientOrientation") or ("",))[0])[:1]
    return {
        "pixel_spacing_mm": _pixel_spacing(dataset),
        "view_position": str(dataset.get("ViewPosition") or "")[:LONGEST_CODE],
        "body_part": str(dataset.get("BodyPartExamined") or "")[:LONGEST_CODE],
        "modality": str(dataset.get("Modality") or ""),
        "age_years": _age_years(dataset),
        "has_burned_in_text": dataset.get("BurnedInAnnotation") == "YES",
        "image_left": Laterality.LEFT if towards_right == "R" else Laterality.RIGHT,
        "states_side": towards_right in ("L", "R"),
    }


def _pixel_spacing(dataset: Dataset) -> tuple[float, float] | None:
    """Imager Pixel Spacing is a distance on the detector; Pixel Spacing alone is too, unless calibrated.

    See PS3.3 10.7.1.1. A chest is magnified: neither is a distance inside the patient.
    """
    spacing = dataset.get("ImagerPixelSpacing") or dataset.get("PixelSpacing")
    if not spacing:
        return None
    row, column = (float(value) for value in spacing)
    return (row, column) if 0 < row < math.inf and 0 < column < math.inf else None


def _age_years(dataset: Dataset) -> float | None:
    """The patient's age by Patient's Age (PS3.5 6.2: 034Y, 006M …), else by the dates of birth and study.

    "000Y", and a plain number that is 0, are what de-identifiers write; other plain numbers are years.
    """
    stated = raw_text(dataset, "PatientAge")
    number, unit = (stated[:-1], stated[-1]) if stated[-1:] in YEARS else (stated, "Y")
    if number.isdecimal() and int(number) * YEARS[unit] < OLDEST and (int(number) or unit != "Y"):
        return int(number) * YEARS[unit]
    birth, study = (raw_date(dataset, keyword) for keyword in ("PatientBirthDate", "StudyDate"))
    if birth is None or study is None:
        return None
    years = (study - birth).days / 365.25
    return years if 0 <= years < OLDEST else None


def raw_date(dataset: Dataset, keyword: str) -> date | None:
    """Read a date; None where there is none or it is damaged."""
    try:
        return date.fromisoformat(raw_text(dataset, keyword).replace(".", ""))  # ACR-NEMA wrote 1997.03.01
    except ValueError:
        return None


def raw_text(dataset: Dataset, keyword: str) -> str:
    """Read a value as its bytes: pydicom would check it, and put one it finds odd into the log."""
    element = dataset.get_item(keyword)
    value = b"" if element is None or element.value is None else element.value
    return (value.decode("latin-1") if isinstance(value, bytes) else str(value)).strip(" \0")
