"""The overlay as a DICOM Secondary Capture, for archives that show no segmentations; and the film of a PNG."""

from fractions import Fraction
from typing import Any

import numpy as np
from highdicom.sc import SCImage
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from app.analysis.language import SOURCE, speaking
from app.exports.dicom_object import equipment, source_of, to_bytes
from app.exports.exported_study import ExportedStudy
from app.exports.pictures import draw_with_legend
from app.segmentation.reading.body_part import shows_chest

UNPAIRED = frozenset(
    """
    CHEST ABDOMEN ABDOMENPELVIS PELVIS HEAD HEADNECK NECK SKULL MAXILLA NOSE SPINE CSPINE CTSPINE TSPINE TLSPINE LSPINE
    LSSPINE SSPINE COCCYX STERNUM MEDIASTINUM HEART TRACHEA WHOLEBODY
    """.split()
)
"""Of the defined terms of PS3.16 annex L, parts that radiographs are taken of and nobody has two of."""


def capture(exported: ExportedStudy, anonymous: bool) -> bytes:
    """Write the film with its overlay and legend, in colours, to look at."""
    names = {
        name: exported.new_uid(f"capture {name}", spoken=True) for name in ("series_instance_uid", "sop_instance_uid")
    }
    made = _made(
        exported, draw_with_legend(exported), "RGB", "Pleura overlay, research use only", 9003, names, anonymous
    )
    source, reference = source_of(exported), Dataset()
    reference.ReferencedSOPClassUID = source.SOPClassUID
    reference.ReferencedSOPInstanceUID = source.SOPInstanceUID
    made.SourceImageSequence = [reference]
    return to_bytes(made, exported, anonymous)


@speaking(SOURCE)
def film(exported: ExportedStudy, anonymous: bool) -> bytes:
    """Write a film that was no DICOM instance as the one that the other exports refer to, in its rows and columns.

    Its greys are those that the page shows: 8 bits, and of a very large film no finer.
    """
    source = source_of(exported)
    names = {"series_instance_uid": source.SeriesInstanceUID, "sop_instance_uid": source.SOPInstanceUID}
    described, pixels = "Film as shown by Pleura, research use only", exported.in_stored_rows(exported.film)
    made = _made(exported, pixels, "MONOCHROME2", described, 1, names, anonymous)
    (height, width), (rows, columns) = exported.shape, exported.stored_shape
    oblong = Fraction(height * columns, width * rows).limit_denominator(1000)
    if oblong != 1:
        made.PixelAspectRatio = [oblong.numerator, oblong.denominator]
    return to_bytes(made, exported, anonymous)


def _made(
    exported: ExportedStudy,
    pixels: np.ndarray,
    photometric: str,
    description: str,
    series_number: int,
    names: dict[str, Any],
    anonymous: bool,
) -> SCImage:
    source = source_of(exported)
    made = SCImage(
        pixel_array=pixels,
        photometric_interpretation=photometric,
        bits_allocated=8,
        coordinate_system="PATIENT",
        patient_orientation=("L", "F"),  # highdicom demands one; `to_bytes` puts what the file says, or nothing
        study_instance_uid=source.StudyInstanceUID,
        series_number=series_number,
        instance_number=1,
        series_description=description,
        transfer_syntax_uid=ExplicitVRLittleEndian,
        **names,
        **equipment(exported),
    )
    part = exported.header.get("BodyPartExamined", "")
    made.BodyPartExamined = part if shows_chest(part) is False else "CHEST"  # by its defined term (PS3.16 annex L)
    if made.BodyPartExamined not in UNPAIRED:
        made.Laterality = ""  # demanded of what may be one of a pair (PS3.3 C.7.3.1)
        if anonymous:
            del made.BodyPartExamined  # by no term known here: people write into it what they like
    if "BurnedInAnnotation" in exported.header:
        made.BurnedInAnnotation = exported.header["BurnedInAnnotation"]
    return made
