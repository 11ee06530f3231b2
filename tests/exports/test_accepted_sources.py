"""DICOM exports of whatever was accepted as a film: any class, any UID, names in every character set."""

import io
import warnings

import numpy as np
import pydicom
import pytest
from pydicom.uid import generate_uid

from app.exports.catalogue import DICOM, exports_of
from tests.support.film_files import to_dicom
from tests.support.needs import command
from tests.support.tools import complaints
from training.releasing.phantom.drawing import draw_phantom

IMAGE = draw_phantom(3, 320).image
MASK = np.zeros(IMAGE.shape, dtype=bool)
MASK[20:60, 250:300] = True

NEEDED = {"SeriesNumber": 1, "InstanceNumber": 1, "Manufacturer": "Maker", "Laterality": "", "StudyDate": "20240131"}


def film(**attributes: object) -> bytes:
    return to_dicom(IMAGE, **NEEDED, **attributes)


def dicom_exports(exported, anonymous: bool = False) -> dict[str, pydicom.Dataset]:
    """Make and parse every DICOM export of a study; pydicom may warn of what is odd, once it is made."""
    made = {e.file: e.make(exported, anonymous) for e in exports_of(exported.study) if e.media_type == DICOM}
    with warnings.catch_warnings(action="ignore"):
        parsed = {file: pydicom.dcmread(io.BytesIO(data)) for file, data in made.items()}
        for dataset in parsed.values():
            dataset.walk(lambda *_: None)
    return parsed


SUM_OF_ALL = "contains invalid data values for Value Representations"
"""What dciodvfy says once more at the end, of a value that the film itself carries."""


def references_of(dataset: pydicom.Dataset) -> set[tuple[str, str]]:
    """Class and name of every instance that an object refers to."""
    found = set()
    if "ReferencedSOPInstanceUID" in dataset:
        found.add((str(dataset.ReferencedSOPClassUID), str(dataset.ReferencedSOPInstanceUID)))
    for element in dataset:
        if element.VR == "SQ":
            found |= {reference for item in element.value for reference in references_of(item)}
    return found


@pytest.mark.parametrize(
    "sop_class",
    [
        "1.2.840.10008.5.1.4.1.1.1",  # Computed Radiography
        "1.2.840.10008.5.1.4.1.1.1.1",  # Digital X-Ray
        "1.2.840.10008.5.1.4.1.1.12.2",  # X-Ray Radiofluoroscopic, a multi-frame class
        "1.2.840.10008.5.1.4.1.1.12.1.1",  # Enhanced XA
        "1.2.840.10008.5.1.4.1.1.13.1.3",  # Breast tomosynthesis
        "1.2.840.10008.5.1.4.1.1.7.1",  # Multi-frame secondary captures
        "1.2.840.10008.5.1.4.1.1.7.2",
        "1.2.840.10008.5.1.4.1.1.7.3",
        "1.2.840.10008.5.1.4.1.1.7.4",
        "1.2.840.10008.5.1.1.29",  # Hardcopy Grayscale, retired
        "1.2.840.10008.5.1.1.30",  # Hardcopy Color, retired
        "1.3.12.2.1107.5.9.1",  # a maker's own
        "1.2.3.04.",  # no UID at all
    ],
)
@pytest.mark.parametrize("frames", [None, 1])
def test_exports_refer_to_an_instance_of_any_class(make_exported, tmp_path, sop_class, frames):
    name = generate_uid(entropy_srcs=[sop_class])
    more = {} if frames is None else {"NumberOfFrames": frames}
    exports = dicom_exports(make_exported(film(SOPClassUID=sop_class, SOPInstanceUID=name, **more), MASK))
    assert set(exports) == {"segmentation.dcm", "probability.dcm", "capture.dcm", "report.dcm"}
    for file, made in exports.items():
        assert (sop_class, name) in references_of(made), file
        made.save_as(tmp_path / file)
        found = complaints(command("dciodvfy", "dicom3tools"), tmp_path / file)
        assert [line for line in found if not any(words in line for words in (sop_class, SUM_OF_ALL))] == [], file


