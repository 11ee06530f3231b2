"""The mask, and the probability map, as DICOM Segmentations (PS3.3 A.51) in the rows and columns of the film."""

from collections.abc import Sequence

import numpy as np
from highdicom import AlgorithmIdentificationSequence
from highdicom.color import CIELabColor
from highdicom.seg import Segmentation, SegmentationTypeValues, SegmentDescription
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import SegmentationStorage
from pydicom.valuerep import DS

from app.analysis.language import SOURCE, speaking
from app.exports.dicom_object import equipment, source_of, to_bytes
from app.exports.exported_study import ExportedStudy
from app.exports.pictures import MARK
from app.segmentation.reading.geometry import Laterality


@speaking(SOURCE)
def segmentation(exported: ExportedStudy, anonymous: bool) -> bytes:
    """Write the mask as a binary segmentation: a segment for each side that is marked, or an empty one.

    Its labels are English whatever the reader speaks, as its codes are: so the report of any language refers to it.
    """
    sides: Sequence[tuple[Laterality | None, np.ndarray]] = [*exported.sides.items()] or [(None, exported.mask)]
    described = [_described(exported, number, side) for number, (side, _) in enumerate(sides, start=1)]
    masks = exported.in_stored_rows(np.stack([part for _, part in sides], axis=-1))[np.newaxis]
    said = f"Mask by the {exported.marker}. Research use only."
    return to_bytes(_made(exported, SegmentationTypeValues.BINARY, masks, described, said), exported, anonymous)


@speaking(SOURCE)
def probability(exported: ExportedStudy, anonymous: bool) -> bytes:
    """Write the model's probability map as a fractional segmentation; its fractions are not calibrated."""
    described = [_described(exported, 1, None, by_model=True)]
    said = "Map of the model, not calibrated. Research use only."
    pixels = exported.in_stored_rows(exported.probability_map)
    made = _made(exported, SegmentationTypeValues.FRACTIONAL, pixels, described, said)
    return to_bytes(made, exported, anonymous)


def segmentation_reference(exported: ExportedStudy) -> Dataset:
    """Describe the binary segmentation, as far as a report that refers to it needs."""
    source, reference = source_of(exported), Dataset()
    reference.SOPClassUID = SegmentationStorage
    reference.StudyInstanceUID = source.StudyInstanceUID
    reference.SeriesInstanceUID = exported.new_uid("BINARY series")
    reference.SOPInstanceUID = exported.new_uid("BINARY")
    return reference


def pleura_of(exported: ExportedStudy, side: Laterality | None) -> Code:
    """Name the pleura of a side, or just the pleura where the file does not say which side is which."""
    if side is None or not exported.states_side:
        return codes.SCT.PleuralStructure
    return codes.SCT.RightPleura if side is Laterality.RIGHT else codes.SCT.LeftPleura


def _made(
    exported: ExportedStudy,
    kind: SegmentationTypeValues,
    pixels: np.ndarray,
    described: list[SegmentDescription],
    said: str,
) -> Segmentation:
    what = "segmentation" if kind is SegmentationTypeValues.BINARY else "probability map"
    made = Segmentation(
        source_images=[source_of(exported)],
        pixel_array=pixels,
        segmentation_type=kind,
        segment_descriptions=described,
        series_instance_uid=exported.new_uid(f"{kind.value} series"),
        series_number=9001 if kind is SegmentationTypeValues.BINARY else 9002,
        sop_instance_uid=exported.new_uid(kind.value),
        instance_number=1,
        content_label="PNEUMOTHORAX",
        content_description=said,
        series_description=f"Pleura {what}, research use only",
        omit_empty_frames=False,
        **equipment(exported),
    )
    _lay_flat(made, exported)
    for item in (*made.DimensionOrganizationSequence, *made.DimensionIndexSequence):
        item.DimensionOrganizationUID = exported.new_uid(f"{kind.value} dimensions")  # highdicom draws one each time
    return made


def _lay_flat(made: Segmentation, exported: ExportedStudy) -> None:
    """Say that rows and columns are the film's own, in functional groups that a segmentation of no volume may have.

    A projection has no plane in the patient, and none is claimed: there is no frame of reference and no position. But
    OHIF 3.13 takes both groups apart unasked (`_getReferencedDisplaySetMetadata`, `checkOrientation`): without them it
    fails to open the series, with them it draws the segments on the film. The orientation is the one that it takes a
    radiograph to have; the thickness stands there because the group may not be empty. Pixel spacing is given where it
    is known, at the detector: of a made-up one viewers would make millimetres. highdicom's `segread` demands it; a
    segmentation without is read by its `imread` alone.
    """
    measures, orientation = Dataset(), Dataset()
    measures.SliceThickness = "1"
    if spacing_mm := exported.answer.film.pixel_spacing_mm:
        extents = zip(spacing_mm, exported.shape, exported.stored_shape, strict=True)
        measures.PixelSpacing = [DS(of_one * judged / stored, auto_format=True) for of_one, judged, stored in extents]
    orientation.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    (shared,) = made.SharedFunctionalGroupsSequence
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [orientation]


def _described(
    exported: ExportedStudy, number: int, side: Laterality | None, by_model: bool = False
) -> SegmentDescription:
    corrected = exported.is_corrected and not by_model
    return SegmentDescription(
        segment_number=number,
        segment_label="Pneumothorax" if side is None else f"Pneumothorax, {exported.side_words(side)}",
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=codes.SCT.Pneumothorax,
        algorithm_type="SEMIAUTOMATIC" if corrected else "AUTOMATIC",
        algorithm_identification=AlgorithmIdentificationSequence(
            name=f"Pleura {exported.model_name}"[:64],
            family=codes.DCM.ArtificialIntelligence,
            version=f"SHA-256 {exported.hash_prefix}",
        ),
        tracking_id=f"Pneumothorax {'map' if by_model else exported.side_words(side) if side else ''}".rstrip(),
        tracking_uid=exported.new_uid("tracking map" if by_model else f"tracking {side} 1"),  # as the report's
        anatomic_regions=[pleura_of(exported, side)],
        display_color=CIELabColor.from_rgb(*MARK),
    )
