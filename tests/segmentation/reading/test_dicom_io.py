"""Reading DICOM: transfer syntaxes, grey levels by hand-computed values, metadata, refusals."""

import io
import random
import struct

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    BasicTextSRStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from app.segmentation.errors import (
    FileTooLargeError,
    ImageTooSmallError,
    InvalidImageError,
    MultiFrameError,
    NoPixelDataError,
    PleuraError,
    TooManyPixelsError,
    TruncatedImageError,
    WrongModalityError,
)
from app.segmentation.reading import dicom_elements
from app.segmentation.reading.geometry import Laterality
from app.segmentation.reading.image_io import read_radiograph
from tests.support.dicom_bytes import relabelled
from tests.support.film_files import to_dicom, to_png
from training.releasing.phantom.drawing import draw_phantom

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom's, of damaged and odd headers

FILM = draw_phantom(seed=1, size=256).image
RAMP = (np.arange(256 * 256) % 4096 / 4095).astype(np.float32).reshape(256, 256)
"""Every level of 12 bits: stored level n lies at `RAMP.flat[n]`."""

LOSSLESS = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEG2000Lossless,
    RLELossless,
)
LOSSY = ((JPEGBaseline8Bit, 8), (JPEGExtended12Bit, 8), (JPEGExtended12Bit, 12)) + tuple(
    (syntax, bits) for syntax in (JPEGLSNearLossless, JPEG2000) for bits in (8, 12, 16)
)


def shown(level: int, **attributes: object) -> float:
    """The grey, in [0, 1], at which a 12-bit film shows a stored level."""
    return float(read_radiograph(to_dicom(RAMP, **attributes)).image.flat[level])


def lookup_table(entries: list[int], first: int = 0, bits: int = 12) -> list[Dataset]:
    item = Dataset()
    item.LUTDescriptor, item.LUTData = [len(entries), first, bits], np.array(entries, dtype="<u2").tobytes()
    return [item]


def assert_lost(film: bytes, method: str, size: int) -> None:
    """Check what a film's header says of its loss, whose levels take so many bytes."""
    header = read_radiograph(film).header
    assert header.text("LossyImageCompression") == "01"
    assert header.text("LossyImageCompressionMethod") == method
    (frame,) = generate_frames(pydicom.dcmread(io.BytesIO(film)).PixelData, number_of_frames=1)
    assert float(header.text("LossyImageCompressionRatio")) == pytest.approx(size / len(frame), rel=0.01)


