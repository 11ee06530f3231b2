"""What is kept of a header for exports, and what is not."""

import io
import pickle
import struct

import numpy as np
import pytest
from PIL import Image
from pydicom.datadict import dictionary_VR, tag_for_keyword

from app.segmentation.reading.image_io import read_radiograph
from app.studies.header import KEPT, kept_of
from tests.support.film_files import to_dicom, to_png
from training.releasing.phantom.drawing import draw_phantom

IMAGE = draw_phantom(1, 256).image


def kept(film: bytes) -> dict[str, str]:
    return kept_of(read_radiograph(film).header)


def header(**attributes: object) -> dict[str, str]:
    return kept(to_dicom(IMAGE, **attributes))


def test_what_files_an_export_with_its_film_is_kept():
    found = header(PatientBirthDate="19700102", PatientSex="F", StudyDate="20240131", StudyTime="101112.5")
    assert set(found) <= set(KEPT)
    assert found["PatientName"] == "Phantom^Synthetic"
    assert (found["PatientBirthDate"], found["PatientSex"]) == ("19700102", "F")
    assert (found["StudyDate"], found["StudyTime"]) == ("20240131", "101112.5")
    assert found["PatientOrientation"] == "L\\F"
    assert found["SOPClassUID"] == "1.2.840.10008.5.1.4.1.1.1"


def test_nothing_else_is_kept():
    found = header(PatientAddress="1 Long Lane", OtherPatientIDs="MRN 4711", InstitutionName="St. Elsewhere")
    assert "Lane" not in str(found)
    assert "MRN" not in str(found)
    assert "Elsewhere" not in str(found)


@pytest.mark.parametrize(
    ("character_set", "name"),
    [("ISO_IR 100", "Müller^Jürgen"), ("ISO_IR 144", "Иванов^Иван"), ("ISO_IR 192", "Müller^Jürgen=山田^太郎")],
)
def test_names_are_read_in_their_character_set(character_set, name):
    assert header(SpecificCharacterSet=character_set, PatientName=name)["PatientName"] == name


@pytest.mark.parametrize(
    ("keyword", "valid", "sent", "expected"),
    [
        ("StudyDate", "20240101", b"2024.01.31", "20240131"),
        ("StudyDate", "20240101", b"20240132", None),
        ("StudyTime", "101112", b"256161", None),
        ("PatientSex", "M", b"W ", None),
        ("StudyInstanceUID", "1.2.3.4.5", b"1.2.03.4", "1.2.03.4"),
        ("SOPInstanceUID", "1.2.3.4.5", b"1.2.3.4.", "1.2.3.4."),
        ("SOPInstanceUID", "1.2.3.4.5", b"1.2." + b"3" * 80, "1.2." + "3" * 80),
        ("SOPInstanceUID", "1.2.3.4.5", b"1.2\\3.4", None),
        ("AccessionNumber", "A", b"A\\B\r\n ", "A B"),
        ("BurnedInAnnotation", "YES", b"MAYBE ", None),
        ("LossyImageCompressionRatio", "10", b"1.2.3 ", None),
        ("LossyImageCompressionRatio", "10", b"10.5\\2 ", "10.5\\2"),
    ],
)
def test_a_malformed_value_is_left_out_and_not_logged(keyword, valid, sent, expected, caplog, recwarn):
    tag = tag_for_keyword(keyword)
    start = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + dictionary_VR(tag).encode()
    film = to_dicom(IMAGE, **{keyword: valid})
    padded = valid.encode() + (b"\0" if keyword.endswith("UID") else b" ") * (len(valid) % 2)
    element = start + struct.pack("<H", len(padded)) + padded
    assert film.count(element) == 1
    film = film.replace(element, start + struct.pack("<H", len(sent)) + sent)
    recwarn.clear()
    assert kept(film).get(keyword) == expected
    assert not recwarn
    assert not caplog.text


def test_of_a_picture_its_loss_is_kept_and_nothing_else():
    assert kept(to_png(IMAGE)) == {}
    jpeg, webp = encoded("JPEG", quality=90, comment="Doe"), encoded("WEBP", quality=50)
    ratio = f"{IMAGE.size / len(jpeg):.2f}"
    assert list(kept(jpeg).values()) == ["01", ratio, "ISO_10918_1"]
    assert kept(webp)["LossyImageCompression"] == "01"


@pytest.mark.parametrize("more", [{}, {"exif": Image.Exif()}, {"icc_profile": b"VP8 3"}])
def test_a_lossless_webp_has_lost_nothing(more):
    assert kept(encoded("WEBP", lossless=True, **more)) == {}
    assert kept(encoded("WEBP", **more)) != {}


def test_the_facts_of_a_file_can_go_to_another_process():
    radiograph = read_radiograph(to_dicom(IMAGE, StudyDate="20240131", PatientBirthDate="19700102"))
    received = pickle.loads(pickle.dumps(radiograph))
    assert received.header == radiograph.header
    assert b"pydicom" not in pickle.dumps(radiograph)


def encoded(file_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.round(255 * IMAGE).astype(np.uint8)).save(buffer, file_format, **options)
    return buffer.getvalue()