@pytest.mark.parametrize(
    ("study", "series", "instance"),
    [
        ("1.2.840.0000.01.2", "1.2.840.0000.01.2.1", "1.2.840.0000.01.2.1.007"),  # as TG18's test films have
        ("1.2.840.113619.2.", "1.2.840.113619.2.1.", "1.2.840.113619.2.1.1."),
        ("1.2." + "3" * 70, "1.2." + "4" * 70, "1.2." + "5" * 70),
        ("1.2.840.abc", "1.2.840.abc-1", "1.2.840.abc-1-1"),
    ],
    ids=["leading zeros", "dot at the end", "too long", "letters"],
)
def test_uids_are_kept_to_the_letter(make_exported, study, series, instance):
    sent = film(StudyInstanceUID=study, SeriesInstanceUID=series, SOPInstanceUID=instance)
    exported = make_exported(sent, MASK)
    exports = dicom_exports(exported)
    assert "film.dcm" not in exports
    for file, made in exports.items():
        assert str(made.StudyInstanceUID) == study, file
        assert ("1.2.840.10008.5.1.4.1.1.1", instance) in references_of(made), file
        assert str(made.file_meta.MediaStorageSOPInstanceUID) == str(made.SOPInstanceUID) != instance
    anonymous = dicom_exports(exported, anonymous=True)
    assert len({str(made.StudyInstanceUID) for made in anonymous.values()}) == 1
    assert all(study not in str(made) and instance not in str(made) for made in anonymous.values())


NAMES = [
    ("ISO_IR 100", "Buc^Jérôme", b"Buc^J\xe9r\xf4me"),
    ("ISO_IR 101", "Wałęsa^Łucja", "Wałęsa^Łucja".encode("iso8859_2")),
    ("ISO_IR 109", "Ĝis^Ħaġar", "Ĝis^Ħaġar".encode("iso8859_3")),
    ("ISO_IR 110", "Kārlis^Šķēle", "Kārlis^Šķēle".encode("iso8859_4")),
    ("ISO_IR 126", "Διονυσιος", "Διονυσιος".encode("iso8859_7")),
    ("ISO_IR 127", "قباني^لنزار", "قباني^لنزار".encode("iso8859_6")),
    ("ISO_IR 138", "שרון^דבורה", "שרון^דבורה".encode("iso8859_8")),
    ("ISO_IR 144", "Люксембург", "Люксембург".encode("iso8859_5")),
    ("ISO_IR 148", "Çavuşoğlu", "Çavuşoğlu".encode("iso8859_9")),
    ("ISO_IR 166", "นามสกุล", "นามสกุล".encode("tis_620")),
    ("ISO_IR 203", "Œuvré^Žan", "Œuvré^Žan".encode("iso8859_15")),
    (
        ["ISO 2022 IR 13", "ISO 2022 IR 87"],
        "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
        b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J=\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J",
    ),
    (["", "ISO 2022 IR 87"], "架空\u3000患者", b"\x1b$B2M6u!!45<T\x1b(B"),
    (
        ["", "ISO 2022 IR 149"],
        "Hong^Gildong=洪^吉洞=홍^길동",
        b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf",
    ),
    (["", "ISO 2022 IR 58"], "Zhang^XiaoDong=张^小东", b"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab"),
    ("GB18030", "Wang^XiaoDong=王^小东", "Wang^XiaoDong=王^小东".encode("gb18030")),
    ("ISO_IR 192", "De\u00a0Souza^João", "De\u00a0Souza^João".encode()),
    ("ISO_IR 192", "علی\u200cرضا", "علی\u200cرضا".encode()),
    ("ISO_IR 192", "ශ්\u200dරී^නිමල්", "ශ්\u200dරී^නිමල්".encode()),
    ("ISO_IR 192", "शर्मा^राम", "शर्मा^राम".encode()),
]
"""Defined terms of Specific Character Set, a name, and how it is stored (PS3.5 6.1 and annexes H to K)."""