class TestTransferSyntaxes:
    @pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda syntax: syntax.name)
    @pytest.mark.parametrize("bits", [8, 10, 12, 16])
    @pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
    def test_lossless_keeps_every_level(self, syntax, bits, signed):
        film = np.round(FILM * (2**bits - 1)) / (2**bits - 1)
        radiograph = read_radiograph(to_dicom(FILM, transfer_syntax=syntax, bits_stored=bits, signed=signed))
        assert radiograph.image.dtype == np.float32
        assert np.abs(radiograph.image - film).max() < 1e-6
        assert (radiograph.source_format, radiograph.bits_stored) == ("DICOM", bits)

    @pytest.mark.parametrize(("syntax", "bits"), LOSSY, ids=lambda value: getattr(value, "name", value))
    def test_lossy_stays_near(self, syntax, bits):
        radiograph = read_radiograph(to_dicom(FILM, transfer_syntax=syntax, bits_stored=bits))
        assert np.abs(radiograph.image - FILM).max() < 5 / 255
        assert np.abs(radiograph.image - FILM).mean() < 1 / 255

    @pytest.mark.parametrize(("syntax", "bits"), LOSSY, ids=lambda value: getattr(value, "name", value))
    @pytest.mark.parametrize("said", [{}, {"LossyImageCompression": "00"}])
    def test_what_a_codestream_lost_is_known_though_the_header_does_not_say_so(self, syntax, bits, said):
        film = to_dicom(FILM, transfer_syntax=syntax, bits_stored=bits, **said)
        method = {JPEGLSNearLossless: "ISO_14495_1", JPEG2000: "ISO_15444_1"}.get(syntax, "ISO_10918_1")
        assert_lost(film, method, FILM.size * (1 if bits == 8 else 2))

    def test_what_high_throughput_jpeg_2000_lost_is_known(self):
        stream = imagecodecs.htj2k_encode(np.round(FILM * 255).astype(np.uint8), level=0.01, reversible=False)
        film = to_dicom(FILM, bits_stored=8, transfer_syntax=JPEG2000, PixelData=encapsulate([stream]))
        assert_lost(relabelled(film, HTJ2K), "ISO_15444_15", FILM.size)

    def test_what_the_header_says_of_a_loss_stays(self):
        said = {"LossyImageCompression": "01", "LossyImageCompressionRatio": ["7", "9.5"]}
        film = to_dicom(FILM, transfer_syntax=JPEGBaseline8Bit, bits_stored=8, **said)
        header = read_radiograph(film).header
        assert header.text("LossyImageCompressionRatio") == "7\\9.5"
        assert header.text("LossyImageCompressionMethod") == "ISO_10918_1"

    @pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda syntax: syntax.name)
    def test_of_a_film_that_lost_nothing_no_loss_is_said(self, syntax):
        header = read_radiograph(to_dicom(FILM, transfer_syntax=syntax)).header
        assert not any(keyword.startswith("Lossy") for keyword in header.texts)

    @pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda syntax: syntax.name)
    @pytest.mark.parametrize("bits", [8, 12, 16])
    @pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
    def test_png_and_dicom_of_a_film_agree_within_one_grey_level(self, syntax, bits, photometric):
        dicom = read_radiograph(to_dicom(FILM, transfer_syntax=syntax, bits_stored=bits, photometric=photometric))
        for depth in (8, 12, 16):
            png = read_radiograph(to_png(FILM, bits=depth))
            assert np.abs(dicom.image - png.image).max() <= 1 / 255

    def test_8_bits_in_16_allocated(self):
        levels = np.round(FILM * 255).astype(np.uint8)
        for syntax, data in (
            (ExplicitVRLittleEndian, levels.astype(np.uint16).tobytes()),
            (JPEGLosslessSV1, encapsulate([imagecodecs.jpeg8_encode(levels, lossless=True)])),
        ):
            film = to_dicom(FILM, bits_stored=8, transfer_syntax=syntax, BitsAllocated=16, PixelData=data)
            assert np.array_equal(read_radiograph(film).image, levels / np.float32(255))

    def test_frame_in_several_fragments(self):
        frame = imagecodecs.jpegls_encode(np.round(FILM * 255).astype(np.uint8))
        data = encapsulate([frame], fragments_per_frame=4)
        image = read_radiograph(to_dicom(FILM, bits_stored=8, transfer_syntax=JPEGLSLossless, PixelData=data)).image
        assert np.abs(image - FILM).max() <= 0.5 / 255 + 1e-6

    @pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
    def test_without_preamble(self, syntax):
        whole = to_dicom(FILM, transfer_syntax=syntax)
        without_meta = io.BytesIO()
        dataset = pydicom.dcmread(io.BytesIO(whole))
        pydicom.dcmwrite(without_meta, Dataset(dataset), implicit_vr=syntax.is_implicit_VR, little_endian=True)
        for data in (whole[132:], without_meta.getvalue()):
            assert np.array_equal(read_radiograph(data).image, read_radiograph(whole).image)


