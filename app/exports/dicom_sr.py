"""Finding, probability and regions as a DICOM Structured Report: a measurement report (PS3.16 TID 1500).

Its codes say no more than the page does. A suspected pneumothorax is "Suspected" (SCT 415684004, of CID 3770), not
"Present"; one that the model does not see is not "Absent", for it misses some: of it the report says what a program of
detection says of itself, "All algorithms succeeded; without findings" (CID 6047). An answer that is indeterminate, or
withheld, is "Indeterminate" (SCT 82334004, of CID 4220). Code meanings are the standard's own, in English; what is
written for people is in the reader's language.
"""

import math
from typing import Any

import numpy as np
from highdicom.sr import (
    AlgorithmIdentification,
    CodedConcept,
    ComprehensiveSR,
    DeviceObserverIdentifyingAttributes,
    FindingSite,
    GraphicTypeValues,
    ImageRegion,
    LanguageOfContentItemAndDescendants,
    Measurement,
    MeasurementReport,
    ObservationContext,
    ObserverContext,
    PlanarROIMeasurementsAndQualitativeEvaluations,
    QualitativeEvaluation,
    ReferencedSegmentationFrame,
    RelationshipTypeValues,
    SourceImageForRegion,
    SourceImageForSegmentation,
    TextContentItem,
    TrackingIdentifier,
)
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
    SecondaryCaptureImageStorage,
)

from app.analysis import wording
from app.analysis.language import SOURCE, language, tr
from app.exports.dicom_object import equipment, source_of, to_bytes
from app.exports.dicom_seg import pleura_of, segmentation_reference
from app.exports.exported_study import ExportedStudy, keyed_uid
from app.exports.outlines import outlines_of
from app.segmentation.decision.calibration import Finding
from app.segmentation.reading.geometry import Laterality

EVALUATIONS = {
    Finding.POSITIVE: (codes.SCT.Pneumothorax, codes.SCT.Suspected),
    Finding.NEGATIVE: (codes.DCM.CADProcessingAndFindingsSummary, codes.DCM.AllAlgorithmsSucceededWithoutFindings),
    Finding.INDETERMINATE: (codes.SCT.Pneumothorax, codes.SCT.Indeterminate),
}
"""Of a finding: what is evaluated, and the result."""

PIXELS = Code("{pixels}", "UCUM", "pixels")
KNOWN_CLASSES = {
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
}
"""Of films: their modality is told in the image library; of any other class it is "other"."""

SPOKEN = {
    SOURCE: CodedConcept("en-US", "RFC5646", "English (United States)"),
    "de": CodedConcept("de", "RFC5646", "German"),
}
"""CID 5000, of the languages of the catalogue."""

MAX_OUTLINES = 20
"""Of a side; the segmentation has every region, however small."""

CHEST_FILM = Code("399208008", "SCT", "Plain chest X-ray")


def report(exported: ExportedStudy, anonymous: bool) -> bytes:
    """Write the report.

    What is marked on a side refers to its segment in `dicom_seg.segmentation`, and each of its regions is outlined
    besides: of a group either segment or coordinates may be given (TID 1410), and many viewers draw coordinates alone,
    and those only on images that the report's image library names.
    """
    source = source_of(exported)
    evidence = [source, segmentation_reference(exported)] if exported.sides else [source]
    content = MeasurementReport(
        observation_context=_observer(exported),
        procedure_reported=CHEST_FILM,
        imaging_measurements=[
            _whole_film(exported),
            *(_side(exported, number, side) for number, side in enumerate(exported.sides, start=1)),
            *(group for side in exported.sides for group in _outlined(exported, side)),
        ],
        referenced_images=[_library_entry(exported)],
        language_of_content_item_and_descendants=_spoken(),
    )
    content[0].ContentSequence.extend(_comment(text) for text in _remarks(exported, anonymous))
    made = ComprehensiveSR(
        evidence=evidence,
        content=content[0],
        series_instance_uid=exported.new_uid("report series", spoken=True),
        series_number=9004,
        sop_instance_uid=exported.new_uid(f"report {exported.study.verdict or 'without verdict'}", spoken=True),
        instance_number=1,
        is_complete=True,
        series_description="Pleura report, research use only",
        **equipment(exported),
    )
    return to_bytes(made, exported, anonymous)


def _spoken() -> LanguageOfContentItemAndDescendants:
    """Name the language of what is written for people (TID 1204, CID 5000)."""
    return LanguageOfContentItemAndDescendants(SPOKEN[language()])


def _observer(exported: ExportedStudy) -> ObservationContext:
    device = DeviceObserverIdentifyingAttributes(
        uid=keyed_uid("", exported.answer.model.sha256),
        name="Pleura (research use only)",
        manufacturer_name="Pleura",
        model_name=exported.model_name,
        serial_number=exported.hash_prefix,
    )
    return ObservationContext(observer_device_context=ObserverContext(codes.DCM.Device, device))


def _whole_film(exported: ExportedStudy) -> PlanarROIMeasurementsAndQualitativeEvaluations:
    """Say what the model finds, and how probable it is, unless the film is none that it can judge.

    The film's border is its region: of a group without coordinates OHIF shows nothing, and then nothing of the rest.
    """
    source, measurements = source_of(exported), []
    if exported.chance:
        percent = round(100 * exported.answer.probability, 2)
        measurements = [Measurement(codes.DCM.Probability, percent, codes.UCUM.Percent)]
    width, height = source.Columns, source.Rows
    border = np.array([(0, 0), (width, 0), (width, height), (0, height), (0, 0)], np.float32)
    return PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(exported.new_uid("tracking film"), tr("Film as a whole")),
        referenced_region=_region(exported, border),
        finding_type=codes.SCT.Pneumothorax,
        algorithm_id=_algorithm(exported),
        measurements=measurements,
        qualitative_evaluations=[_evaluation(exported)],
    )


