"""Body parts, views and modalities as departments write them, and as PS3.16 codes them."""

import io
import re

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    CTImageStorage,
    DigitalMammographyXRayImageStorageForPresentation,
    MRImageStorage,
    SecondaryCaptureImageStorage,
    UltrasoundImageStorage,
    VLPhotographicImageStorage,
    XRayRadiofluoroscopicImageStorage,
)

from app.segmentation.decision.header_checks import doubts_of_header
from app.segmentation.decision.population import FIRST_RELEASES
from app.segmentation.errors import WrongModalityError
from app.segmentation.reading import modality as modalities
from app.segmentation.reading import view as views
from app.segmentation.reading.body_part import shows_chest
from app.segmentation.reading.file_header import Code
from app.segmentation.reading.image_io import read_radiograph
from app.segmentation.reading.view import is_frontal
from tests.support.film_files import to_dicom
from training.releasing.phantom.drawing import draw_phantom

FILM = to_dicom(draw_phantom(1, 256).image, BodyPartExamined=None, ViewPosition=None)


def listed(names: str) -> list[str]:
    return names.strip("\n").replace("\n", "|").split("|")


CHESTS = listed(
    """
CHEST|Thorax|TÓRAX|TORAX|TORACE|RX TORACE AP|PECHO|PULMÓN|costillas|parrilla costal|POUMON|poitrine
CAGE THORACIQUE|polmoni|Pulmão|BRUSTKORB|Lunge|Röntgenthorax|HERZ/LUNGE|borstkas|longen|bröstkorg
Lungor|Brystkasse|Rintakehä|keuhkot|Rindkere|Krūšu kurvis|krūtinės ląsta|KLATKA PIERSIOWA|płuca
Hrudník|Plíce|Pľúca|mellkas|tüdő|prsni koš|pluća|Göğüs|Akciğer|ГРУДНАЯ КЛЕТКА|ОГК|лёгкие|Гръден кош
Θώρακας|ΘΩΡΑΞ|胸部|胸部正面|肺|흉부|가슴|肋骨|늑골|صدر|חזה|छाती|ทรวงอก|Dada|Ngực|Phổi|CXR|LUNG|RIB|RIBS
ribcage|HEMITHORAX|TRUNK|CHESTABDPELV|NECKCHEST|CHEST_PA|CHEST 2 VIEWS|T\ufffdRAX|T?RAX|TÃ“RAX
Thorax p.a.|TORSE|KL. PIERSIOWA|Pljuča|قفسه سينه|ريه|RIND|KOPSUD
"""
)

OTHERS = listed(
    """
HAND|HIP|SKULL|ABDOMEN|PELVIS|CLAVICLE|STERNUM|SHOULDER|BREAST|FOOT|THORACIC SPINE|T-SPINE|TSPINE
BWS|Brustwirbelsäule|BRUST-WS|胸鎖関節|грудной отдел|HAND EINSTELLUNG|colonna toracica
Coluna torácica|COLUMNA DORSAL|rachis dorsal|Hrudní páteř|kręgosłup piersiowy
грудной отдел позвоночника|odcinek piersiowy|грудина|THORACIC AORTA|胸椎|胸骨|膝
Θωρακική μοίρα|العمود الفقري الصدري|فقرات صدری|Cột sống ngực|Rintaranka
LONG LEG|Knie|mano|genou
"""
)

NOTHINGS = "|UNKNOWN|DEFAULT|N/A|-|???|OTHER|NOT SPECIFIED|UNDEFINED|X-RAY|0|Body part|不明|Unbekannt|XXX|TBA".split(
    "|"
)