class TestGreyLevels:
    """Greys computed by hand from the formulas of PS3.3 C.7.6.3.1.2, C.11.1 and C.11.2."""

    def test_without_a_window_the_depth_in_use_is_shown(self):
        assert shown(1000) == pytest.approx(1000 / 4095)
        assert shown(1000, photometric="MONOCHROME1") == pytest.approx(1000 / 4095)  # stored as 3095
        assert shown(1000, BitsStored=16, HighBit=15) == pytest.approx(1000 / 4095)

    def test_signed_levels_without_rescale(self):
        film = to_dicom(RAMP, signed=True, RescaleSlope=None, RescaleIntercept=None, RescaleType=None)
        assert read_radiograph(film).image.flat[1000] == pytest.approx(1000 / 4095)

    @pytest.mark.parametrize(
        ("function", "width", "level", "grey"),
        [
            ("LINEAR", 501, 749, 0),
            ("LINEAR", 501, 800, (800 - 999.5) / 500 + 0.5),
            ("LINEAR", 501, 1000, 0.501),
            ("LINEAR", 501, 1250, 1),
            ("LINEAR", 1, 999, 0),
            ("LINEAR", 1, 1000, 1),
            ("LINEAR_EXACT", 500, 750, 0),
            ("LINEAR_EXACT", 500, 800, 0.1),
            ("LINEAR_EXACT", 500, 1000, 0.5),
            ("LINEAR_EXACT", 500, 1250, 1),
            ("SIGMOID", 500, 1000, 0.5),
            ("SIGMOID", 500, 1125, 1 / (1 + np.exp(-1))),
            ("SIGMOID", 500, 0, 1 / (1 + np.exp(8))),
        ],
    )
    def test_window(self, function, width, level, grey):
        window = {"VOILUTFunction": function, "WindowCenter": 1000, "WindowWidth": width}
        assert shown(level, **window) == pytest.approx(grey, abs=1e-6)
        inverted = shown(4095 - level, photometric="MONOCHROME1", **window)  # RAMP's 4095 - n is stored as n
        assert inverted == pytest.approx(1 - grey, abs=1e-6)

    def test_first_of_several_windows(self):
        assert shown(1000, WindowCenter=[1000, 3000], WindowWidth=[501, 10]) == pytest.approx(0.501)

    def test_window_is_in_rescaled_units(self):
        window = {"WindowCenter": 1000, "WindowWidth": 501}
        assert shown(1800, RescaleSlope=0.5, RescaleIntercept=100, **window) == pytest.approx(0.501)
        assert shown(1000, signed=True, **window) == pytest.approx(0.501)

    def test_negative_slope_inverts(self):
        assert shown(1000, RescaleSlope=-1, RescaleIntercept=4095) == pytest.approx(3095 / 4095)
        window = {"WindowCenter": 1000, "WindowWidth": 501}
        assert shown(3095, RescaleSlope=-1, RescaleIntercept=4095, **window) == pytest.approx(0.501)

    @pytest.mark.parametrize(
        "window",
        [
            {"WindowCenter": 1000, "WindowWidth": 0},
            {"WindowCenter": 1000, "WindowWidth": -5},
            {"WindowCenter": 1000, "WindowWidth": ""},
            {"WindowCenter": "", "WindowWidth": ""},
            {"WindowCenter": "", "WindowWidth": 500},
            {"WindowCenter": 1000},
            {"WindowWidth": 500},
            {"WindowCenter": 1000, "WindowWidth": 500, "VOILUTFunction": "SPLINE"},
        ],
    )
    def test_impossible_window_is_left_out(self, window):
        assert shown(1000, **window) == pytest.approx(1000 / 4095)

    def test_voi_lut_takes_precedence_over_the_window(self):
        squares = [level * level // 4095 for level in range(4096)]
        window = {"WindowCenter": 10, "WindowWidth": 5}
        assert shown(2000, VOILUTSequence=lookup_table(squares), **window) == pytest.approx(squares[2000] / 4095)

    def test_voi_lut_clips_outside_its_range(self):
        table = lookup_table([0, 2047, 4095], first=1000)
        greys = [shown(level, VOILUTSequence=table) for level in (0, 1000, 1001, 1002, 4095)]
        assert greys == pytest.approx([0, 0, 2047 / 4095, 1, 1])

    def test_modality_lut(self):
        roots = [round((4095 * level) ** 0.5) for level in range(4096)]
        table = lookup_table(roots, bits=16)
        assert shown(1000, ModalityLUTSequence=table) == pytest.approx(roots[1000] / 4095)
        window = {"WindowCenter": roots[1000], "WindowWidth": 501}
        assert shown(1000, ModalityLUTSequence=table, **window) == pytest.approx(0.501)

    def test_presentation_lut_shape_inverts_once(self):
        assert shown(1000, PresentationLUTShape="INVERSE") == pytest.approx(3095 / 4095)
        assert shown(1000, PresentationLUTShape="IDENTITY") == pytest.approx(1000 / 4095)
        assert shown(1000, photometric="MONOCHROME1", PresentationLUTShape="INVERSE") == pytest.approx(1000 / 4095)

    @pytest.mark.parametrize(
        "attributes",
        [
            {"RescaleSlope": 0, "RescaleIntercept": 5},
            {"RescaleSlope": "nan", "RescaleIntercept": 0},
            {"WindowCenter": 1e10, "WindowWidth": 10},
            {"WindowCenter": "nan", "WindowWidth": 10},
        ],
    )
    def test_film_that_would_be_shown_blank(self, attributes):
        with pytest.raises(InvalidImageError, match="Rescale slope and window"):
            shown(0, **attributes)


class TestColours:
    COLOUR = np.array([200, 100, 50])
    LUMA = (0.299 * 200 + 0.587 * 100 + 0.114 * 50) / 255

    def colour_film(self, pixel_data: bytes, photometric: str, **attributes: object):
        header = {"SamplesPerPixel": 3, "PlanarConfiguration": 0, "Modality": "OT", **attributes}
        return read_radiograph(to_dicom(FILM, bits_stored=8, photometric=photometric, PixelData=pixel_data, **header))

    def test_rgb(self):
        film = self.colour_film(bytes(self.COLOUR.tolist()) * FILM.size, "RGB")
        assert film.is_colour
        assert np.abs(film.image - self.LUMA).max() <= 0.5 / 255

    def test_planes(self):
        planes = b"".join(bytes([level]) * FILM.size for level in self.COLOUR)
        film = self.colour_film(planes, "RGB", PlanarConfiguration=1)
        assert np.abs(film.image - self.LUMA).max() <= 0.5 / 255

    def test_ybr_full(self):
        film = self.colour_film(bytes([100, 128, 128]) * FILM.size, "YBR_FULL")
        assert not film.is_colour
        assert np.abs(film.image - 100 / 255).max() < 1 / 255

    @pytest.mark.parametrize(
        ("syntax", "photometric"),
        [
            (JPEGBaseline8Bit, "YBR_FULL_422"),
            (JPEG2000Lossless, "YBR_RCT"),
            (JPEGLSLossless, "RGB"),
            (RLELossless, "RGB"),
        ],
    )
    def test_compressed(self, syntax, photometric):
        picture = np.broadcast_to(self.COLOUR.astype(np.uint8), (*FILM.shape, 3)).copy()
        if syntax == RLELossless:
            film = pydicom.dcmread(io.BytesIO(to_dicom(FILM, bits_stored=8, Modality="OT")))
            film.SamplesPerPixel, film.PlanarConfiguration, film.PhotometricInterpretation = 3, 0, "RGB"
            film.compress(RLELossless, picture)
            data = io.BytesIO()
            film.save_as(data)
            radiograph = read_radiograph(data.getvalue())
        else:
            encode = {
                JPEGBaseline8Bit: lambda: imagecodecs.jpeg8_encode(picture, level=98, subsampling="422"),
                JPEG2000Lossless: lambda: imagecodecs.jpeg2k_encode(picture, codecformat="j2k", reversible=True),
                JPEGLSLossless: lambda: imagecodecs.jpegls_encode(picture),
            }[syntax]
            radiograph = self.colour_film(encapsulate([encode()]), photometric, transfer_syntax=syntax)
        assert radiograph.is_colour
        assert np.abs(radiograph.image - self.LUMA).max() < 1.5 / 255

    def test_palette(self):
        palette = {
            f"{colour}PaletteColorLookupTable{part}": value
            for colour in ("Red", "Green", "Blue")
            for part, value in (
                ("Descriptor", [256, 0, 16]),
                ("Data", np.arange(65535, -1, -257, dtype="<u2").tobytes()),
            )
        }
        film = read_radiograph(to_dicom(RAMP, bits_stored=8, photometric="PALETTE COLOR", **palette))
        assert not film.is_colour
        assert np.abs(film.image - (1 - np.round(RAMP * 255) / 255)).max() < 1e-6


class TestMetadata:
    def film(self, **attributes: object):
        return read_radiograph(to_dicom(FILM, **attributes))

    def test_distance_on_the_detector(self):
        assert self.film(ImagerPixelSpacing=[0.2, 0.2], PixelSpacing=[0.18, 0.18]).pixel_spacing_mm == (0.2, 0.2)
        assert self.film(ImagerPixelSpacing=None, PixelSpacing=[0.3, 0.3]).pixel_spacing_mm == (0.3, 0.3)

    def test_distance_on_a_film_that_was_digitised(self):
        scanned = {"NominalScannedPixelSpacing": [0.4, 0.4]}
        assert self.film(ImagerPixelSpacing=None, **scanned).pixel_spacing_mm == (0.4, 0.4)
        assert self.film(ImagerPixelSpacing=None, PixelSpacing=[0, 0], **scanned).pixel_spacing_mm == (0.4, 0.4)
        assert self.film(ImagerPixelSpacing=None, PixelSpacing=[0.3, 0.3], **scanned).pixel_spacing_mm == (0.3, 0.3)
        assert self.film(ImagerPixelSpacing=[0.2, 0.2], **scanned).pixel_spacing_mm == (0.2, 0.2)

    @pytest.mark.parametrize("kind", ["GEOMETRY", "FIDUCIAL"])
    def test_a_calibrated_distance_is_none_on_the_detector(self, kind):
        calibrated = {"PixelSpacing": [0.3, 0.3], "PixelSpacingCalibrationType": kind}
        assert self.film(ImagerPixelSpacing=None, **calibrated).pixel_spacing_mm is None
        assert self.film(ImagerPixelSpacing=[0.4, 0.4], **calibrated).pixel_spacing_mm == (0.4, 0.4)
        scanned = {"NominalScannedPixelSpacing": [0.5, 0.5]}
        assert self.film(ImagerPixelSpacing=None, **calibrated, **scanned).pixel_spacing_mm == (0.5, 0.5)

    def test_unknown_or_impossible_spacing(self):
        assert self.film(ImagerPixelSpacing=None).pixel_spacing_mm is None
        assert self.film(ImagerPixelSpacing=[0, 0]).pixel_spacing_mm is None
        assert self.film(ImagerPixelSpacing="").pixel_spacing_mm is None

    def test_view_and_body_part(self):
        film = self.film(ViewPosition="AP", BodyPartExamined="THORAX")
        assert (film.view_position, film.body_part) == ("AP", "THORAX")
        film = self.film(ViewPosition=None, BodyPartExamined="")
        assert (film.view_position, film.body_part) == ("", "")

    def test_a_sentence_instead_of_a_code_is_cut(self):
        assert len(self.film(BodyPartExamined="THORAX " * 100).body_part) == 64

    @pytest.mark.parametrize(
        ("stated", "years"),
        [("034Y", 34), ("34", 34), ("006M", 0.5), ("052W", 0.997), ("000D", 0), ("090Y", 90)],
    )
    def test_age(self, stated, years):
        assert self.film(PatientAge=stated).age_years == pytest.approx(years, abs=0.001)

    @pytest.mark.parametrize("stated", ["", "000Y", "0", "999Y", "Y", "old", "-3Y", "²Y"])
    def test_age_that_says_nothing(self, stated):
        assert self.film(PatientAge=stated).age_years is None

    def test_age_by_the_dates(self):
        assert self.film().age_years is None
        assert self.film(PatientBirthDate="19500101").age_years is None
        dates = {"PatientBirthDate": "19500101", "StudyDate": "20200701"}
        assert self.film(**dates).age_years == pytest.approx(70.5, abs=0.01)
        assert self.film(**dates, PatientAge="071Y").age_years == 71
        assert self.film(PatientBirthDate="19000101", StudyDate="20200701").age_years is None
        assert self.film(PatientBirthDate="20210101", StudyDate="20200701").age_years is None
        assert self.film(PatientBirthDate="unknown", StudyDate="20200701").age_years is None

    def test_an_odd_age_or_date_is_not_put_into_the_log(self, recwarn, caplog):
        film = to_dicom(FILM, PatientAge="Methuselah", PatientBirthDate="long ago", StudyDate="20200701")
        recwarn.clear()
        caplog.clear()
        assert read_radiograph(film).age_years is None
        assert not recwarn.list
        assert not caplog.records

    @pytest.mark.parametrize(("says", "expected"), [("YES", True), ("NO", False), (None, False)])
    def test_burned_in_annotation(self, says, expected):
        film = to_dicom(FILM) if says is None else to_dicom(FILM, BurnedInAnnotation=says)
        assert read_radiograph(film).has_burned_in_text is expected

    @pytest.mark.parametrize(
        ("orientation", "side"),
        [
            (["L", "F"], (Laterality.RIGHT, True)),
            (["R", "F"], (Laterality.LEFT, True)),
            (["RP", "F"], (Laterality.LEFT, True)),
            (["A", "F"], (Laterality.RIGHT, False)),
            ("", (Laterality.RIGHT, False)),
            (None, (Laterality.RIGHT, False)),
        ],
    )
    def test_side_at_the_left_edge(self, orientation, side):
        film = self.film(PatientOrientation=orientation)
        assert (film.image_left, film.states_side) == side


class TestRefusals:
    @pytest.mark.parametrize("modality", ["CR", "DX", "RG", "RF", "SC", "OT", "", None])
    def test_projection_radiographs_and_unknown_ones_are_read(self, modality):
        assert read_radiograph(to_dicom(FILM, Modality=modality)).modality == (modality or "")

    @pytest.mark.parametrize("modality", ["CT", "MR", "US", "PT", "MG", "PX", "ECG"])
    def test_other_modalities_are_refused_and_shown(self, modality):
        with pytest.raises(WrongModalityError, match=f"modality is {modality}") as refusal:
            read_radiograph(to_dicom(FILM, Modality=modality))
        assert np.abs(refusal.value.picture - FILM).max() <= 0.5 / 4095 + 1e-6

    @pytest.mark.parametrize(
        "attributes", [{"BitsStored": 32}, {"PixelData": bytes(8)}, {"Rows": 60000, "Columns": 60000}]
    )
    def test_another_modality_that_cannot_be_decoded_is_refused_as_one(self, attributes):
        with pytest.raises(WrongModalityError) as refusal:
            read_radiograph(to_dicom(FILM, Modality="CT", **attributes))
        assert refusal.value.picture is None

    def test_without_pixel_data(self):
        for pixel_data in (None, b""):
            with pytest.raises(NoPixelDataError, match="Computed Radiography Image Storage holds no image") as refusal:
                read_radiograph(to_dicom(FILM, PixelData=pixel_data))
            assert refusal.value.picture is None

    def test_report(self):
        report = Dataset()
        report.SOPClassUID, report.SOPInstanceUID, report.Modality = BasicTextSRStorage, "1.2.3", "SR"
        data = io.BytesIO()
        report.file_meta = FileMetaDataset()
        report.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        pydicom.dcmwrite(data, report, enforce_file_format=True)
        with pytest.raises(NoPixelDataError, match="Basic Text SR Storage"):
            read_radiograph(data.getvalue())

    def test_several_frames(self):
        three = b"".join(np.round(frame * 4095).astype("<u2").tobytes() for frame in (FILM, 1 - FILM, 1 - FILM))
        with pytest.raises(MultiFrameError, match="3 frames") as refusal:
            read_radiograph(to_dicom(FILM, NumberOfFrames=3, PixelData=three))
        assert np.abs(refusal.value.picture - FILM).max() <= 0.5 / 4095 + 1e-6

    def test_too_many_pixels_are_refused_before_decoding(self):
        with pytest.raises(TooManyPixelsError, match="60000 × 60000"):
            read_radiograph(to_dicom(FILM, Rows=60000, Columns=60000))

    def test_too_few_pixels(self):
        with pytest.raises(ImageTooSmallError, match="256 × 255") as refusal:
            read_radiograph(to_dicom(FILM[:255]))
        assert refusal.value.picture.shape == (255, 256)

    def test_deflated_bomb(self, monkeypatch):
        monkeypatch.setattr(dicom_elements, "MAX_INFLATED_BYTES", 2**20)
        bomb = to_dicom(FILM, transfer_syntax=DeflatedExplicitVRLittleEndian, PixelData=bytes(2**20))
        assert len(bomb) < 2**13
        with pytest.raises(FileTooLargeError, match="inflates to more than 1 MiB"):
            read_radiograph(bomb)

    @pytest.mark.parametrize("syntax", [JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless, RLELossless])
    def test_frame_of_another_size_than_the_header_says(self, syntax):
        film = to_dicom(np.tile(FILM, (4, 4)), bits_stored=8, transfer_syntax=syntax, Rows=256, Columns=256)
        with pytest.raises(TruncatedImageError):
            read_radiograph(film)

    @pytest.mark.parametrize(
        "syntax",
        [
            *("1.2.3.4.5", "EXPLICIT", "1.2.840.10008.1.2.1\\1.2.840.10008.1.2", "1.2.840.10008.1.20"),
            *("1.2.840.10008.1.2.7.1", "1.2.840.10008.1.2.4.94", "1.2.840.10008.1.2.4.100", HTJ2KLossless),
        ],
    )
    def test_what_the_data_are_counts_whatever_they_are_called(self, syntax):
        film = to_dicom(FILM, transfer_syntax=ExplicitVRLittleEndian)
        right = read_radiograph(film).image
        np.testing.assert_array_equal(read_radiograph(relabelled(film, syntax)).image, right)

    def test_high_throughput_jpeg_2000(self):
        levels = np.arange(256 * 256, dtype=np.uint16).reshape(256, 256) % 4096
        right = read_radiograph(to_dicom(RAMP, transfer_syntax=ExplicitVRLittleEndian)).image
        stream = imagecodecs.htj2k_encode(levels, level=0)
        film = to_dicom(RAMP, transfer_syntax=JPEG2000Lossless, PixelData=encapsulate([stream]))
        np.testing.assert_array_equal(read_radiograph(relabelled(film, HTJ2KLossless)).image, right)

    def test_words_of_another_byte_order_than_the_header(self):
        film = pydicom.dcmread(io.BytesIO(to_dicom(FILM, transfer_syntax=ImplicitVRLittleEndian)))
        right = read_radiograph(to_dicom(FILM, transfer_syntax=ImplicitVRLittleEndian)).image
        film.PixelData = np.frombuffer(film.PixelData, "<u2").astype(">u2").tobytes()
        data = io.BytesIO()
        film.save_as(data)
        ge = relabelled(data.getvalue(), dicom_elements.GE_BIG_ENDIAN_PIXELS)
        np.testing.assert_array_equal(read_radiograph(ge).image, right)

    @pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian])
    def test_a_meta_group_in_implicit_vr(self, syntax):
        film = to_dicom(FILM, transfer_syntax=syntax)
        order = ">" if syntax == ExplicitVRBigEndian else "<"
        value = syntax.encode() + b"\0" * (len(syntax) % 2)
        meta = struct.pack(f"{order}HHL", 0x0002, 0x0010, len(value)) + value
        length = struct.pack(f"{order}HHLL", 0x0002, 0, 4, len(meta))
        body = film[144 + struct.unpack_from("<L", film, 140)[0] :]
        right = read_radiograph(film).image
        for group in (meta, length + meta):
            np.testing.assert_array_equal(read_radiograph(film[:132] + group + body).image, right)

    @pytest.mark.parametrize(
        "attributes", [{"BitsStored": 1}, {"BitsStored": 32}, {"PhotometricInterpretation": "HSV"}]
    )
    def test_unreadable_pixels(self, attributes):
        with pytest.raises(InvalidImageError, match=str(*attributes.values())):
            read_radiograph(to_dicom(FILM, **attributes))

    @pytest.mark.parametrize("syntax", [*LOSSLESS, JPEGBaseline8Bit, JPEG2000], ids=lambda syntax: syntax.name)
    @pytest.mark.parametrize("share", [0.002, 0.3, 0.7, 0.99])
    def test_cut_off(self, syntax, share):
        data = to_dicom(FILM, bits_stored=8, transfer_syntax=syntax)
        with pytest.raises(TruncatedImageError, match="ends early or is damaged"):
            read_radiograph(data[: max(200, int(share * len(data)))])

    @pytest.mark.parametrize(
        "syntax", [JPEGBaseline8Bit, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless, RLELossless]
    )
    def test_frame_cut_off_inside_a_whole_object(self, syntax):
        """libjpeg would fill the rest with grey, and CharLS search for its end for many seconds."""
        film = pydicom.dcmread(io.BytesIO(to_dicom(FILM, bits_stored=8, transfer_syntax=syntax)))
        frame = next(pydicom.encaps.generate_frames(film.PixelData, number_of_frames=1))
        film.PixelData = encapsulate([frame[: len(frame) // 2]])
        data = io.BytesIO()
        film.save_as(data)
        with pytest.raises(TruncatedImageError, match="pixel data ends early"):
            read_radiograph(data.getvalue())


@pytest.mark.parametrize("syntax", [*LOSSLESS, JPEGBaseline8Bit, JPEG2000], ids=lambda syntax: syntax.name)
def test_damaged_files_are_refused_or_read_but_never_crash(syntax):
    chance = random.Random(str(syntax))
    sound = to_dicom(FILM, bits_stored=8, transfer_syntax=syntax, WindowCenter=[128, 100], WindowWidth=[256, 200])
    for _ in range(40):
        data = bytearray(sound)
        for _ in range(chance.choice((1, 2, 20))):
            end = min(len(data), 2000) if chance.random() < 0.6 else len(data)
            data[chance.randrange(132, end)] = chance.randrange(256)
        try:
            image = read_radiograph(bytes(data)).image
        except PleuraError:
            continue
        assert 0 <= image.min() <= image.max() <= 1


def test_real_films_agree_with_their_prepared_copies(data_folder):
    originals = sorted((data_folder / "original").iterdir())
    assert len(originals) > 10
    for path in originals:
        film = read_radiograph(path.read_bytes())
        copy = read_radiograph((data_folder / "images" / f"{path.stem}.webp").read_bytes())
        halved = film.image.reshape(512, 2, 512, 2).mean(axis=(1, 3))
        assert np.corrcoef(halved.ravel(), copy.image.ravel())[0, 1] > 0.999
        if path.suffix == ".dcm":
            assert film.view_position in ("PA", "AP")
            assert film.body_part == "CHEST"