def _library_entry(exported: ExportedStudy) -> Dataset:
    """Describe the film for the image library; without its orientation and spacing, which are not always known."""
    entry = source_of(exported)
    entry.Modality = "OT"
    film_class = exported.header.get("SOPClassUID", SecondaryCaptureImageStorage)
    entry.SOPClassUID = film_class if film_class in KNOWN_CLASSES else SecondaryCaptureImageStorage
    return entry


def _side(exported: ExportedStudy, number: int, side: Laterality) -> PlanarROIMeasurementsAndQualitativeEvaluations:
    """Measure what is marked on one side of the patient, and refer to its segment."""
    source, segmentation = source_of(exported), segmentation_reference(exported)
    frame = ReferencedSegmentationFrame(
        segmentation.SOPClassUID,
        segmentation.SOPInstanceUID,
        frame_number=number,
        segment_number=number,
        source_image=SourceImageForSegmentation(source.SOPClassUID, source.SOPInstanceUID),
    )
    del frame[0].ReferencedSOPSequence[0].ReferencedSegmentNumber  # forbidden beside a frame's (PS3.3 table 10-3)
    return PlanarROIMeasurementsAndQualitativeEvaluations(
        **_described(exported, side, 1, tr("Pneumothorax {side}", side=exported.side_words(side))),
        referenced_segment=frame,
        measurements=[_area(exported, int(exported.sides[side].sum()))],
    )


def _outlined(exported: ExportedStudy, side: Laterality) -> list[PlanarROIMeasurementsAndQualitativeEvaluations]:
    """Outline every region of a side on the film: those of the pixels in which it is judged, as all exports count them.

    The first is tracked as what the segment's group is: viewers merge both, and so have coordinates for that one, too.
    """
    outlines, count = outlines_of(exported.sides[side], MAX_OUTLINES)
    (height, width), (rows, columns) = exported.shape, exported.stored_shape
    groups = []
    for number, outline in enumerate(outlines, start=1):
        name = tr(
            "Pneumothorax {side}, region {number} of {count}",
            side=exported.side_words(side),
            number=number,
            count=count,
        )
        group = PlanarROIMeasurementsAndQualitativeEvaluations(
            **_described(exported, side, number, name),
            referenced_region=_region(exported, outline.points * (columns, rows) / (width, height)),
            measurements=[_area(exported, outline.pixels)] if count > 1 else [],  # else its segment's is its own
        )
        groups.append(group)
    return groups


def _described(exported: ExportedStudy, side: Laterality, number: int, name: str) -> dict[str, Any]:
    """Say what is marked, where, by what algorithm, and how far it is to be believed; a reader's mask needs no more."""
    return {
        "tracking_identifier": TrackingIdentifier(exported.new_uid(f"tracking {side} {number}"), name),
        "finding_type": codes.SCT.Pneumothorax,
        "finding_sites": [FindingSite(pleura_of(exported, side))],
        "algorithm_id": _algorithm(exported),
        "qualitative_evaluations": None if exported.is_corrected else [_evaluation(exported)],
    }


def _evaluation(exported: ExportedStudy) -> QualitativeEvaluation:
    return QualitativeEvaluation(*EVALUATIONS[exported.answer.finding])


def _region(exported: ExportedStudy, points: np.ndarray) -> ImageRegion:
    source = source_of(exported)
    image = SourceImageForRegion(source.SOPClassUID, source.SOPInstanceUID)
    return ImageRegion(GraphicTypeValues.POLYLINE, points, image)


def _area(exported: ExportedStudy, pixels: int) -> Measurement:
    """Give the area of pixels in which the film is judged; where their size is unknown, in pixels of the file."""
    spacing_mm = exported.answer.film.pixel_spacing_mm
    if spacing_mm is None:
        stored = pixels * math.prod(exported.stored_shape) / math.prod(exported.shape)
        return Measurement(codes.SCT.Area, round(stored, 1), PIXELS)
    return Measurement(codes.SCT.Area, round(pixels * math.prod(spacing_mm), 1), codes.UCUM.SquareMillimeter)


def _algorithm(exported: ExportedStudy) -> AlgorithmIdentification:
    return AlgorithmIdentification(
        name=f"Pleura {exported.model_name}",
        version=f"SHA-256 {exported.hash_prefix}",
        parameters=[tr("Operating point: {point}", point=exported.operating_point), f"{exported.marking}."],
    )


def _remarks(exported: ExportedStudy, anonymous: bool) -> list[str]:
    """What a reader of the report must know, the finding in the page's words first."""
    remarks = [
        ". ".join([exported.conclusion, *filter(None, [wording.warnings(exported.answer)])]) + ".",
        exported.imprint,
        *filter(None, [exported.verdict]),
    ]
    remarks += [f"{doubt.kind}: {doubt.text}" for doubt in wording.doubts(exported.answer, anonymous)]
    if exported.sides and exported.answer.film.pixel_spacing_mm:
        remarks.append(tr("Areas are measured at the detector."))
    if exported.answer.finding is Finding.NEGATIVE:
        remarks.append(tr(wording.MISSES_SOME))
    return remarks


def _comment(text: str) -> TextContentItem:
    return TextContentItem(codes.DCM.Comment, text, RelationshipTypeValues.CONTAINS)