NOT_FRONTAL = listed(
    """
LL|RL|LLD|RLD|LLO|RLO|LAO|RAO|LPO|RPO|XTABLE|XTABLE LAT|CROSS-TABLE|SWIMMERS|L|LLAT|LAT|Lateral
Latérale|LATERO-LATERAL|PERFIL|PROFIL|PROFIL G|OBL|OBLÍQUA|schräg|seitlich|DEC|DECUBITUS
DORSAL DECUBITUS|decúbito lateral|LAT_LEFT|Bočná|боковая проекция|側面
X-TABLE|LLDECUB|R LDECUB|TRANSLAT|PLAGIA|LEFTLATERAL|RTLATERAL|LLATERAL|RIGHTLAT|CHESTLAT|LATLT|LATLAT|LATDECUB
RTDECUB|ROBL|SHOOT THROUGH|L-L|L.L.|左侧位|胸部侧位|左前斜位|胸部側面像|側臥位|第一斜位|좌측면|흉부측면|БОКОВА|БІЧНА
Латеральная|Бочна|ΠΛΑΓΙΟΣ|Προφίλ|جانبية|נ.צדדי|ภาพด้านข้าง|seitlicher Strahlengang|Oldalsó|Sivuprojektio
Sidebillede|Sidoprojektion|nghiêng|stranska|Boczne
"""
)

FRONTAL = listed(
    """
PA|AP|p.a.|FRONTAL|FACE|AP SUPINE|PA ERECT|POSTERO_ANTERIOR|DECUBITO SUPINO|Décubitus dorsal
AP PORTABLE|PLATE|UNKNOWN|PA L|AP R|BILATERAL|正面|胸部正位|両側肺|정면|фронтальная|Прямая|أمامي خلفي|Sagittal
Bal oldali|beidseitig|PLATEAU
"""
)


def with_codes(**sequences: tuple[str, str, str]) -> bytes:
    """Put one coded entry into each sequence, "Outer__Inner" into one inside of another's item."""
    dataset = pydicom.dcmread(io.BytesIO(FILM))
    for place, (value, scheme, meaning) in sequences.items():
        entry, holder = Dataset(), dataset
        entry.CodeValue, entry.CodingSchemeDesignator, entry.CodeMeaning = value, scheme, meaning
        *outer, keyword = place.split("__")
        for name in outer:
            holder = getattr(holder, name)[0]
        setattr(holder, keyword, Sequence([entry]))
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


def doubts(film: bytes) -> list[str]:
    return [found.code for found in doubts_of_header(read_radiograph(film), FIRST_RELEASES)]


@pytest.mark.parametrize("part", CHESTS)
def test_a_chest(part):
    assert shows_chest(part) is True


@pytest.mark.parametrize("part", OTHERS)
def test_another_part(part):
    assert shows_chest(part) is False


@pytest.mark.parametrize("part", NOTHINGS)
def test_a_placeholder_names_no_part(part):
    assert shows_chest(part) is None


@pytest.mark.parametrize(
    ("value", "scheme", "meaning", "expected"),
    [
        ("816094009", "SCT", "Chest", []),
        ("51185008", "SCT", "Thorax", []),
        ("T-D3000", "SRT", "Chest", []),
        ("T-28000", "SNM3", "", []),
        ("416775004", "SCT", "Chest, Abdomen and Pelvis", []),
        ("TH", "99LOCAL", "Klatka piersiowa", []),
        ("122495006", "SCT", "Thoracic spine", ["not_chest"]),
        ("85562004", "SCT", "Hand", ["not_chest"]),
        ("T-D8700", "SRT", "", ["not_chest"]),
        ("17", "99LOCAL", "", []),
    ],
)
def test_a_coded_region_is_read_where_no_words_name_one(value, scheme, meaning, expected):
    assert doubts(with_codes(AnatomicRegionSequence=(value, scheme, meaning))) == expected


def test_a_damaged_sequence_is_passed_over():
    film = with_codes(AnatomicRegionSequence=("85562004", "SCT", "Hand"))
    broken = film.replace(b"SCT ", b"SCT\\").replace(b"85562004", b"\xff\xfe\x00\x00\xe0\xff\xff\xff")
    assert read_radiograph(broken).image.shape == (256, 256)


