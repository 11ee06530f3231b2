"""What is said of an answer, in words: pages and exports take them from here, so that both say the same.

Plain functions, without markup; the pages' templates know this module as `wording`. Constants are English; what is
returned is in the language that is spoken (`language`).
"""

import math
import re
from collections.abc import Mapping
from typing import NamedTuple

from app.analysis.language import day, mark, number, tr, tr_core, tr_n
from app.segmentation.decision.calibration import Finding, OperatingPoint
from app.segmentation.reading.geometry import Laterality
from app.studies.answer import Answer, Film
from app.studies.study import Study

CONCLUSIONS = {
    Finding.POSITIVE: mark("Pneumothorax suspected"),
    Finding.NEGATIVE: mark("No pneumothorax seen by the model"),
    Finding.INDETERMINATE: mark("Indeterminate: the model is not sure"),
}
REASONS = {
    "unlike_training_films": mark("this film is unlike the training films"),
    "not_frontal": mark("the file says that this is no frontal view"),
    "not_chest": mark("the file says that this is no chest film"),
    "for_processing": mark("the file says that this is the detector’s raw image"),
    "inverted_suspected": mark("the film looks inverted"),
    "turned": mark("the film lies turned"),
}
"""Why an answer is withheld, by the code of the doubt: a clause."""

OTHER_REASON = mark("the model cannot judge this film")
"""Of an answer that another version gave."""

PHOTOGRAPH = mark("Looks like a photograph of a screen")
PHOTOGRAPH_ADVICE = mark("Send the original film from the archive; a photograph can hide or imitate a pneumothorax.")
NOTHING_UNUSUAL = mark("The checks found nothing unusual about this film. They do not see everything.")
AREA_IS_NO_VOLUME = mark("An area on the film is not a measure of how far the lung has collapsed.")
MISSES_SOME = mark(
    "The model misses some pneumothoraces, small ones above all. A negative finding does not rule one out."
)

NO_BREAK = "\u00a0"
"""A figure and its sign stay on one line."""


class WordedDoubt(NamedTuple):
    """A doubt in words.

    Attributes:
        kind: "Warning" or "Note", in the language that is spoken.
        text: What was found, and what to do about it.
        code: Of the doubt.
        is_warning: Whether it weighs most.
    """

    kind: str
    text: str
    code: str
    is_warning: bool


def conclusion(answer: Answer) -> str:
    """Say the finding; of a withheld answer, why there is none."""
    if answer.is_withheld:
        return tr("No answer: {reason}", reason=reason(answer))
    return tr(CONCLUSIONS[answer.finding])


def headline(answer: Answer) -> str:
    """Say the finding, and how many warnings it carries."""
    return f"{conclusion(answer)} · {warnings(answer)}" if answer.warnings else conclusion(answer)


def reason(answer: Answer) -> str:
    """Say, in a clause, why an answer is withheld."""
    return tr(REASONS.get(answer.withheld_for or "", OTHER_REASON))


def chance(probability: float) -> str:
    """Print a probability, never as a certainty."""
    if probability < 0.01:
        return f"<{NO_BREAK}1{NO_BREAK}%"
    return f">{NO_BREAK}99{NO_BREAK}%" if probability > 0.99 else percent(probability)


def percent(fraction: float, digits: int = 0) -> str:
    """Print a share."""
    return f"{number(100 * fraction, digits)}{NO_BREAK}%"


def operating_point(point: OperatingPoint) -> str:
    """Name the operating point, and say where it lies."""
    return tr("{name}, at {chance}", name=_point_name(point), chance=chance(point.threshold))


def _point_name(point: OperatingPoint) -> str:
    """Name it: by its specificity, if it was chosen by one."""
    if point.specificity is None:
        return point.name
    return tr("specificity {figure}", figure=number(point.specificity, 2))


