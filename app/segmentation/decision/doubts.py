"""Every reason to doubt an answer: its code, how much it weighs, and what to do.

docs/reason-codes.md says of each what is measured and how often it is given.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Doubt:
    """One reason for doubt.

    Attributes:
        code: Stable, for programs: lower_snake_case.
        severity: "info" or "warning".
        message: What was found, with the value and its limit: a sentence for a person.
        advice: What to do about it: a sentence for a person.
    """

    code: str
    severity: str
    message: str
    advice: str = ""


DOUBTS = {
    "unlike_training_films": (
        "warning",
        "Read the film without the model. See whether it is one frontal chest film, upright and whole.",
    ),
    "not_frontal": ("warning", "Send the frontal film of this examination."),
    "not_chest": ("warning", "Send a chest film. If this is one, the file names the wrong body part."),
    "unknown_modality": ("warning", "Make sure that this is a plain radiograph; if you can, send the original object."),
    "for_processing": ("warning", "Send the image that the machine made for presentation."),
    "under_18": (
        "warning",
        "Do not rely on the answer for a child; the model is not known to have learnt from enough children.",
    ),
    "age_outside_training": ("info", "Trust the answer less than usual: nobody has tested the model at this age."),
    "doubtful_pixel_spacing": ("info", "Take no length or area from this film; measure in the original."),
    "burned_in_text": ("info", "See that no text lies over the lungs, and that none names the patient to others."),
    "low_resolution": ("warning", "Send the original film, not a copy made for the screen."),
    "unusual_aspect_ratio": ("warning", "Send one whole film, not a part of it and not two side by side."),
    "colour_image": ("warning", "Send the original film, not a photograph or a screenshot of it."),
    "low_contrast": ("warning", "Send the original film; if this is it, read it without the model."),
    "clipped": ("warning", "Send the DICOM file: it keeps what a copy cuts off."),
    "unusual_exposure": (
        "warning",
        "Send the DICOM file with the machine's own window; if this is it, read it without the model.",
    ),
    "inverted_corrected": (
        "warning",
        "See that bone is bright on the film shown here. If it is dark, do not use the answer.",
    ),
    "inverted_suspected": ("warning", "If bone is dark, invert the film, and send it again."),
    "turned": ("warning", "Turn the film upright, and send it again."),
    "tilted": ("warning", "If the film lies at a slant, straighten it, and send it again."),
}
"""Code: severity and advice, in the order of a reader's interest."""

NO_REASSURANCE = (
    *("unlike_training_films", "not_frontal", "not_chest", "for_processing", "inverted_suspected", "turned"),
)
"""Doubts under which an answer stands only if it is positive. A header may be wrong and a check mistaken, and a false
alarm costs a look; a film called negative that nobody should have judged may cost more."""


def doubt(code: str, message: str) -> Doubt:
    """Give a reason for doubt.

    Args:
        code: One of `DOUBTS`.
        message: What was found, with the value and its limit.
    """
    severity, advice = DOUBTS[code]
    return Doubt(code, severity, message, advice)


UNFAMILIAR = doubt(
    "unlike_training_films", "This does not look like the frontal chest films that the model has learnt from."
)
"""The doubt about a film that the network itself finds strange, before its distance is known."""


def withheld_for(doubts: Iterable[Doubt], alarm_stands: bool) -> str | None:
    """Say for which doubt a film gets no answer: it is indeterminate then, without marks and without a figure.

    Args:
        doubts: About the film.
        alarm_stands: Whether the answer is positive, to what may well be a chest film.

    Returns:
        The doubt's code, the first in the order of `NO_REASSURANCE`; None where the answer stands.
    """
    codes = {doubt.code for doubt in doubts}
    return None if alarm_stands else next((code for code in NO_REASSURANCE if code in codes), None)