@pytest.mark.parametrize("view", NOT_FRONTAL)
def test_another_view(view):
    assert not is_frontal(view)


@pytest.mark.parametrize("view", FRONTAL)
def test_a_frontal_view(view):
    assert is_frontal(view)


@pytest.mark.parametrize(
    ("sequences", "expected"),
    [
        ({"ViewCodeSequence": ("399173006", "SCT", "left lateral")}, ["not_frontal"]),
        ({"ViewCodeSequence": ("R-10236", "SRT", "")}, ["not_frontal"]),
        ({"ViewCodeSequence": ("R-10220", "SNM3", "left anterior oblique")}, ["not_frontal"]),
        ({"ViewCodeSequence": ("7", "99LOCAL", "PROFIL")}, ["not_frontal"]),
        ({"ViewCodeSequence": ("399348003", "SCT", "antero-posterior")}, []),
        ({"ViewCodeSequence": ("R-40888", "SRT", "postero-anterior")}, []),
        ({"ViewCodeSequence": ("R-10214", "SNM3", "postero-anterior")}, []),  # CID 4010 before 2004
        ({"ViewCodeSequence": ("R-10214", "SNM3", "")}, []),
        ({"ViewCodeSequence": ("R-10218", "SNM3", "")}, ["not_frontal"]),
        ({"ViewCodeSequence": ("R-10226", "SNM3", "")}, ["not_frontal"]),
        ({"ViewCodeSequence": ("R-10222", "SNM3", "sagittal")}, []),
        (
            {
                "ViewCodeSequence": ("R-10206", "SNM3", "antero-posterior"),
                "ViewCodeSequence__ViewModifierCodeSequence": ("R-40885", "SRT", ""),
            },
            ["not_frontal"],
        ),
        (
            {
                "ViewCodeSequence": ("399348003", "SCT", "antero-posterior"),
                "ViewCodeSequence__ViewModifierCodeSequence": ("399162004", "SCT", "caudad"),
            },
            [],
        ),
        (
            {
                "ViewCodeSequence": ("399348003", "SCT", "antero-posterior"),
                "ViewCodeSequence__ViewModifierCodeSequence": ("111069", "DCM", "Crosstable"),
            },
            ["not_frontal"],
        ),
        (
            {
                "AnatomicRegionSequence": ("T-D3000", "SRT", "Chest"),
                "AnatomicRegionSequence__AnatomicRegionModifierSequence": ("F-10317", "SRT", ""),
            },
            ["not_frontal"],
        ),
    ],
)
def test_a_coded_view(sequences, expected):
    assert doubts(with_codes(**sequences)) == expected


@pytest.mark.parametrize(
    ("orientation", "expected", "states_side"),
    [
        (["L", "F"], [], True),
        (["R", "F"], [], True),
        (["P", "F"], ["not_frontal"], False),
        (["A", "F"], ["not_frontal"], False),
        (["A", "FR"], ["not_frontal"], False),
        (["LP", "F"], ["not_frontal"], True),
        (["L", "P"], ["not_frontal"], True),
        (["LF", "FR"], [], True),
    ],
)
def test_the_view_by_patient_orientation(orientation, expected, states_side):
    film = to_dicom(draw_phantom(1, 256).image, PatientOrientation=orientation)
    assert doubts(film) == expected
    assert read_radiograph(film).states_side is states_side