def meaning(answer: Answer) -> str:
    """Say what the probability means at the operating point; nothing is said here of a withheld answer."""
    point, figure = answer.model.operating_point, chance(answer.probability)
    low, high = chance(point.indeterminate_low), chance(point.indeterminate_high)
    band = tr("the indeterminate range ({low}–{high})", low=low.removesuffix(f"{NO_BREAK}%"), high=high)
    line = tr("the operating point ({chance})", chance=chance(point.threshold))
    if answer.finding is Finding.POSITIVE:
        if point.indeterminate_high > point.threshold:
            return tr("{figure} is above {band}, so the model suspects a pneumothorax.", figure=figure, band=band)
        return tr("{figure} is above {line}, so the model suspects a pneumothorax.", figure=figure, line=line)
    if answer.finding is Finding.INDETERMINATE:
        return tr(
            "Why indeterminate: {figure} is in {band}, where the model is wrong too often to decide. Read the film as "
            "if it had said nothing.",
            figure=figure,
            band=band,
        )
    if point.indeterminate_low < point.threshold:
        return tr(
            "{figure} is below {band}, so the model sees no pneumothorax. It misses some, small ones above all; "
            "a negative finding does not rule one out.",
            figure=figure,
            band=band,
        )
    return tr(
        "{figure} is below {line}, so the model sees no pneumothorax. It misses some, small ones above all; "
        "a negative finding does not rule one out.",
        figure=figure,
        line=line,
    )


def of_100(probability: float, calibrated_on: Mapping[str, int] | None) -> str:
    """Say how many of a hundred films with such a figure had a pneumothorax, no finer than the calibration can tell.

    What none of n films shows, 3 in n may yet (the rule of three; Hanley & Lippman-Hand, JAMA 1983): below that share
    of the negative films nothing is known, nor above that of the positive ones.

    Args:
        probability: Calibrated.
        calibrated_on: How many "films", and how many "positive" among them; None where that is not known.
    """
    least, most = 1, 99
    if calibrated_on is not None:
        positive, negative = calibrated_on["positive"], calibrated_on["films"] - calibrated_on["positive"]
        least, most = math.ceil(300 / max(negative, 6)), 100 - math.ceil(300 / max(positive, 6))
    if 100 * probability < least:
        return tr("fewer than {count}", count=least)
    if 100 * probability > most:
        return tr("more than {count}", count=most)
    return tr("about {count}", count=round(100 * probability))


def side(laterality: Laterality, film: Film) -> str:
    """Name a side: the patient's, where the file says which is which; otherwise one of the picture."""
    if film.states_side:
        return tr("patient’s left") if laterality is Laterality.LEFT else tr("patient’s right")
    return tr("picture’s left") if laterality is film.image_left else tr("picture’s right")


def side_if_usual(laterality: Laterality) -> str:
    """Name the patient's side that one of the picture is, if the film is displayed as usual."""
    if laterality is Laterality.LEFT:
        return tr("patient’s left, if displayed as usual")
    return tr("patient’s right, if displayed as usual")


def capitalised(text: str) -> str:
    """Begin with a capital, and leave the rest as it is: German nouns have theirs."""
    return text[:1].upper() + text[1:]


def sides(answer: Answer) -> str:
    """Name the sides on which something is marked."""
    if not answer.sides:
        return tr("nothing")
    return tr("both sides") if len(answer.sides) == 2 else side(answer.sides[0], answer.film)


def marked_on(answer: Answer) -> str:
    """Say on which sides something is marked, as a sentence without its full stop."""
    if len(answer.sides) == 2:
        return tr("Marked on both sides")
    (laterality,), film = answer.sides, answer.film
    if film.states_side:
        on_left, on_right = tr("Marked on the patient’s left"), tr("Marked on the patient’s right")
        return on_left if laterality is Laterality.LEFT else on_right
    return tr("Marked on the picture’s left") if laterality is film.image_left else tr("Marked on the picture’s right")


