"""Take out of a DICOM object whose it is: PS3.15 Annex E, Basic Application Level Confidentiality Profile.

dicom-anonymizer knows what the profile does to which attribute. What is added here: it is done at every depth; UIDs
become others by a keyed hash, so that objects of a film refer to each other whenever they are made; and what Pleura
itself wrote stays. All free text in its objects is its own words, so two options of the profile hold too: Clean
Structured Content and Clean Descriptors. Pixels are not cleaned: text burnt into the film stays.
"""

from collections.abc import Callable, Iterator
from functools import cache

from dicomanonymizer.simpledicomanonymizer import (
    anonymize_dataset,
    initialize_actions,
    keep,
    replace_UID,
    replace_with_value,
)
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.tag import Tag
from pydicom.uid import UID

from app.exports.exported_study import keyed_uid

TABLE = "dicomfields_2026c"
"""Edition of the standard's Table E.1-1 that dicom-anonymizer carries."""

OWN_WORDS = ("SeriesDescription", "ImageComments", "DeviceSerialNumber", "ContentSequence")
REFERENCES = ("ReferencedImageSequence", "SourceImageSequence")
"""Kept, with replaced UIDs inside: a segmentation without them is of nothing (action X/Z/U* of the table)."""

EMPTIED = ("StudyDate", "StudyTime", "PatientBirthDate")
REMOVED = ("InstanceCreationDate", "InstanceCreationTime", "DateOfSecondaryCapture", "TimeOfSecondaryCapture")
DUMMIES = {"ContentDate": "19000101", "ContentTime": "000000"}
"""For dates and times, which dicom-anonymizer sets into the year 1: validators take that for no date."""

OPTIONS = ("BasicApplicationConfidentialityProfile", "CleanStructuredContentOption", "CleanDescriptorsOption")


def deidentify(made: Dataset, patient: str, secret: str) -> None:
    """Change an object in place.

    Args:
        made: An object of ours, complete.
        patient: What tells this patient from another; it becomes another number by the same hash.
        secret: Key of the new UIDs: objects whose names were replaced under one secret still refer to each other.
    """
    rules = _rules()
    extra = {tag: _uid_replacement(secret) for tag, action in rules.items() if action is replace_UID}
    extra |= {_pair(keyword): keep for keyword in (*OWN_WORDS, *REFERENCES)}
    extra |= {
        _pair(keyword): replace_with_value([value])
        for keyword, value in {**dict.fromkeys(EMPTIED, ""), **DUMMIES}.items()
    }
    for keyword in REMOVED:
        made.pop(keyword, None)
    for part in {id(part): part for part in parts_of(made)}.values():  # once, though highdicom puts one at two places
        anonymize_dataset(part, extra, base_rules_gen=lambda: dict(rules))
    made.PatientID = keyed_uid(secret, f"patient {patient}")[-16:]  # one for all would make one patient of them
    made.PatientIdentityRemoved = "YES"
    made.LongitudinalTemporalInformationModified = "REMOVED"
    made.DeidentificationMethod = "PS3.15 E.1 Basic Profile; text burnt into pixels not removed"
    made.DeidentificationMethodCodeSequence = [_code_item(getattr(codes.DCM, option)) for option in OPTIONS]


@cache
def _rules() -> dict[tuple[int, ...], Callable]:
    return initialize_actions(TABLE)


def _uid_replacement(secret: str) -> Callable[[Dataset, tuple[int, int]], None]:
    def replace(dataset: Dataset, tag: tuple[int, int]) -> None:
        element = dataset.get(tag)
        if element is not None and element.value:
            element.value = UID(keyed_uid(secret, str(element.value)))

    return replace


def parts_of(dataset: Dataset) -> Iterator[Dataset]:
    """An object and everything in its sequences, at every depth."""
    yield dataset
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                yield from parts_of(item)


def _pair(keyword: str) -> tuple[int, int]:
    tag = Tag(keyword)
    return tag.group, tag.element


def _code_item(code: Code) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code.value, code.scheme_designator, code.meaning
    return item
