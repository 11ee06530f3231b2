"""What a DICOM header says of a film besides its grey levels."""

import math
from collections.abc import Iterable, Iterator
from typing import Any

from pydicom.dataset import Dataset

from app.segmentation.reading import body_part, modality, view
from app.segmentation.reading.dicom_text import CharacterSet, readable
from app.segmentation.reading.dicom_values import integer, numbers
from app.segmentation.reading.file_header import LOSSY, Code, FileHeader
from app.segmentation.reading.geometry import Laterality
from app.segmentation.reading.vocabulary import words

TEXTS = (
    *("PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex", "PatientAge"),
    *("StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "AccessionNumber"),
    *("ReferringPhysicianName", "StudyDescription", "AcquisitionDate", "ContentDate"),
    *("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "Modality"),
    *("BodyPartExamined", "ViewPosition", "PatientOrientation", "BurnedInAnnotation"),
    *("PresentationIntentType", "Manufacturer", "ManufacturerModelName"),
    *LOSSY,
)
"""Elements of text that are read here: all that anybody ever asks of a header."""

COUNTS = ("Rows", "Columns")
"""Elements of whole numbers that are read here."""

CODES = ("AnatomicRegionSequence", "ViewCodeSequence", "PatientOrientationCodeSequence")
MODIFIERS = ("AnatomicRegionModifierSequence", "ViewModifierCodeSequence", "PatientOrientationModifierCodeSequence")
"""Sequences of codes that are read here; the latter lie inside of items of the former, or beside them."""

VIEWS = (*MODIFIERS, "ViewCodeSequence")
"""Those that may name a view: decubitus modifies the region or the orientation (PS3.3 C.8.11.2.1.1)."""

MOST_ITEMS = 16
"""Of a sequence; a header that is meant seriously has one or two."""

RAW_CLASSES = ("1.2.840.10008.5.1.4.1.1.1.1.1",)
"""Digital X-Ray Image Storage - For Processing."""

SPACINGS = ("ImagerPixelSpacing", "PixelSpacing", "NominalScannedPixelSpacing")
"""The sooner, the surer it is a distance on the detector."""

CALIBRATED = "PixelSpacingCalibrationType"
"""By it Pixel Spacing is a distance elsewhere: GEOMETRY or FIDUCIAL, at the depth of something in the patient."""

DESCRIPTION = (*TEXTS, *COUNTS, *SPACINGS, CALIBRATED, *CODES, *MODIFIERS, "SpecificCharacterSet")
"""The elements that are read here."""

YEARS = {"Y": 1, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}
LONGEST_BYTES, LONGEST_TEXT = 8192, 1024
"""Of an element; the longest that the standard allows in one of them is a name of 3 × 64 characters."""

LONGEST_CODE = 64
"""Characters; a code has 16 (PS3.5 6.2), and some machines write a sentence."""

NAME_DELIMITERS = b"\\^="

OLDEST = 110
"""Whoever is older by the header was born on a de-identifier's date."""


def describe(dataset: Dataset) -> dict[str, Any]:
    """Return fields of `Radiograph`, by name, that a header tells."""
    header = read_header(dataset)
    orientation = header.text("PatientOrientation")
    towards_right = orientation[:1].upper()
    return {
        "header": header,
        "pixel_spacing_mm": _pixel_spacing(dataset),
        "view_position": view.named_by(header.text("ViewPosition"), header.codes_in(*VIEWS), orientation)[
            :LONGEST_CODE
        ],
        "body_part": body_part.named_by(header.text("BodyPartExamined"), header.codes_in(CODES[0]))[:LONGEST_CODE],
        "modality": modality.named_by(header.text("Modality"))[:LONGEST_CODE],
        "age_years": _age_years(header),
        "has_burned_in_text": header.text("BurnedInAnnotation").upper() == "YES",
        "is_for_processing": words(header.text("PresentationIntentType")) in (["FOR", "PROCESSING"], ["FORPROCESSING"])
        or header.text("SOPClassUID") in RAW_CLASSES,
        "image_left": Laterality.LEFT if towards_right == "R" else Laterality.RIGHT,
        "states_side": towards_right in ("L", "R"),
    }


def read_header(dataset: Dataset) -> FileHeader:
    """Take every text and code out of a data set, as they were before pydicom checked or warned of any."""
    characters = CharacterSet.named(text_of(dataset, "SpecificCharacterSet"))
    texts = {keyword: _text(dataset, keyword, characters) for keyword in TEXTS}
    texts |= {keyword: str(integer(dataset, keyword) or "") for keyword in COUNTS}
    codes = {keyword: tuple(_codes(dataset, keyword, characters)) for keyword in (*CODES, *MODIFIERS)}
    return FileHeader(
        {keyword: text for keyword, text in texts.items() if text},
        {keyword: entries for keyword, entries in codes.items() if entries},
    )


def text_of(dataset: Dataset, keyword: str) -> str:
    """Return one text of a data set in ASCII, such as a code; "" if there is none."""
    return _text(dataset, keyword, CharacterSet())


def _text(dataset: Dataset, keyword: str, characters: CharacterSet) -> str:
    value = _stored(dataset, keyword)
    if isinstance(value, bytes):
        value = characters.decode(value[:LONGEST_BYTES], NAME_DELIMITERS if keyword.endswith("Name") else b"\\")
    return "\\".join(readable(part) for part in value[:LONGEST_TEXT].split("\\"))


def _codes(dataset: Dataset, keyword: str, characters: CharacterSet) -> Iterator[Code]:
    """Read the entries of a sequence, and of those inside of other sequences where it modifies their items."""
    for item in _items(dataset, keyword):
        yield Code(*(_text(item, part, characters) for part in ("CodeValue", "CodingSchemeDesignator", "CodeMeaning")))
    if keyword in MODIFIERS:
        for item in (item for outer in CODES for item in _items(dataset, outer)):
            yield from _codes(item, keyword, characters)


def _items(dataset: Dataset, keyword: str) -> list[Dataset]:
    """The first items of a sequence; none of one that is damaged, without which the film can be read."""
    try:
        return [item for item in (dataset.get(keyword) or ())[:MOST_ITEMS] if isinstance(item, Dataset)]
    except Exception:  # whatever pydicom raises over an element that nobody needs
        return []


def _stored(dataset: Dataset, keyword: str) -> bytes | str:
    """An element's value before pydicom touches it: it would check it, and put one it finds odd into the log."""
    element = dataset.get_item(keyword)
    value = b"" if element is None or element.value is None else element.value
    if isinstance(value, bytes | str):
        return value
    return "\\".join(str(one) for one in value) if isinstance(value, Iterable) else str(value)


def _pixel_spacing(dataset: Dataset) -> tuple[float, float] | None:
    """Imager Pixel Spacing is a distance on the detector; Pixel Spacing alone is too, unless said to be calibrated.

    Nominal Scanned Pixel Spacing is one on the film that was digitised (PS3.3 C.8.6.2), which lay where a detector
    does. See PS3.3 10.7.1.1. A chest is magnified: none is a distance inside the patient. What is no pair of lengths
    is no spacing; a film is read without one.
    """
    for keyword in SPACINGS:
        if keyword == "PixelSpacing" and text_of(dataset, CALIBRATED):
            continue
        match numbers(dataset, keyword):
            case [float(row), float(column)] if 0 < row < math.inf and 0 < column < math.inf:
                return row, column
    return None


def _age_years(header: FileHeader) -> float | None:
    """The patient's age by Patient's Age (PS3.5 6.2: 034Y, 006M …), else by the dates of birth and study.

    "000Y", and a plain number that is 0, are what de-identifiers write; other plain numbers are years.
    """
    stated = header.text("PatientAge")
    number, unit = (stated[:-1], stated[-1]) if stated[-1:] in YEARS else (stated, "Y")
    if number.isdecimal() and int(number) * YEARS[unit] < OLDEST and (int(number) or unit != "Y"):
        return int(number) * YEARS[unit]
    birth, study = header.day("PatientBirthDate"), header.day("StudyDate")
    if birth is None or study is None:
        return None
    years = (study - birth).days / 365.25
    return years if 0 <= years < OLDEST else None
