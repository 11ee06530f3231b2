"""A report of one page: the film with what is marked, the finding, and when not to trust it."""

from datetime import UTC, datetime
from typing import TypedDict

from PIL import Image

from app.analysis import wording
from app.analysis.language import day, language, number, tr, tr_core, tr_n
from app.exports.exported_study import ExportedStudy
from app.exports.pictures import draw_overlay
from app.exports.report_fonts import is_drawable
from app.exports.report_page import ALARM, FOOT, GREY, HEIGHT, INK, MARGIN, WIDTH, Page
from app.segmentation.decision.calibration import Finding
from app.segmentation.decision.postprocessing import Region
from app.segmentation.notice import NOTICE
from app.version import VERSION

GAP = 6.0
FILM_WIDTH = 116.0
ROOM = ((124.0, 1.0), (100.0, 1.0), (80.0, 0.9), (60.0, 0.78), (45.0, 0.7))
"""Height of the film and size of the text; the first with which everything finds room on the page is taken."""


class Place(TypedDict):
    """From where to where a paragraph goes, in millimetres."""

    x: float
    width: float


BESIDE: Place = {"x": MARGIN + FILM_WIDTH + GAP, "width": WIDTH - 2 * MARGIN - FILM_WIDTH - GAP}
"""Where a paragraph beside the film lies."""

MAX_REGIONS = 6
NO_MOMENT = datetime(1900, 1, 1, tzinfo=UTC)
"""In place of a time that nothing may tell, as in DICOM objects (`deidentify.DUMMIES`)."""

LONGEST_PRINTED = 64
"""Characters of a name's group, or of a number (PS3.5 6.2)."""


def report_pdf(exported: ExportedStudy, anonymous: bool) -> bytes:
    """Lay out the report.

    Args:
        exported: The film and what is said of it.
        anonymous: Whether to leave out whose film it is, the file's name and its time too.
    """
    for film_height, text_scale in ROOM:
        page = Page(text_scale)
        if _fill(page, exported, anonymous, film_height) <= HEIGHT - FOOT:
            break
    page.set_title(tr("Pleura: report on a chest radiograph"))
    page.set_subject(exported.imprint)
    page.set_creator(tr("Pleura {version}, model {model}, SHA-256 {hash}.", **exported.maker).rstrip("."))
    page.set_lang(language())
    page.set_creation_date(NO_MOMENT if anonymous else _moment(exported))  # fpdf2 would say when it was asked for
    return bytes(page.output())


def _fill(page: Page, exported: ExportedStudy, anonymous: bool, film_height: float) -> float:
    """Lay out everything around a film of some height at most, and return where the text ends."""
    _head(page, exported, anonymous)
    top = page.get_y() + GAP
    below = _film(page, exported, top, film_height)
    page.set_y(top)
    _finding(page, exported)
    page.set_y(max(below, page.get_y()) + GAP / 2)
    _regions(page, exported)
    _doubts(page, exported, anonymous)
    page.heading(tr("Film and model"))
    for label, text in _provenance(exported, anonymous).items():
        page.row(label, text)
    bottom = page.get_y()
    page.last_line(tr(NOTICE))
    return bottom


def _head(page: Page, exported: ExportedStudy, anonymous: bool) -> None:
    page.paragraph("Pleura", 15, bold=True)
    page.paragraph(tr("Report on a chest radiograph, made by a machine"), colour=GREY)
    page.ln(1.5)
    page.banner(f"{exported.warning} {tr(NOTICE)}".lstrip())
    page.ln(3)
    if anonymous:
        page.paragraph(tr("Patient left out on request; text burnt into the film itself is not."), colour=GREY)
        return
    for line in (*_names(exported.header), _identity(exported.header)):
        if line:
            page.paragraph(line, bold=True)


def _identity(header: dict[str, str]) -> str:
    """Say whose film it is, as far as its header does, beside the name."""
    taken = wording.header_day(header, "StudyDate")
    said = [
        wording.birth(header),
        header.get("PatientSex"),
        "PatientID" in header and tr("ID {number}", number=_clipped(header["PatientID"])),
        taken and tr("study of {day}", day=taken),
        "AccessionNumber" in header and tr("accession {number}", number=_clipped(header["AccessionNumber"])),
    ]
    return " · ".join(part for part in said if part)


def _names(header: dict[str, str]) -> list[str]:
    """Print the patient's name: its alphabetic group, and its ideographic one where there is one (PS3.5 6.2.1).

    Each gets a line of its own, for it may run from right to left. The phonetic group stands where both are missing.
    """
    groups = wording.name_groups(header)
    printable = [_clipped(group) for group in groups if group and is_drawable(group)]
    if any(groups) and not printable:
        return [tr("Name in characters that this report cannot print")]
    return printable[: 2 if groups[:1] != [""] else 1]


def _clipped(text: str) -> str:
    """Cut what is longer than the standard allows, so that it takes no room from the rest of the page."""
    return text if len(text) <= LONGEST_PRINTED else f"{text[:LONGEST_PRINTED]}…"


