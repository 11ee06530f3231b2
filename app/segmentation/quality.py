"""Is this a usable frontal chest film? Reason codes for when not to trust the answer."""

from dataclasses import dataclass

from app.segmentation.image_io import Radiograph


@dataclass(frozen=True)
class QualityFlag:
    """One reason for doubt.

    Attributes:
        code: Stable, for programs: lower_snake_case.
        severity: "info" or "warning".
        message: A sentence for a person.
    """

    code: str
    severity: str
    message: str


def assess(radiograph: Radiograph) -> tuple[QualityFlag, ...]:
    """List the reasons to doubt an answer on this film; none is the usual case."""
    return ()
