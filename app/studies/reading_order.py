"""In which order films are to be read, and which are of one patient.

The order is safe to read from the top and safe to leave early: no film stands below another that is less suspicious,
and what the model could not answer stands above everything it did not suspect, for it may hold anything.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from app.segmentation.decision.calibration import Finding
from app.studies.study import Study


@dataclass(frozen=True)
class Group:
    """Films that are read together.

    Attributes:
        code: As the page's script names it.
        title: As the page names it.
        meaning: What to expect of them.
    """

    code: str
    title: str
    meaning: str


SUSPECTED = Group("suspected", "Suspected", "by probability, highest first")
UNANSWERED = Group("unanswered", "No usable answer", "these may hold anything: failed, or answer withheld")
INDETERMINATE = Group("indeterminate", "Indeterminate", "by probability, highest first")
UNSUSPECTED = Group("unsuspected", "None seen by the model", "those with warnings first, then by probability")
GROUPS = (SUSPECTED, UNANSWERED, INDETERMINATE, UNSUSPECTED)
"""In reading order."""

GROUP_OF_FINDING = {
    Finding.POSITIVE: SUSPECTED,
    Finding.INDETERMINATE: INDETERMINATE,
    Finding.NEGATIVE: UNSUSPECTED,
}


def group_of(study: Study) -> Group:
    """Say with which films a study is read."""
    return UNANSWERED if study.answer.is_withheld else GROUP_OF_FINDING[study.answer.finding]


def order_of(study: Study) -> str:
    """Name a study's place within its group: the page's script sorts rows by this text, as `in_order` does.

    Among equals the film that has waited longest comes first, so no film sinks because another arrives.
    """
    group, figure = group_of(study), 1 - study.answer.probability
    if group is UNANSWERED:
        figure = 1  # the computed probability means nothing here; a failed film stands at 0
    first = study.answer.warnings or group is not UNSUSPECTED
    return f"{0 if first else 1} {figure:.4f} {study.created_at:017.6f}"


def in_order(studies: Iterable[Study]) -> list[Study]:
    """Sort studies as they are to be read."""
    return sorted(studies, key=lambda study: (GROUPS.index(group_of(study)), order_of(study)))


class Worklist:
    """One session's films in reading order.

    Attributes:
        studies: Without their pictures.
    """

    def __init__(self, studies: Iterable[Study]) -> None:
        self.studies = in_order(studies)

    def of(self, group: Group) -> list[Study]:
        """The films of one group."""
        return [study for study in self.studies if group_of(study) == group]

    def others_of_patient(self, study: Study) -> list[Study]:
        """The other films of a study's patient, the earliest first; none where the file does not say whose it is."""
        same = [other for other in self.studies if study.patient_key and other.patient_key == study.patient_key]
        return sorted((other for other in same if other.id != study.id), key=by_date)

    def position(self, study: Study) -> int:
        """Where a study stands, from 1; 0 if it is not here."""
        return next((at for at, other in enumerate(self.studies, start=1) if other.id == study.id), 0)

    def neighbours(self, study: Study) -> tuple[Study | None, Study | None]:
        """The studies before and after a study."""
        at = self.position(study)
        return self.studies[at - 2] if at > 1 else None, self.studies[at] if 0 < at < len(self.studies) else None


def by_date(study: Study) -> tuple[str, float]:
    """Sort by the days of films; those without one come last, in the order of their uploads."""
    return study.taken_on or "9999", study.created_at