@pytest.mark.parametrize(("terms", "name", "stored"), NAMES, ids=[f"{name}" for _, name, _ in NAMES])
def test_a_name_reaches_every_object_unchanged(make_exported, tmp_path, terms, name, stored):
    place = b"N" * (len(stored) + len(stored) % 2)
    sent = film(SpecificCharacterSet=terms, PatientName=place.decode(), ReferringPhysicianName=place.decode())
    sent = sent.replace(place, stored.ljust(len(place)))
    for file, made in dicom_exports(make_exported(sent, MASK)).items():
        assert made.SpecificCharacterSet == "ISO_IR 192"
        assert str(made.PatientName) == name, file
        assert str(made.ReferringPhysicianName) == name, file
        made.save_as(tmp_path / file)
        assert complaints(command("dciodvfy", "dicom3tools"), tmp_path / file) == [], file


def test_a_name_of_any_length_delays_nothing_and_is_no_other_name(make_exported):
    sent = film(SpecificCharacterSet="ISO_IR 192", PatientName="Ä" * 30_000)
    for made in dicom_exports(make_exported(sent, MASK)).values():
        assert set(str(made.PatientName)) <= {"Ä"}
        assert len(str(made.PatientName)) <= 1024


def stored_rows(exported) -> dict[str, np.ndarray]:
    exports = dicom_exports(exported)
    return {file: exports[file].pixel_array for file in ("segmentation.dcm", "probability.dcm")}


@pytest.mark.parametrize(
    "oblong",
    [
        {"ImagerPixelSpacing": [1.4, 0.7]},
        {"ImagerPixelSpacing": None, "PixelSpacing": [1.4, 0.7]},
        {"ImagerPixelSpacing": None, "PixelAspectRatio": [2, 1]},
    ],
)
def test_a_film_of_oblong_pixels_is_marked_in_its_own_rows_and_columns(make_exported, tmp_path, oblong):
    sent = to_dicom(np.ascontiguousarray(IMAGE[::2]), **NEEDED, **oblong)
    exported = make_exported(sent, MASK)
    assert exported.film.shape == (320, 320)
    for file, pixels in stored_rows(exported).items():
        assert pixels.shape == (160, 320), file
        assert np.array_equal(pixels > 127 if file == "probability.dcm" else pixels == 1, MASK[::2]), file
    for file, made in dicom_exports(exported).items():
        made.save_as(tmp_path / file)
        assert complaints(command("dciodvfy", "dicom3tools"), tmp_path / file) == [], file


def test_a_film_of_square_pixels_is_left_alone(make_exported):
    exported = make_exported(film(ImagerPixelSpacing=[0.7, 0.7001]), MASK)
    assert np.array_equal(stored_rows(exported)["segmentation.dcm"] == 1, MASK)


@pytest.mark.parametrize(
    ("part", "written"),
    [
        *((None, "CHEST"), ("CHEST", "CHEST"), ("TORAX", "CHEST"), ("TÓRAX", "CHEST"), ("KLATKA PIERSIOWA", "CHEST")),
        *(
            ("UNKNOWN", "CHEST"),
            ("Thorax", "CHEST"),
            ("HIP", "HIP"),
            ("ABDOMEN", "ABDOMEN"),
            ("TSPINE", "TSPINE"),
            ("SKULL", "SKULL"),
            ("THORACIC SPINE", "THORACIC SPINE"),
        ),
    ],
)
def test_a_capture_names_a_chest_as_the_standard_does(make_exported, tmp_path, part, written):
    sent = film(BodyPartExamined=part, SpecificCharacterSet="ISO_IR 192")
    made = dicom_exports(make_exported(sent, MASK))["capture.dcm"]
    assert made.BodyPartExamined == written
    made.save_as(tmp_path / "capture.dcm")
    assert complaints(command("dciodvfy", "dicom3tools"), tmp_path / "capture.dcm") == []
