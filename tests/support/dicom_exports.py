"""Films for the DICOM exports, and what independent readers find in these."""

import io
import itertools

import cv2
import numpy as np
import pydicom

from app.exports.catalogue import DICOM, exports_of
from tests.support.film_files import to_dicom, to_png
from training.releasing.phantom.drawing import draw_phantom

IMAGE = draw_phantom(3, 400).image[:300]
"""Not square, so that rows and columns cannot be mistaken for each other."""

MASK = np.zeros(IMAGE.shape, dtype=bool)

MASK[20:60, 310:330] = True  # the patient's left, high up

MASK[50:60, 290:310] = True

BOTH = MASK.copy()

BOTH[200:210, 30:90] = True

PATIENT = {
    "SpecificCharacterSet": "ISO_IR 192",
    "PatientName": "Müller^Jürgen",
    "PatientID": "4711-0815",
    "PatientBirthDate": "19700102",
    "PatientSex": "O",
    "StudyDate": "20240131",
    "StudyTime": "101112",
    "StudyID": "S-99",
    "AccessionNumber": "ACC-77",
    "ReferringPhysicianName": "Kowalska^Ewa",
    "StudyDescription": "Thorax pa",
}

REQUIRED = {
    "SeriesNumber": 1,
    "InstanceNumber": 1,
    "Manufacturer": "Maker",
    "Laterality": "",
    "ImagerPixelSpacing": [1.2, 1.2],
}

FILMS = {
    "dicom": to_dicom(IMAGE, **PATIENT, **REQUIRED),
    "bare dicom": to_dicom(
        IMAGE, PatientName="Solo", StudyInstanceUID=None, SeriesInstanceUID=None, PatientOrientation=None
    ),
    "png": to_png(IMAGE),
    "jpeg": cv2.imencode(".jpg", np.round(255 * IMAGE).astype(np.uint8))[1].tobytes(),
}


def dicom_exports(exported, anonymous: bool = False) -> dict[str, pydicom.Dataset]:
    """Make and parse every DICOM export of a study."""
    return {
        export.file: pydicom.dcmread(io.BytesIO(export.make(exported, anonymous)))
        for export in exports_of(exported.study)
        if export.media_type == DICOM
    }


def referenced(dataset: pydicom.Dataset) -> set[str]:
    """Every instance that an object refers to."""
    return {element.value for element in dataset.iterall() if element.keyword == "ReferencedSOPInstanceUID"}


def said(dataset: pydicom.Dataset) -> str:
    """Every value of an object, file meta too; the pixels aside."""
    elements = itertools.chain(dataset.file_meta, dataset.iterall())
    return "\n".join(str(element.value) for element in elements if element.VR not in ("OB", "OW", "SQ"))


def marked(segmentation: pydicom.Dataset) -> np.ndarray:
    """Frames of a segmentation, (segment, row, column)."""
    return segmentation.pixel_array.reshape(-1, segmentation.Rows, segmentation.Columns)
