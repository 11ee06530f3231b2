"""What an archive's films leave beside the table: masks, and DICOM objects."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from app.analysis.keeping import kept_columns
from app.batch.work import Outcome
from app.exports.catalogue import EXPORTS, exports_of
from app.exports.exported_study import ExportedStudy
from app.studies.study import Study
from app.studies.whole_file import write_whole

FIRST_MOMENT, LAST_MOMENT = (datetime(year, 1, 1, tzinfo=UTC).timestamp() for year in (1900, 9999))
"""Of which DICOM can tell the day in every time zone: a file system also takes others for when a file was written."""

DICOM_EXPORTS = [export for export in EXPORTS if export.file in ("film.dcm", "segmentation.dcm", "report.dcm")]


@dataclass(frozen=True)
class Pictures:
    """Where pictures go.

    Attributes:
        masks: Folder for masks; None: not wanted.
        dicom: Folder for segmentations, structured reports, and films that are no DICOM instances, for these refer to
            them; None: not wanted.
        secret: Key of identifiers.
    """

    masks: Path | None
    dicom: Path | None
    secret: str

    def write(self, outcome: Outcome) -> None:
        """Write what is wanted of a film that was answered, under the hash of its content."""
        film, sha256 = outcome.film, outcome.sha256
        if film is None:
            return
        answer = film.answer
        if self.masks and not answer.is_withheld:
            write_whole(self.masks / f"{sha256}.png", answer.mask.png)
        if self.dicom:
            moment = min(max(outcome.modified_at, FIRST_MOMENT), LAST_MOMENT)
            study = Study(
                id=answer.id,
                owner="",
                file_name=outcome.entry.name,
                created_at=moment,
                expires_at=moment,
                answer=answer,
                **kept_columns(film, self.secret),
            )
            offered = exports_of(study)
            for export in (export for export in DICOM_EXPORTS if export in offered):
                write_whole(
                    self.dicom / f"{sha256}-{export.file}", export.make(ExportedStudy(study, self.secret), False)
                )