@pytest.mark.parametrize(
    ("written", "code", "view"),
    [
        *(("AP", None, "AP"), ("ap", None, "AP"), ("A.P.", None, "AP"), ("AP SUPINE", None, "AP")),
        *(
            ("POSTERO-ANTERIOR", None, "PA"),
            ("Thorax p.a.", None, "PA"),
            ("", "399348003", "AP"),
            ("", "R-10214", "PA"),
        ),
        *(("PLATE", "272479007", "PA"), ("AP", "272479007", "AP"), ("PA", "399173006", "LEFT LATERAL")),
        *(("AP/PA", None, "AP/PA"), ("FRONTAL", "399033003", "FRONTAL"), ("", None, "")),
        *(("AP OBLIQUE", None, "AP OBLIQUE"), ("PA LAT", None, "PA LAT")),
    ],
)
def test_a_frontal_view_has_one_of_two_names(written, code, view):
    codes = [] if code is None else [Code(code)]
    assert views.named_by(written, codes, "") == view


@pytest.mark.parametrize(
    ("written", "code"),
    [
        *(("CR", "CR"), ("cr", "CR"), ("DR", "DX"), ("XR", "DX"), ("CR\\DX", "CR"), ("DX/CR", "DX"), ("X-RAY", "DX")),
        *(
            ("", ""),
            ("UNKNOWN", ""),
            ("Digital Radiography", ""),
            ("RF", "RF"),
            ("CT", "CT"),
            ("CR\\CT", "CT"),
            ("MG", "MG"),
            ("DX\\SR", "DX"),
            ("PR\\CR", "CR"),
            ("SR", "SR"),
            ("CT\\SR", "CT"),
            *(("CHEST XRAY", "DX"), ("CHEST X-RAY", "DX"), ("DRX", "DX"), ("DR ", "DX"), ("RX", "DX"), ("XR 2", "DX")),
            *(("RX TÓRAX", "DX"), ("CR CHEST", "CR"), ("Portable XR", "DX"), ("RTG", "DX"), ("Röntgen Thorax", "DX")),
            *(("CR CHEST\\SR", "CR"), ("CHEST RF", "RF"), ("Chest-SC", "SC")),
            *(("CT CHEST", "CTCHEST"), ("CHEST CT", "CHESTCT"), ("XRAY ANGIO", "XRAYANGIO"), ("DX MAMMO", "DXMAMMO")),
            *(("CR\\CHEST CT", "CHESTCT"), ("CHEST", "CHEST"), ("X-ray computed tomography", "XRAYCOMPUTEDTOMOGRAPHY")),
        ),
    ],
)
def test_a_modality_by_its_code(written, code):
    assert modalities.named_by(written) == code


@pytest.mark.parametrize("modality", [["CR", "DX"], "DR", "XR", "cr", "DRX", "CHEST XRAY", "X-RAY", "RX"])
def test_a_radiograph_by_whatever_modality_is_read_and_not_doubted(modality):
    assert doubts(to_dicom(draw_phantom(1, 256).image, Modality=modality)) == []


def test_a_list_of_modalities_with_another_kind_is_refused_by_its_name():
    with pytest.raises(WrongModalityError, match="CT"):
        read_radiograph(to_dicom(draw_phantom(1, 256).image, Modality=["CR", "CT"]))


@pytest.mark.parametrize("sop_class", modalities.CLASSES)
@pytest.mark.parametrize("modality", ["CHEST", "Radiografia", "XYZ"])
def test_an_unknown_modality_is_doubted_of_a_class_for_radiographs_alone(modality, sop_class):
    film = to_dicom(draw_phantom(1, 256).image, Modality=modality, SOPClassUID=sop_class)
    assert "unknown_modality" in doubts(film)


@pytest.mark.parametrize("modality", ["CHEST", "XYZ", "CT", "CHEST CT"])
@pytest.mark.parametrize(
    "sop_class", [SecondaryCaptureImageStorage, CTImageStorage, DigitalMammographyXRayImageStorageForPresentation]
)
def test_an_unknown_modality_of_any_other_class_is_refused(modality, sop_class):
    with pytest.raises(WrongModalityError):
        read_radiograph(to_dicom(draw_phantom(1, 256).image, Modality=modality, SOPClassUID=sop_class))