def _film(page: Page, exported: ExportedStudy, top: float, highest: float) -> float:
    """Draw the film as large as its place allows, and say whose mark it is; return where it ends."""
    overlay = Image.fromarray(draw_overlay(exported))
    scale = min(FILM_WIDTH / overlay.width, highest / overlay.height)
    width, height = overlay.width * scale, overlay.height * scale
    words = tr("Chest radiograph. {marking}.", marking=exported.marking)
    page.set_image_filter("DCTDecode")
    page.image(overlay, MARGIN + (FILM_WIDTH - width) / 2, top, width, height, alt_text=words)
    page.set_y(top + height + 1)
    page.paragraph(f"{exported.marking}.", 8, width=FILM_WIDTH, colour=GREY)
    return page.get_y()


def _finding(page: Page, exported: ExportedStudy) -> None:
    """Say the finding, the probability, and what it is measured against, beside the film."""
    page.paragraph(tr("Finding of the model"), 8, colour=GREY, **BESIDE)
    page.paragraph(exported.headline, 14, bold=True, **BESIDE)
    page.ln(3)
    page.paragraph(tr("Probability of a pneumothorax"), 8, colour=GREY, **BESIDE)
    if exported.chance:
        _probability(page, exported, exported.chance)
    else:
        page.paragraph(tr("None: {reason}.", reason=wording.reason(exported.answer)), 10, **BESIDE)
    if exported.answer.finding is Finding.NEGATIVE:
        page.ln(2)
        page.paragraph(tr(wording.MISSES_SOME), 8, colour=ALARM, **BESIDE)
    if exported.verdict:
        page.ln(3)
        page.paragraph(tr("Reader"), 8, colour=GREY, **BESIDE)
        page.paragraph(exported.verdict, **BESIDE)


def _probability(page: Page, exported: ExportedStudy, chance: str) -> None:
    point = exported.answer.model.operating_point
    low, high = wording.chance(point.indeterminate_low), wording.chance(point.indeterminate_high)
    page.paragraph(chance, 20, bold=True, **BESIDE)
    limits = tr(
        "Operating point: {point}. Indeterminate from {low} to {high}.",
        point=exported.operating_point,
        low=low,
        high=high,
    )
    page.paragraph(limits, 8, **BESIDE)
    page.ln(1)
    calibrated = tr(
        "Calibrated on films of {source}; where the disease is rarer, fewer films will show one.",
        source=tr_core(exported.answer.model.source),
    )
    page.paragraph(calibrated, 8, colour=GREY, **BESIDE)


def _regions(page: Page, exported: ExportedStudy) -> None:
    page.heading(tr("Areas marked by the reader") if exported.is_corrected else tr("Areas marked by the model"))
    if not exported.regions:
        page.paragraph(tr("None.") if exported.is_judged else tr("None: the answer is withheld."))
        return
    for at, region in enumerate(exported.regions[:MAX_REGIONS], start=1):
        page.row(f"{at}. {wording.capitalised(exported.side_words(region.laterality))}", _size(exported, region))
    more = len(exported.regions) - MAX_REGIONS
    if more > 0:
        page.paragraph(tr_n("And {count} smaller.", "And {count} smaller ones.", more))
    page.paragraph(tr(wording.AREA_IS_NO_VOLUME), 8, colour=GREY)


def _size(exported: ExportedStudy, region: Region) -> str:
    said = [tr("{share} of the film", share=wording.percent(region.area_fraction, 2))]
    if region.area_mm2 is not None:
        said.append(tr("{area} mm² at the detector", area=number(region.area_mm2)))
    if not exported.is_corrected:
        said.append(tr("mean of the map {mean}", mean=wording.chance(region.probability)))
    sizes = ", ".join(said)
    return sizes if exported.states_side else f"{sizes}; {wording.side_if_usual(region.laterality)}"


def _doubts(page: Page, exported: ExportedStudy, anonymous: bool) -> None:
    page.heading(tr("When not to trust it"))
    doubts = wording.doubts(exported.answer, anonymous)
    if not doubts:
        page.paragraph(tr(wording.NOTHING_UNUSUAL))
    for doubt in doubts:
        page.paragraph(f"{doubt.kind}: {doubt.text}", colour=ALARM if doubt.is_warning else INK)


def _provenance(exported: ExportedStudy, anonymous: bool) -> dict[str, str]:
    film = exported.answer.film
    moment = _moment(exported)
    when = f"{day(moment.date().isoformat())} {moment:%H:%M %Z}"
    named = {tr("File"): exported.study.file_name, tr("Analysed"): when}
    return {
        **({} if anonymous else named),
        tr("Film"): tr("{width} × {height} pixels, {format}", width=film.width, height=film.height, format=film.format),
        tr("Software"): f"Pleura {VERSION}",
        tr("Model"): f"{exported.model_name}, SHA-256 {exported.hash_prefix}",
        tr("Time taken"): f"{number(exported.answer.seconds, 2)} s",
    }


def _moment(exported: ExportedStudy) -> datetime:
    return datetime.fromtimestamp(exported.study.created_at).astimezone()
