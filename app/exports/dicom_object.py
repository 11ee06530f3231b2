"""What all DICOM exports have in common: whose they are, what they refer to, what made them, and their bytes."""

import io
from datetime import datetime
from typing import Any

from pydicom.config import IGNORE
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.uid import ComputedRadiographyImageStorage, SecondaryCaptureImageStorage

from app.exports.deidentify import deidentify, parts_of
from app.exports.exported_study import ExportedStudy
from app.segmentation.reading.file_header import LOSSY
from app.studies.header import IDENTITY, STUDY
from app.version import VERSION

CHARACTER_SET = "ISO_IR 192"
"""UTF-8: it holds whatever the film's own character set held."""

STAND_IN_CLASS = ComputedRadiographyImageStorage
NAMES = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
"""Of the film. What no file says is named anew: `dicom_capture.film` writes the film of a PNG under these."""

MOMENTS = (
    ("InstanceCreationDate", "InstanceCreationTime"),
    ("ContentDate", "ContentTime"),
    ("DateOfSecondaryCapture", "TimeOfSecondaryCapture"),
)


def source_of(exported: ExportedStudy) -> Dataset:
    """Describe a stand-in of the instance that was read, as far as highdicom asks.

    Films have what highdicom refuses: private and retired classes, multi-frame classes with one frame, UIDs with
    leading zeros; so objects are made from a well-formed film, and `to_bytes` puts the film's own names in its place.
    Without a frame of reference: a projection has none, and a segmentation of it needs none, as long as it
    names the instance it was derived from and has its rows and columns (PS3.3 A.51.5). No patient is named here:
    highdicom warns of names it finds odd, and so would bring them into the log.
    """
    source = Dataset()
    source.SpecificCharacterSet = CHARACTER_SET
    source.SOPClassUID = STAND_IN_CLASS
    for keyword in NAMES:
        setattr(source, keyword, exported.film_uid(keyword))
    source.Modality = "CR"
    source.Rows, source.Columns = exported.stored_shape
    for keyword in ("PatientID", "PatientName", "PatientBirthDate", "PatientSex"):
        setattr(source, keyword, "")
    for keyword in ("AccessionNumber", "StudyID", "StudyDate", "StudyTime", "ReferringPhysicianName"):
        setattr(source, keyword, "")
    return source


def equipment(exported: ExportedStudy) -> dict[str, Any]:
    """Name what made an object, in highdicom's words."""
    return {
        "manufacturer": "Pleura",
        "manufacturer_model_name": exported.model_name[:64],
        "software_versions": f"{VERSION}, weights {exported.hash_prefix}",
        "device_serial_number": exported.hash_prefix,
        "specific_character_set": CHARACTER_SET,
    }


def to_bytes(made: Dataset, exported: ExportedStudy, anonymous: bool) -> bytes:
    """Say in an object whose it is and that it is for research only, and write it.

    Args:
        made: By highdicom, from `source_of`.
        exported: What it was made from.
        anonymous: Whether to take out again whose it is.
    """
    _name_film(made, exported)
    for keyword in (*IDENTITY, *STUDY):
        if keyword in exported.header:
            _put(made, keyword, exported.header[keyword])
    when = datetime.fromtimestamp(exported.study.created_at)  # not now: one name, one content
    for day, hour in MOMENTS:
        if day in made:
            setattr(made, day, when.strftime("%Y%m%d"))
            setattr(made, hour, when.strftime("%H%M%S"))
    for item in made.get("ContributingEquipmentSequence", []):
        item.ContributionDateTime = when.strftime("%Y%m%d%H%M%S")
    if "Rows" in made:
        _complete_image(made, exported)
    if anonymous:
        deidentify(made, exported.study.patient_key or made.StudyInstanceUID, exported.secret)
    if exported.warning:
        made.PatientName, made.PatientID = "EXAMPLE^Synthetic film", "EXAMPLE"
        made.SeriesDescription = f"EXAMPLE {made.SeriesDescription}"
    buffer = io.BytesIO()
    made.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _complete_image(made: Dataset, exported: ExportedStudy) -> None:
    made.ImageComments = exported.imprint
    made.PatientOrientation = []
    for keyword in ("PatientOrientation", *LOSSY):
        if keyword in exported.header:
            _put(made, keyword, exported.header[keyword].split("\\"))


def _name_film(made: Dataset, exported: ExportedStudy) -> None:
    """Put the names of the film that was read wherever the stand-in's are, to the letter: archives match text."""
    header = exported.header
    names = {exported.film_uid(keyword): header.get(keyword) or exported.film_uid(keyword) for keyword in NAMES}
    is_instance = {"SOPClassUID", "SOPInstanceUID"} <= header.keys()
    film_class = header["SOPClassUID"] if is_instance else SecondaryCaptureImageStorage
    stand_in = exported.film_uid("SOPInstanceUID")
    for part in {id(part): part for part in parts_of(made)}.values():
        if part.get("ReferencedSOPInstanceUID") == stand_in:
            _put(part, "ReferencedSOPClassUID", film_class)
        for element in list(part):
            if element.VR == "UI" and element.value in names:
                _put(part, element.keyword, names[element.value])


def _put(dataset: Dataset, keyword: str, value: str | list[str]) -> None:
    """Set a value as the film has it: pydicom would check it, and put one it finds odd into the log."""
    dataset.add(DataElement(keyword, dictionary_VR(keyword), value, validation_mode=IGNORE))
