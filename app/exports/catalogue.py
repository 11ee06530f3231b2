"""Every export of a study: its address, its name on the page, and the function that makes it."""

import importlib
import json
from dataclasses import dataclass
from typing import Any

from app.analysis import wording
from app.analysis.language import mark
from app.exports.exported_study import ExportedStudy
from app.studies.answer import region_json
from app.studies.drawing import MaskPicture
from app.studies.study import Study

DICOM = "application/dicom"


@dataclass(frozen=True)
class Export:
    """One kind of export.

    Attributes:
        file: Last part of its address, and the end of the downloaded file's name.
        title: As the page names it, in English.
        media_type: As HTTP names its format.
        maker: "module:function" in this package; the module is imported when the export is asked for.
        identifies: Whether it says whose film it is: then its function is told whether to leave that out.
    """

    file: str
    title: str
    media_type: str
    maker: str
    identifies: bool = True

    def make(self, exported: ExportedStudy, anonymous: bool) -> bytes:
        """Make this export of a study."""
        module, function = self.maker.split(":")
        maker = getattr(importlib.import_module(f"app.exports.{module}"), function)
        return maker(exported, anonymous) if self.identifies else maker(exported)


FILM = Export("film.dcm", mark("Film"), DICOM, "dicom_capture:film")
"""Only of a film that was no DICOM instance: the one that the other DICOM exports refer to."""

MASK = Export("mask.png", mark("Mask (PNG)"), "image/png", "pictures:mask_png", identifies=False)
SEGMENTATION = Export("segmentation.dcm", mark("Segmentation"), DICOM, "dicom_seg:segmentation")
PROBABILITY = Export("probability.dcm", mark("Probability map"), DICOM, "dicom_seg:probability")

EXPORTS = (
    Export("report.pdf", mark("Report (PDF)"), "application/pdf", "pdf:report_pdf"),
    Export("overlay.png", mark("Overlay (PNG)"), "image/png", "pictures:overlay_png", identifies=False),
    MASK,
    Export("answer.json", mark("Answer (JSON)"), "application/json", "catalogue:answer_json"),
    SEGMENTATION,
    PROBABILITY,
    Export("capture.dcm", mark("Picture with overlay"), DICOM, "dicom_capture:capture"),
    Export("report.dcm", mark("Structured report"), DICOM, "dicom_sr:report"),
    FILM,
)


def exports_of(study: Study) -> list[Export]:
    """List what can be exported of a study: of a withheld answer neither map nor mask, but the reader's own."""
    left_out = set()
    if "SOPInstanceUID" in (study.dicom_header or {}):
        left_out |= {FILM}
    if study.answer.is_withheld:
        left_out |= {PROBABILITY} if study.corrected_png else {PROBABILITY, MASK, SEGMENTATION}
    return [export for export in EXPORTS if export not in left_out]


def answer_json(exported: ExportedStudy, anonymous: bool) -> bytes:
    """Write the answer as the API gives it, with what the reader says of it.

    "regions" and "mask" stay the model's; a reader's own stand under "reader". Where nothing may tell whose
    film it is, there is no "id", by which the audit trail knows it, and of doubts only codes.
    """
    reader: dict[str, Any] = {"verdict": exported.study.verdict, "corrected_regions": None, "corrected_mask": None}
    if exported.is_corrected:
        regions = [{**region_json(region), "probability": None} for region in exported.regions]
        reader |= {"corrected_regions": regions, "corrected_mask": MaskPicture.of(exported.mask).to_json()}
    said = {**exported.answer.to_json(), "reader": reader, "example": bool(exported.study.example)}
    if anonymous:
        del said["id"]
        said["quality"] = [
            {**vars(doubt), "message": wording.code_as_sentence(doubt.code)} for doubt in exported.answer.doubts
        ]
    return json.dumps(said, indent=2).encode()