@pytest.mark.parametrize("modality", [None, "", "OT", "UNKNOWN"])
@pytest.mark.parametrize(
    ("sop_class", "is_read"),
    [
        *((CTImageStorage, False), (DigitalMammographyXRayImageStorageForPresentation, False)),
        *((MRImageStorage, False), (UltrasoundImageStorage, False), (VLPhotographicImageStorage, False)),
        *((SecondaryCaptureImageStorage, True), (XRayRadiofluoroscopicImageStorage, True), (UID("1.2.3.4"), True)),
        *((sop_class, True) for sop_class in modalities.CLASSES),
    ],
)
def test_the_class_decides_where_the_modality_says_nothing(modality, sop_class, is_read):
    film = to_dicom(draw_phantom(1, 256).image, Modality=modality, SOPClassUID=sop_class)
    if is_read:
        read_radiograph(film)
    else:
        with pytest.raises(WrongModalityError, match=re.escape(sop_class.name)):
            read_radiograph(film)


@pytest.mark.parametrize(
    "modality", ["CT", "MR", "MRI", "US", "NM", "MG", "Mammography", "SR", "ECG", "CT CHEST", "CHEST CT", "PET/CT"]
)
def test_another_modality_is_refused_though_the_class_be_a_radiograph_s(modality):
    with pytest.raises(WrongModalityError):
        read_radiograph(to_dicom(draw_phantom(1, 256).image, Modality=modality))


@pytest.mark.parametrize(
    "attributes",
    [
        {"PresentationIntentType": "FOR PROCESSING"},
        {"PresentationIntentType": "for_processing"},
        {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.1.1.1"},
    ],
)
def test_a_raw_image_is_doubted(attributes):
    assert doubts(to_dicom(draw_phantom(1, 256).image, **attributes)) == ["for_processing"]
    presented = {"PresentationIntentType": "FOR PRESENTATION", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.1.1"}
    assert doubts(to_dicom(draw_phantom(1, 256).image, **presented)) == []


def test_another_body_part_is_believed_before_a_film_is_inverted():
    negative = 1 - draw_phantom(2, 512).image
    chest, hip = (read_radiograph(to_dicom(negative, BodyPartExamined=part)) for part in ("TORAX", "HIP"))
    assert (chest.was_inverted, hip.was_inverted) == (True, False)
    assert abs(hip.image - negative).max() < 1e-3


@pytest.mark.parametrize(
    "spacing",
    ["0.7", "0.7\\0.7\\0.7", "0.7\\", "\\", "abc", "0.7\\abc", "0\\0", "-1\\1", "nan\\1", "inf\\inf", "1e400\\1"],
)
def test_a_spacing_that_is_none_refuses_no_film(spacing):
    film = to_dicom(draw_phantom(1, 256).image, ImagerPixelSpacing=[0.125, 0.125])
    stored = spacing.encode().ljust(12)
    assert film.count(b"0.125\\0.125 ") == 1
    assert read_radiograph(film.replace(b"0.125\\0.125 ", stored)).pixel_spacing_mm is None


def test_another_spacing_is_taken_where_the_detectors_is_none():
    film = to_dicom(draw_phantom(1, 256).image, ImagerPixelSpacing=[0, 0], PixelSpacing=[0.7, 0.7])
    assert read_radiograph(film).pixel_spacing_mm == (0.7, 0.7)


def test_a_decimal_comma_is_a_point():
    film = to_dicom(draw_phantom(1, 256).image, ImagerPixelSpacing=[0.703125, 0.703125])
    assert read_radiograph(film.replace(b"0.703125", b"0,703125")).pixel_spacing_mm == (0.703125, 0.703125)


def test_a_comma_parts_two_lengths_with_points():
    film = to_dicom(draw_phantom(1, 256).image, ImagerPixelSpacing=[0.125, 0.125])
    assert read_radiograph(film.replace(b"0.125\\0.125", b"0.125,0.125")).pixel_spacing_mm == (0.125, 0.125)