def side_note(film: Film) -> str:
    """Say which side of the patient the picture's left edge is."""
    if film.states_side:
        if film.image_left is Laterality.LEFT:
            return tr("Left edge of the picture: the patient’s left, as the file says")
        return tr("Left edge of the picture: the patient’s right, as the file says")
    return tr("Side as displayed: the file does not say which side is the patient’s right")


def scale_unknown(answer: Answer) -> str:
    """Say, in a clause, why nothing is measured in millimetres."""
    if any(doubt.code == "doubtful_pixel_spacing" for doubt in answer.doubts):
        return tr("the pixel size in this file is implausible")
    return tr("this file does not say how large its pixels are")


def no_ruler(answer: Answer) -> str:
    """Say why nothing can be measured on the film."""
    if any(doubt.code == "doubtful_pixel_spacing" for doubt in answer.doubts):
        return tr("Ruler off: the pixel size in this file is implausible")
    return tr("Ruler off: this file does not say how large its pixels are")


def nothing_marked(study: Study) -> str:
    """Say why no area is drawn on a film."""
    if study.corrected_png:
        return tr("Your mask marks nothing on this film")
    if study.answer.is_withheld:
        return tr("Nothing is marked: the answer is withheld")
    return tr("The model marks nothing on this film")


def identity(study: Study) -> list[str]:
    """Say whose film it is, as a PACS does in the corner: name and number, birth date and sex, day of the film.

    Returns:
        Up to three lines, without what the file does not say; none where it says nothing of the patient.
    """
    header = study.dicom_header or {}
    name, *_ = name_groups(header)
    pairs = (name, header.get("PatientID", "")), (birth(header), header.get("PatientSex", ""))
    lines = [" · ".join(filter(None, pair)) for pair in pairs]
    if not any(lines):
        return []
    return [line for line in (*lines, tr("taken {day}", day=day(study.taken_on)) if study.taken_on else "") if line]


def name_groups(header: Mapping[str, str]) -> list[str]:
    """Print the patient's name: its alphabetic, ideographic and phonetic group (PS3.5 6.2.1), as far as there are any.

    Args:
        header: What is kept of it, by DICOM keyword.
    """
    groups = header.get("PatientName", "").split("=")
    return [re.sub(r"\s+", " ", group.replace("^", " ")).strip() for group in groups]


def birth(header: Mapping[str, str]) -> str:
    """Say when the patient was born; "" where the header does not."""
    born = header_day(header, "PatientBirthDate")
    return tr("born {day}", day=born) if born else ""


def header_day(header: Mapping[str, str], keyword: str) -> str:
    """Print a date of a header; "" where there is none."""
    digits = header.get(keyword, "")
    return day(f"{digits[:4]}-{digits[4:6]}-{digits[6:]}") if digits else ""


def warnings(answer: Answer) -> str:
    """Count the warnings; "" where there is none."""
    count = len(answer.warnings)
    return tr_n("{count} warning", "{count} warnings", count) if count else ""


def is_photograph(answer: Answer) -> bool:
    """Say whether a film looks like a photograph of a screen, or a screenshot."""
    return any(doubt.code == "colour_image" for doubt in answer.doubts)


def doubts(answer: Answer, anonymous: bool = False) -> list[WordedDoubt]:
    """Word every doubt and what to do about it, warnings first.

    Args:
        answer: Whose doubts.
        anonymous: Whether to give a doubt's code alone: its sentence may tell the patient's age, or quote the header.
    """
    worded = []
    for doubt in sorted(answer.doubts, key=lambda doubt: doubt.severity, reverse=True):
        found = code_as_sentence(doubt.code) if anonymous else tr_core(doubt.message)
        kind = tr("Warning") if doubt.severity == "warning" else tr("Note")
        text = f"{found} {tr_core(doubt.advice)}"
        worded.append(WordedDoubt(kind, text, doubt.code, doubt.severity == "warning"))
    return worded


def code_as_sentence(code: str) -> str:
    """Say no more of a doubt than its code does."""
    return f"{code.replace('_', ' ').capitalize()}."
