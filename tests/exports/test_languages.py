"""Exports in German: what is written for people is German, what programs read is not."""

import io

import pydicom
from pypdf import PdfReader

from app.analysis.language import speaking
from app.exports.catalogue import answer_json
from app.exports.dicom_sr import report
from app.exports.pdf import report_pdf
from app.exports.worklist_csv import worklist_csv
from app.segmentation.decision.doubts import doubt
from tests.support.dicom_exports import BOTH, FILMS, dicom_exports, said


def test_the_report_is_german_as_a_whole(make_exported):
    found = doubt(
        "tilted", "The body seems to lie at a slant of about 21°, more than 18°; hardly any training film does."
    )
    with speaking("de"):
        report = PdfReader(io.BytesIO(report_pdf(make_exported(FILMS["dicom"], BOTH, doubts=(found,)), False)))
    text = " ".join(report.pages[0].extract_text().replace("\xa0", " ").split())
    for expected in (
        "Verdacht auf Pneumothorax · 1 Warnung",
        "Arbeitspunkt: Spezifität 0,90, bei 50 %. Unklar von 30 % bis 60 %.",
        "Links am Patienten",
        "1.440 mm² am Detektor",
        "Warnung: Der Körper scheint um etwa 21° schräg zu liegen",
        "geboren 02.01.1970",
        "Nur für die Forschung. Kein Medizinprodukt",
    ):
        assert expected in text
    assert not {"the", "film", "probability", "model"} & set(text.lower().split())
    assert report.root_object["/Lang"] == "de"


def test_the_structured_report_speaks_german_under_a_name_of_its_own_and_keeps_its_codes(make_exported):
    exported = make_exported(FILMS["dicom"], BOTH)
    english = dicom_exports(exported)
    with speaking("de"):
        german = dicom_exports(exported)
        again = pydicom.dcmread(io.BytesIO(report(exported, False)))
    assert "Verdacht auf Pneumothorax." in said(german["report.dcm"])
    assert "Nur für die Forschung." in said(german["report.dcm"])
    assert codes_of(german["report.dcm"]) - codes_of(english["report.dcm"]) == {("de", "German")}
    for name in ("report.dcm", "capture.dcm"):
        assert german[name].SOPInstanceUID != english[name].SOPInstanceUID
    for name in ("segmentation.dcm", "probability.dcm"):
        assert german[name] == english[name]
    assert again.SOPInstanceUID == german["report.dcm"].SOPInstanceUID


def codes_of(dataset: pydicom.Dataset) -> set[tuple[str, str]]:
    items = (item for element in dataset.iterall() if element.VR == "SQ" for item in element.value)
    return {(item.CodeValue, item.CodeMeaning) for item in items if "CodeValue" in item}


def test_tables_and_json_are_english_whoever_asks(make_exported):
    exported = make_exported(FILMS["dicom"], BOTH)
    english = worklist_csv([exported.study]), answer_json(exported, False)
    with speaking("de"):
        assert (worklist_csv([exported.study]), answer_json(exported, False)) == english
