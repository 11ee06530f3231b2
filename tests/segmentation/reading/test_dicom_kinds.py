"""Films that departments have and that other readers show wrongly or refuse, with their right greys by the standard."""

import io
import struct

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from app.segmentation.errors import InvalidImageError, NoPixelDataError, PleuraError, TruncatedImageError
from app.segmentation.reading.dicom_io import read_dicom
from tests.support.dicom_bytes import element, implicit_object, inserted, relabelled, replaced
from tests.support.dicom_variants import lookup_table
from tests.support.film_files import to_dicom
from training.releasing.phantom.drawing import draw_phantom

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom's, as it writes odd headers

FILM = draw_phantom(seed=1, size=256).image
LEVELS = np.round(FILM * 4095).astype(np.int32)
EIGHT = np.round(FILM * 255).astype(np.uint8)
WINDOW = {"WindowCenter": 1500, "WindowWidth": 2000}
WINDOWED = np.clip((LEVELS - 1499.5) / 1999 + 0.5, 0, 1)
"""What `WINDOW` shows of `LEVELS` (PS3.3 C.11.2.1.2.1)."""
EDGE_DISTANCE = np.minimum.reduce(np.meshgrid(*[np.minimum(np.arange(256), np.arange(256)[::-1])] * 2))
MARGIN = EDGE_DISTANCE < 32
"""Where collimators are on some films."""


def read(data: bytes) -> np.ndarray:
    return read_dicom(data).image


def shows(data: bytes, greys: np.ndarray, tolerance: float = 1e-6) -> bool:
    image = read(data)
    return image.shape == greys.shape and float(np.abs(image - greys).max()) <= tolerance


def compressed(syntax: str, levels: np.ndarray, bits: int, surplus: bytes = b"", **attributes: object) -> bytes:
    """A film whose codestream has `bits`, whatever the header says."""
    frame = {
        JPEG2000Lossless: lambda: imagecodecs.jpeg2k_encode(
            levels, level=0, codecformat="j2k", reversible=True, bitspersample=bits
        ),
        JPEGLSLossless: lambda: imagecodecs.jpegls_encode(levels),
        JPEGLosslessSV1: lambda: imagecodecs.jpeg8_encode(levels, lossless=True, predictor=1, bitspersample=bits),
        JPEGBaseline8Bit: lambda: imagecodecs.jpeg8_encode(levels, level=98),
        JPEGExtended12Bit: lambda: imagecodecs.jpeg8_encode(levels, level=98, bitspersample=bits),
    }[syntax]()
    return to_dicom(FILM, transfer_syntax=syntax, PixelData=encapsulate([frame + surplus]), **attributes)


WORD_SYNTAXES = (
    *(ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, RLELossless),
    *(JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless),
)


def of_frame(frame: bytes, syntax: str, photometric: str, samples: int = 3) -> bytes:
    """A film of 8 bits whose header says so of its codestream."""
    said = {"PhotometricInterpretation": photometric, "SamplesPerPixel": samples}
    return to_dicom(FILM, bits_stored=8, transfer_syntax=syntax, PixelData=encapsulate([frame]), **said)


def of_words(syntax: str, words: np.ndarray, bits: int = 12, **attributes: object) -> bytes:
    """A film of words of 16 bits, all of which are stored though the header says fewer."""
    said = {"BitsStored": bits, "HighBit": bits - 1, **attributes}
    return to_dicom(words / 65535, bits_stored=16, transfer_syntax=syntax, **said)


class TestWindow:
    def test_an_empty_function_is_linear(self):
        assert shows(to_dicom(FILM, **WINDOW, VOILUTFunction=""), WINDOWED)
        assert shows(to_dicom(FILM, **WINDOW, VOILUTFunction=["LINEAR", "LINEAR"]), WINDOWED)
        assert shows(to_dicom(FILM, **WINDOW, VOILUTFunction="linear "), WINDOWED)

    @pytest.mark.parametrize("spelled", ["LINEAR_EXACT", "LINEAR EXACT", "linearexact"])
    def test_a_function_in_another_spelling(self, spelled):
        data = to_dicom(FILM, **WINDOW, VOILUTFunction=spelled)
        assert shows(data, np.clip((LEVELS - 1500) / 2000 + 0.5, 0, 1))

    def test_an_element_that_is_there_twice(self):
        twice = element(0x0028, 0x1056, b"CS", b"LINEAR")
        assert shows(inserted(to_dicom(FILM, **WINDOW, VOILUTFunction="LINEAR"), (0x0028, 0x1056), twice), WINDOWED)

    @pytest.mark.parametrize("center", ["1500,0", "1500.0 ", " 1500", "+1.5e3"])
    def test_decimal_commas_and_padding(self, center):
        data = replaced(to_dicom(FILM, **WINDOW), (0x0028, 0x1050), center.encode())
        assert shows(data, WINDOWED)

    def test_the_first_window_that_is_possible(self):
        assert shows(to_dicom(FILM, WindowCenter=[0, 1500], WindowWidth=[0, 2000]), WINDOWED)
        assert shows(to_dicom(FILM, WindowCenter=["", 1500], WindowWidth=["", 2000]), WINDOWED)
        assert shows(to_dicom(FILM, WindowCenter=[99999, 1500], WindowWidth=[10, 2000]), WINDOWED)
        assert shows(to_dicom(FILM, WindowCenter=[1500, 9], WindowWidth=2000), WINDOWED)

    def test_functional_groups_of_a_single_frame(self):
        groups, voi, transformation = Dataset(), Dataset(), Dataset()
        voi.WindowCenter, voi.WindowWidth = 3000, 4000
        transformation.RescaleSlope, transformation.RescaleIntercept = 2, 0
        groups.FrameVOILUTSequence, groups.PixelValueTransformationSequence = [voi], [transformation]
        for keyword in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
            data = to_dicom(FILM, NumberOfFrames=1, **{keyword: [groups]})
            assert shows(data, np.clip((2 * LEVELS - 2999.5) / 3999 + 0.5, 0, 1))

    def test_binary_numbers_where_text_belongs(self):
        data = to_dicom(FILM, **WINDOW)
        for vr, value in ((b"FD", struct.pack("<d", 1500)), (b"US", struct.pack("<H", 1500))):
            assert shows(replaced(data, (0x0028, 0x1050), value, vr), WINDOWED)


class TestRescale:
    @pytest.mark.parametrize("value", ["", "1,0", "1.0", " 1"])
    def test_empty_or_with_a_comma(self, value):
        data = to_dicom(FILM, RescaleSlope=1, RescaleIntercept=0, RescaleType="US", **WINDOW)
        assert shows(replaced(data, (0x0028, 0x1053), value.encode()), WINDOWED)

    def test_one_that_makes_every_level_alike_is_refused_under_a_window_too(self):
        with pytest.raises(InvalidImageError, match="show every pixel alike"):
            read(to_dicom(FILM, RescaleSlope=0, RescaleIntercept=0, RescaleType="US", **WINDOW))

    def test_one_that_is_no_number_is_named(self):
        data = to_dicom(FILM, RescaleSlope=1, RescaleIntercept=0, RescaleType="US")
        with pytest.raises(InvalidImageError, match="RescaleSlope is “one”"):
            read(replaced(data, (0x0028, 0x1053), b"one"))


class TestTables:
    ROOTS = np.round(4095 * (np.arange(4096) / 4095) ** 0.5)
    ROOTED = ROOTS[LEVELS] / 4095

    @pytest.mark.parametrize("keyword", ["ModalityLUTSequence", "VOILUTSequence"])
    @pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
    def test_12_bits(self, keyword, syntax):
        assert shows(to_dicom(FILM, transfer_syntax=syntax, **{keyword: lookup_table(self.ROOTS, 12)}), self.ROOTED)

    @pytest.mark.parametrize("keyword", ["ModalityLUTSequence", "VOILUTSequence"])
    def test_12_bits_that_claim_16(self, keyword):
        assert shows(to_dicom(FILM, **{keyword: lookup_table(self.ROOTS, 16)}), self.ROOTED)

    @pytest.mark.parametrize("keyword", ["ModalityLUTSequence", "VOILUTSequence"])
    @pytest.mark.parametrize("packed", [False, True])
    def test_8_bits_in_words_or_bytes(self, keyword, packed):
        entries = np.round(self.ROOTS / 4095 * 255)
        data = to_dicom(FILM, **{keyword: lookup_table(entries, 8, packed=packed)})
        assert shows(data, entries[LEVELS] / 255)
        data = to_dicom(FILM, bits_stored=8, **{keyword: lookup_table(entries[::-16][::-1], 8, packed=packed)})
        assert shows(data, entries[::-16][::-1][EIGHT] / 255)

    def test_surplus_entries_are_ignored(self):
        table = lookup_table(self.ROOTS, 12)
        table[0].LUTData += b"\xff\x7f\xff\x7f"
        for keyword in ("ModalityLUTSequence", "VOILUTSequence"):
            assert shows(to_dicom(FILM, **{keyword: table}), self.ROOTED)

    def test_missing_entries_repeat_the_last(self):
        table = lookup_table(self.ROOTS, 12)
        table[0].LUTData = table[0].LUTData[:-2]
        assert shows(to_dicom(FILM, VOILUTSequence=table), np.minimum(self.ROOTS[LEVELS], self.ROOTS[-2]) / 4095)

    def test_white_is_what_the_descriptor_says(self):
        dark = lookup_table(np.round(0.3 * 65535 * np.arange(4096) / 4095), 16)
        assert shows(to_dicom(FILM, VOILUTSequence=dark), 0.3 * FILM, 1e-3)
        identity = lookup_table(np.arange(4096), 12)
        assert shows(to_dicom(FILM / 4, VOILUTSequence=identity), FILM / 4, 1e-3)

    @pytest.mark.parametrize("depth", [0, 17, 9])
    def test_a_depth_that_cannot_be_is_that_of_the_entries(self, depth):
        assert shows(to_dicom(FILM, VOILUTSequence=lookup_table(self.ROOTS, depth)), self.ROOTED)

    @pytest.mark.parametrize("first", [-1024, 64512])
    def test_the_first_input_is_signed_where_inputs_are(self, first):
        table = lookup_table(self.ROOTS, 12, first=first)
        rescale = {"RescaleSlope": 1, "RescaleIntercept": -1024, "RescaleType": "US"}
        assert shows(to_dicom(FILM, VOILUTSequence=table, **rescale), self.ROOTED)

    def test_a_broken_table_leaves_the_window(self):
        for table in ([Dataset()], lookup_table(self.ROOTS[:10], 12)):
            if "LUTDescriptor" in table[0]:
                table[0].LUTDescriptor = [4096, 0, 12]
            assert shows(to_dicom(FILM, VOILUTSequence=table, **WINDOW), WINDOWED)
            assert shows(to_dicom(FILM, VOILUTSequence=table), LEVELS / 4095)

    def test_the_first_table_that_is_whole(self):
        assert shows(to_dicom(FILM, VOILUTSequence=[Dataset(), *lookup_table(self.ROOTS, 12)]), self.ROOTED)

    @pytest.mark.parametrize("number", ["12.1", "12.2", "12.3"])
    def test_the_modality_lut_of_fluoroscopy_is_not_for_display(self, number):
        table = lookup_table(self.ROOTS, 12)
        data = to_dicom(FILM, SOPClassUID=f"1.2.840.10008.5.1.4.1.1.{number}", ModalityLUTSequence=table)
        assert shows(data, LEVELS / 4095)


class TestDepth:
    def test_high_bit(self):
        for bits, shift in ((12, 4), (10, 2), (14, 1)):
            levels = np.round(FILM * (2**bits - 1)).astype("<u2")
            data = to_dicom(
                FILM, bits_stored=bits, HighBit=bits + shift - 1, PixelData=(levels << shift).astype("<u2").tobytes()
            )
            assert shows(data, levels / (2**bits - 1))

    @pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless, JPEGLosslessSV1, JPEG2000Lossless])
    @pytest.mark.parametrize("bit", [12, 15])
    def test_overlays_above_the_levels_are_left_out(self, syntax, bit):
        levels = LEVELS.astype(np.uint16)
        levels[20:60, 30:90] |= 1 << bit
        if syntax in (ExplicitVRLittleEndian, RLELossless):
            data = to_dicom(FILM, PixelData=levels.astype("<u2").tobytes())
            if syntax == RLELossless:
                film = pydicom.dcmread(io.BytesIO(data))
                film.compress(RLELossless)
                buffer = io.BytesIO()
                film.save_as(buffer)
                data = buffer.getvalue()
        else:
            data = compressed(syntax, levels, 16)
        assert shows(data, LEVELS / 4095)

    def test_an_overlay_in_a_lossy_codestream(self):
        levels = LEVELS.astype(np.uint16)
        levels[20:60, 30:90] |= 1 << 12
        frame = imagecodecs.jpeg2k_encode(levels, level=70, codecformat="j2k", reversible=False)
        data = to_dicom(FILM, transfer_syntax=JPEG2000Lossless, PixelData=encapsulate([frame]))
        assert np.abs(read(data) - LEVELS / 4095).mean() < 0.01

    @pytest.mark.parametrize("syntax", [JPEGLosslessSV1, JPEG2000Lossless, JPEGLSLossless, JPEGExtended12Bit])
    @pytest.mark.parametrize("said", [8, 10])
    def test_the_codestream_is_deeper_than_the_header_says(self, syntax, said):
        data = compressed(syntax, LEVELS.astype(np.uint16), 12, BitsStored=said, HighBit=said - 1, BitsAllocated=16)
        assert shows(data, LEVELS / 4095, 0.02 if syntax == JPEGExtended12Bit else 1e-6)

    @pytest.mark.parametrize("syntax", [JPEGLosslessSV1, JPEG2000Lossless, JPEGLSLossless])
    @pytest.mark.parametrize("bits", [14, 16])
    @pytest.mark.parametrize("said", [8, 10, 12])
    def test_a_film_fills_the_room_that_the_header_gives_to_less(self, syntax, bits, said):
        levels = np.round(FILM * (2**bits - 1)).astype(np.uint16)
        data = compressed(syntax, levels, 16, BitsStored=said, HighBit=said - 1)
        assert shows(data, levels / (2**bits - 1))

    @pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian, RLELossless])
    @pytest.mark.parametrize(("bits", "said"), [(13, 12), (14, 12), (16, 12), (14, 10), (16, 8)])
    @pytest.mark.parametrize("signed", [False, True])
    def test_more_bits_than_are_said_to_be_stored(self, syntax, bits, said, signed):
        levels = np.round(FILM * (2**bits - 1)).astype(np.int32)
        data = to_dicom(FILM, bits_stored=16, transfer_syntax=syntax, BitsStored=said, HighBit=said - 1)
        stored = levels - 2 ** (bits - 1) * signed
        order = ">" if syntax == ExplicitVRBigEndian else "<"
        film = pydicom.dcmread(io.BytesIO(data))
        film.PixelRepresentation = int(signed)
        film.PixelData = stored.astype(f"{order}i4").astype(f"{order}u2").tobytes()
        if syntax == RLELossless:
            film.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
            film["PixelData"].is_undefined_length = False
            film.BitsStored, film.HighBit = 16, 15
            film.compress(RLELossless)
            film.BitsStored, film.HighBit = said, said - 1
        buffer = io.BytesIO()
        film.save_as(buffer)
        assert shows(buffer.getvalue(), levels / (2**bits - 1), 1e-3)

    @pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, JPEGLosslessSV1, JPEG2000Lossless])
    def test_an_overlay_above_noise(self, syntax):
        noise = np.random.default_rng(0).integers(0, 4096, FILM.shape).astype(np.uint16)
        words = noise.copy()
        words[20:60, 30:90] |= 1 << 12
        words[100:140:2, 30:90] |= 1 << 15
        if syntax == ExplicitVRLittleEndian:
            data = to_dicom(FILM, PixelData=words.astype("<u2").tobytes())
        else:
            data = compressed(syntax, words, 16)
        assert shows(data, noise / 4095)

    @pytest.mark.parametrize("syntax", WORD_SYNTAXES)
    @pytest.mark.parametrize(("group", "bits", "bit"), [(0x6000, 12, 12), (0x601E, 12, 13), (0x6004, 10, 10)])
    def test_an_overlay_that_the_header_names(self, syntax, group, bits, bit):
        """At its edge, a film of one bit more would look the same: nothing but the header tells them apart."""
        levels = (2**bits - 1 - np.clip(EDGE_DISTANCE - 32, 0, 60) * LEVELS // (60 * 2 ** (13 - bits))) * ~MARGIN
        words = levels | MARGIN << bit
        named = {f"{group:04X}0100": 16, f"{group:04X}0102": bit}
        assert shows(of_words(syntax, words, bits, **named), levels / (2**bits - 1))

    @pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, JPEGLosslessSV1])
    @pytest.mark.parametrize(
        ("bits", "overlay"),
        [(16, (1, 0)), (16, (1, 12)), (16, (16, 0)), (16, (16, 99)), (16, ("", 12)), (14, (16, 14)), (14, (16, 15))],
    )
    def test_a_deeper_film_below_overlays_or_with_those_that_lie_elsewhere(self, syntax, bits, overlay):
        allocated, bit = overlay
        levels = np.round(FILM * (2**bits - 1)).astype(np.int32)
        words = levels | MARGIN << bit if bits == 14 else levels
        data = of_words(syntax, words, **{"60000100": allocated, "60000102": bit})
        assert shows(data, levels / (2**bits - 1))

    @pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, JPEGLosslessSV1, JPEG2000Lossless])
    @pytest.mark.parametrize("burnt_in", [0, 4095])
    @pytest.mark.parametrize("bit", [12, 15])
    def test_overlays_whose_edges_are_those_of_the_film(self, syntax, burnt_in, bit):
        letters = np.kron(np.random.default_rng(0).random((64, 64)) > 0.9, np.ones((4, 4), bool)) & ~MARGIN
        for burnt, overlay in ((MARGIN, MARGIN), (MARGIN, ~MARGIN), (letters, letters)):
            levels = np.where(burnt, burnt_in, LEVELS // 4 + 2800)
            assert shows(of_words(syntax, levels | overlay << bit), levels / 4095)

    @pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, JPEGLosslessSV1])
    @pytest.mark.parametrize(("bits", "said"), [(13, 12), (16, 12), (14, 10), (12, 8)])
    @pytest.mark.parametrize("collimated", [0, 1])
    def test_a_deeper_film_that_was_collimated(self, syntax, bits, said, collimated):
        levels = np.where(MARGIN, collimated * (2**bits - 1), np.round(FILM * (2**bits - 1))).astype(np.int32)
        assert shows(of_words(syntax, levels, said), levels / (2**bits - 1))

    @pytest.mark.parametrize("syntax", WORD_SYNTAXES)
    @pytest.mark.parametrize("above", ["zeros", "sign"])
    @pytest.mark.parametrize("overlaid", [False, True])
    @pytest.mark.parametrize("bits", [10, 12])
    def test_the_sign_is_the_high_bit_whatever_lies_above(self, syntax, above, overlaid, bits):
        shift = 12 - bits
        levels = np.where(MARGIN, -2000, LEVELS // 3 + 500) >> shift
        words = levels & (0xFFFF if above == "sign" else 2**bits - 1)
        named = {}
        if overlaid:
            words = words & ~(1 << bits) | MARGIN << bits
            named = {"60000100": 16, "60000102": bits}
        window = {"WindowCenter": 1000 >> shift, "WindowWidth": 2001 >> shift}
        shown = np.clip((levels - window["WindowCenter"] + 0.5) / (window["WindowWidth"] - 1) + 0.5, 0, 1)
        assert shows(of_words(syntax, words, bits, PixelRepresentation=1, **named, **window), shown)

    def test_a_deeper_film_in_a_lossy_codestream(self):
        levels = np.round(FILM * 65535).astype(np.uint16)
        frame = imagecodecs.jpeg2k_encode(levels, level=70, codecformat="j2k", reversible=False)
        data = to_dicom(FILM, transfer_syntax=JPEG2000Lossless, PixelData=encapsulate([frame]))
        assert np.abs(read(data) - FILM).mean() < 0.01

    @pytest.mark.parametrize("syntax", [JPEGLosslessSV1, JPEG2000Lossless, JPEGLSLossless, JPEGBaseline8Bit])
    @pytest.mark.parametrize("said", [12, 16])
    def test_the_codestream_is_less_deep_than_the_header_says(self, syntax, said):
        data = compressed(syntax, EIGHT, 8, BitsStored=said, HighBit=said - 1, BitsAllocated=16)
        assert shows(data, EIGHT / 255, 0.02 if syntax == JPEGBaseline8Bit else 1e-6)

    def test_signed_jpeg_2000_under_an_unsigned_header(self):
        frame = imagecodecs.jpeg2k_encode((LEVELS - 2048).astype(np.int16), level=0, codecformat="j2k", reversible=True)
        data = to_dicom(FILM, transfer_syntax=JPEG2000Lossless, PixelData=encapsulate([frame]))
        assert shows(data, LEVELS / 4095)

    def test_unsigned_jpeg_2000_under_a_signed_header(self):
        as_said = compressed(JPEG2000Lossless, LEVELS.astype(np.uint16), 12, PixelRepresentation=1)
        assert shows(as_said, LEVELS / 4095)
        two_s_complement = compressed(
            JPEG2000Lossless, (LEVELS - 2048 & 0xFFF).astype(np.uint16), 12, PixelRepresentation=1
        )
        assert shows(two_s_complement, LEVELS / 4095)
        levels = np.where(MARGIN, -2000, LEVELS // 3 + 500)  # the margin is nearer to the film if it is read as 2096
        frame = (levels & 0xFFF).astype(np.uint16)
        data = compressed(JPEG2000Lossless, frame, 12, PixelRepresentation=1, WindowCenter=1000, WindowWidth=2001)
        assert shows(data, np.clip((levels - 999.5) / 2000 + 0.5, 0, 1))

    @pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLosslessSV1, JPEGLSLossless])
    @pytest.mark.parametrize("is_deeper_by_the_header", [False, True])
    def test_a_jpeg_of_unsigned_levels_under_a_signed_header(self, syntax, is_deeper_by_the_header):
        levels, bits = (EIGHT, 8) if syntax == JPEGBaseline8Bit else (LEVELS.astype(np.uint16), 12)
        said = 16 if is_deeper_by_the_header else bits
        allocated = {"BitsAllocated": 16 if said > 8 else 8, "BitsStored": said, "HighBit": said - 1}
        data = compressed(syntax, levels, bits, PixelRepresentation=1, **allocated)
        assert shows(data, levels / (2**bits - 1), 0.02 if syntax in (JPEGBaseline8Bit, JPEGExtended12Bit) else 1e-6)

    @pytest.mark.parametrize(("bits", "said"), [(12, 8), (12, 12), (12, 32), (8, 16), (8, 32), (8, 12)])
    def test_bits_allocated_that_do_not_go_with_the_data(self, bits, said):
        levels = np.round(FILM * (2**bits - 1))
        assert shows(to_dicom(FILM, bits_stored=bits, BitsAllocated=said), levels / (2**bits - 1))

    def test_bits_stored_beyond_those_allocated(self):
        data = to_dicom(FILM, BitsAllocated=8, PixelData=LEVELS.astype("<u2").tobytes())
        assert shows(data, LEVELS / 4095)


class TestMargins:
    def margin(self, level: int, bits: int = 12, **attributes: object) -> bytes:
        levels = LEVELS.copy()
        levels[:40] = level
        return to_dicom(
            FILM,
            PixelData=levels.astype("<i4").astype("<u2").tobytes(),
            BitsStored=bits,
            HighBit=bits - 1,
            **attributes,
        )

    @pytest.mark.parametrize(("level", "bits"), [(65535, 16), (65535, 12), (5000, 16)])
    def test_padding_is_black_and_out_of_the_range(self, level, bits):
        image = read(self.margin(level, bits, PixelPaddingValue=level))
        assert not image[:40].any()
        assert np.abs(image[40:] - LEVELS[40:] / 4095).max() < 1e-6

    def test_padding_below_signed_levels(self):
        levels = LEVELS - 2048
        levels[:40] = -32768
        data = to_dicom(
            FILM, PixelData=levels.astype("<i2").tobytes(), BitsStored=16, HighBit=15, PixelRepresentation=1
        )
        for value in (-32768, 32768):
            film = pydicom.dcmread(io.BytesIO(data))
            film.add_new("PixelPaddingValue", "SS" if value < 0 else "US", value)
            buffer = io.BytesIO()
            film.save_as(buffer)
            image = read(buffer.getvalue())
            assert not image[:40].any()
            assert np.abs(image[40:] - LEVELS[40:] / 4095).max() < 1e-6

    def test_padding_of_monochrome1_is_black_under_a_window_too(self):
        image = read(self.margin(0, photometric="MONOCHROME1", PixelPaddingValue=0, **WINDOW))
        assert not image[:40].any()
        assert image[40:].max() > 0.9

    def test_a_range_of_padding(self):
        image = read(self.margin(4000, PixelPaddingValue=3990, PixelPaddingRangeLimit=4095))
        assert not image[:40].any()

    def test_padding_of_everything_is_not_believed(self):
        image = read(to_dicom(FILM, PixelPaddingValue=0, PixelPaddingRangeLimit=4095))
        assert np.abs(image - LEVELS / 4095).max() < 1e-6

    @pytest.mark.parametrize(
        ("shutter", "visible"),
        [
            (
                {
                    "ShutterShape": "RECTANGULAR",
                    "ShutterLeftVerticalEdge": 11,
                    "ShutterRightVerticalEdge": 200,
                    "ShutterUpperHorizontalEdge": 21,
                    "ShutterLowerHorizontalEdge": 240,
                },
                np.s_[20:240, 10:200],
            ),
            (
                {"ShutterShape": "CIRCULAR", "CenterOfCircularShutter": [101, 121], "RadiusOfCircularShutter": 80},
                (np.add.outer((np.arange(256) - 100) ** 2, (np.arange(256) - 120) ** 2) <= 6400),
            ),
            (
                {"ShutterShape": "POLYGONAL", "VerticesOfThePolygonalShutter": [11, 21, 11, 201, 151, 201, 151, 21]},
                np.s_[10:151, 20:201],
            ),
        ],
    )
    def test_shutters(self, shutter, visible):
        greys = np.zeros(FILM.shape)
        greys[visible] = WINDOWED[visible]
        assert shows(to_dicom(FILM, **shutter, **WINDOW), greys)

    def test_a_polygon_of_a_thousand_vertices(self):
        angles = np.linspace(0, 2 * np.pi, 1000, endpoint=False)
        corners = np.round(np.stack([120 + 100 * np.sin(angles), 130 + 100 * np.cos(angles)], axis=1)).astype(int)
        film = to_dicom(FILM, ShutterShape="POLYGONAL", VerticesOfThePolygonalShutter=[1, 1, 9, 9], **WINDOW)
        vertices = b"\\".join(b"%012d" % value for value in corners.ravel())
        polygon = read(replaced(film, (0x0018, 0x1620), vertices))
        circle = {"CenterOfCircularShutter": [120, 130], "RadiusOfCircularShutter": 100}
        round_one = read(to_dicom(FILM, ShutterShape="CIRCULAR", **circle, **WINDOW))
        assert np.mean(polygon != round_one) < 0.01
        assert np.mean(polygon != WINDOWED) > 0.3

    def test_what_a_shutter_covers_is_out_of_the_range(self):
        levels = LEVELS.copy()
        levels[:40] = 60000
        edges = {"ShutterLeftVerticalEdge": 1, "ShutterRightVerticalEdge": 256}
        edges |= {"ShutterUpperHorizontalEdge": 41, "ShutterLowerHorizontalEdge": 256}
        data = to_dicom(
            FILM,
            PixelData=levels.astype("<u2").tobytes(),
            BitsStored=16,
            HighBit=15,
            ShutterShape="RECTANGULAR",
            **edges,
        )
        assert np.abs(read(data)[40:] - LEVELS[40:] / 4095).max() < 1e-6

    def test_a_shutter_that_covers_everything_is_not_believed(self):
        shutter = {"ShutterShape": "CIRCULAR", "CenterOfCircularShutter": [1, 9000], "RadiusOfCircularShutter": 10}
        assert shows(to_dicom(FILM, **shutter), LEVELS / 4095)


class TestFrames:
    @pytest.mark.parametrize(
        "surplus", [bytes(20), bytes(4096), b"\xff" * 64, b"\xff\xd9" * 10], ids=["20", "4096", "FF", "EOI"]
    )
    @pytest.mark.parametrize("syntax", [JPEGLosslessSV1, JPEG2000Lossless, JPEGLSLossless])
    def test_bytes_behind_the_codestream(self, syntax, surplus):
        assert shows(compressed(syntax, LEVELS.astype(np.uint16), 12, surplus), LEVELS / 4095)

    def test_jpeg_2000_without_its_last_marker(self):
        frame = imagecodecs.jpeg2k_encode(
            LEVELS.astype(np.uint16), level=0, codecformat="j2k", reversible=True, bitspersample=12
        )
        for ending, is_read in ((frame[:-2], True), (frame[:-2] + bytes(7), True), (frame[:-40], False)):
            data = to_dicom(FILM, transfer_syntax=JPEG2000Lossless, PixelData=encapsulate([ending]))
            if is_read:
                assert shows(data, LEVELS / 4095)
            else:
                with pytest.raises(TruncatedImageError):
                    read(data)

    @pytest.mark.parametrize("surplus", [bytes(64), bytes(4096), b"\xff" * 64])
    def test_bytes_behind_run_lengths(self, surplus):
        film = pydicom.dcmread(io.BytesIO(to_dicom(FILM, transfer_syntax=RLELossless)))
        frame = next(pydicom.encaps.generate_frames(film.PixelData, number_of_frames=1))
        film.PixelData = encapsulate([frame + surplus])
        buffer = io.BytesIO()
        film.save_as(buffer)
        assert shows(buffer.getvalue(), LEVELS / 4095)

    @pytest.mark.parametrize("table", [struct.pack("<L", 998), struct.pack("<4L", 0, 100, 200, 300), b""])
    def test_an_offset_table_is_not_needed_for_one_frame(self, table):
        frame = imagecodecs.jpeg8_encode(LEVELS.astype(np.uint16), lossless=True, predictor=1, bitspersample=12)
        parts = [table, *(frame[at : at + 9000] for at in range(0, len(frame), 9000))]
        items = b"".join(b"\xfe\xff\x00\xe0" + struct.pack("<L", len(part)) + part for part in parts)
        data = to_dicom(FILM, transfer_syntax=JPEGLosslessSV1, PixelData=items + b"\xfe\xff\xdd\xe0" + bytes(4))
        assert shows(data, LEVELS / 4095)

    @pytest.mark.parametrize("held", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian])
    @pytest.mark.parametrize(
        "said",
        [
            *(JPEG2000Lossless, RLELossless, JPEGBaseline8Bit, ImplicitVRLittleEndian, ExplicitVRLittleEndian),
            *(ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian),
        ],
    )
    def test_uncompressed_whatever_is_said(self, held, said):
        assert shows(relabelled(to_dicom(FILM, transfer_syntax=held), said), LEVELS / 4095)

    @pytest.mark.parametrize("held", [JPEGLosslessSV1, JPEG2000Lossless, JPEGLSLossless, RLELossless])
    @pytest.mark.parametrize("said", [ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLosslessSV1, JPEGBaseline8Bit])
    def test_compressed_otherwise_than_is_said(self, held, said):
        assert shows(relabelled(to_dicom(FILM, transfer_syntax=held), said), LEVELS / 4095)

    @pytest.mark.parametrize("held", [JPEGLosslessSV1, JPEG2000Lossless, JPEGLSLossless, RLELossless])
    def test_compressed_and_not_encapsulated(self, held):
        film = pydicom.dcmread(io.BytesIO(to_dicom(FILM, transfer_syntax=held)))
        frame = next(pydicom.encaps.generate_frames(film.PixelData, number_of_frames=1))
        assert shows(to_dicom(FILM, PixelData=frame), LEVELS / 4095)

    @pytest.mark.parametrize("said", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGBaseline8Bit])
    def test_deflated_whatever_is_said(self, said):
        deflated = to_dicom(FILM, transfer_syntax=DeflatedExplicitVRLittleEndian)
        assert shows(relabelled(deflated, said), LEVELS / 4095)

    def test_two_file_metas(self):
        for held, other in ((JPEGLosslessSV1, ExplicitVRLittleEndian), (ExplicitVRLittleEndian, JPEGLosslessSV1)):
            second = element(0x0002, 0x0010, b"UI", str(other).encode().ljust(len(other) + len(other) % 2, b"\0"))
            data = to_dicom(FILM, transfer_syntax=held)
            assert shows(inserted(data, (0x0008, 0x0016), second), LEVELS / 4095)


class TestHeader:
    @pytest.mark.parametrize("vr", [b"??", b"\0\0", b"  ", b"ZZ", b"un"])
    @pytest.mark.parametrize("long", [False, True])
    def test_an_unknown_vr_of_what_does_not_matter(self, vr, long):
        length = struct.pack("<HL", 0, 4) if long else struct.pack("<H", 4)
        odd = struct.pack("<HH2s", 0x0008, 0x0070, vr) + length + b"ACME"
        assert shows(inserted(to_dicom(FILM), (0x0010, 0x0010), odd), LEVELS / 4095)

    @pytest.mark.parametrize("vr", [b"OB", b"OW", b"UN", b"UT"])
    def test_a_length_of_two_bytes_where_four_belong(self, vr):
        odd = struct.pack("<HH2sH", 0x0009, 0x1003, vr, 4) + b"ACME"
        assert shows(inserted(to_dicom(FILM), (0x0010, 0x0010), odd), LEVELS / 4095)

    @pytest.mark.parametrize("vr", [b"UN\0\0", b""], ids=["UN", "implicit"])
    @pytest.mark.parametrize("is_explicit", [False, True])
    def test_sequences_whose_items_are_of_either_kind_of_vr(self, vr, is_explicit):
        uid = b"1.2.840.10008.5.1.4.1.1.1\0"
        inside = element(0x0008, 0x1150, b"UI", uid) if is_explicit else struct.pack("<HHL", 8, 0x1150, 26) + uid
        undefined, items = b"\xff" * 4, b"\xfe\xff\x00\xe0"
        sequence = struct.pack("<HH", 0x0008, 0x1140) + vr + undefined + items + undefined + inside
        sequence += b"\xfe\xff\x0d\xe0" + bytes(4) + b"\xfe\xff\xdd\xe0" + bytes(4)
        assert shows(inserted(to_dicom(FILM), (0x0010, 0x0010), sequence), LEVELS / 4095)

    @pytest.mark.parametrize("keyword", ["SamplesPerPixel", "PixelRepresentation"])
    def test_a_missing_element_that_has_a_default(self, keyword):
        assert shows(to_dicom(FILM, **{keyword: None}), LEVELS / 4095)

    @pytest.mark.parametrize(
        ("keyword", "name"),
        [
            ("PhotometricInterpretation", "Photometric Interpretation"),
            ("BitsStored", "Bits Stored"),
            ("BitsAllocated", "Bits Allocated"),
            ("Rows", "Rows"),
            ("Columns", "Columns"),
        ],
    )
    def test_a_missing_element_is_named(self, keyword, name):
        tag = struct.pack("<HH", pydicom.tag.Tag(keyword).group, pydicom.tag.Tag(keyword).element)
        data = to_dicom(FILM)
        at = data.index(tag + (b"CS" if "Photo" in keyword else b"US"), 300)
        length = 8 + struct.unpack_from("<H", data, at + 6)[0]
        with pytest.raises(InvalidImageError, match=f"lacks {name}"):
            read(data[:at] + data[at + length :])

    def test_a_term_in_lower_case(self):
        assert shows(to_dicom(FILM, PhotometricInterpretation="monochrome2"), LEVELS / 4095)
        assert shows(to_dicom(FILM, PhotometricInterpretation="monochrome1"), 1 - LEVELS / 4095)
        assert shows(to_dicom(FILM, PhotometricInterpretation="Monochrome 1"), 1 - LEVELS / 4095)

    @pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian])
    @pytest.mark.parametrize(
        "first",
        [
            {"ImageType": ["ORIGINAL", "PRIMARY"]},
            {"ImageType": ["DERIVED", "SECONDARY", *["A" * 16] * 4]},
            {"InstanceCreationDate": "20240101"},
            {},
        ],
    )
    def test_without_preamble(self, syntax, first):
        film = pydicom.dcmread(io.BytesIO(to_dicom(FILM, transfer_syntax=syntax, **first)))
        buffer = io.BytesIO()
        pydicom.dcmwrite(
            buffer, Dataset(film), implicit_vr=syntax.is_implicit_VR, little_endian=syntax.is_little_endian
        )
        assert shows(buffer.getvalue(), LEVELS / 4095)

    def test_a_directory_of_films_holds_none(self):
        directory = implicit_object([(0x0004, 0x1130, b"CD"), (0x0004, 0x1220, b"")], "1.2.840.10008.1.3.10")
        with pytest.raises(NoPixelDataError, match="Media Storage Directory"):
            read(directory)

    def test_sequences_of_undefined_length_in_big_endian(self):
        def tag(group: int, number: int, length: int) -> bytes:
            return struct.pack(">HHL", group, number, length)

        inside = struct.pack(">HH2sH", 0x0008, 0x1150, b"UI", 4) + b"1.2\0"
        sequence = struct.pack(">HH2sHL", 0x0008, 0x1110, b"SQ", 0, 0xFFFFFFFF)
        sequence += tag(0xFFFE, 0xE000, 0xFFFFFFFF) + inside + tag(0xFFFE, 0xE00D, 0) + tag(0xFFFE, 0xE0DD, 0)
        data = to_dicom(FILM, transfer_syntax=ExplicitVRBigEndian)
        at = data.index(struct.pack(">HH2s", 0x0010, 0x0010, b"PN"))
        assert shows(data[:at] + sequence + data[at:], LEVELS / 4095)

    def test_values_of_a_megabyte_are_not_repeated(self):
        with pytest.raises(PleuraError) as refusal:
            read(replaced(to_dicom(FILM, Modality="CT"), (0x0008, 0x0060), b"CT" * 4000))
        assert len(str(refusal.value)) < 200


class TestColours:
    RGB = np.stack([EIGHT, 255 - EIGHT, EIGHT // 2], axis=-1)
    LUMA = RGB @ np.array([0.299, 0.587, 0.114]) / 255

    def film(self, levels: np.ndarray, photometric: str, **attributes: object) -> bytes:
        samples = {"SamplesPerPixel": 3, "PlanarConfiguration": 0, "Modality": "OT", **attributes}
        bits = min(8 * levels.itemsize, 16)
        data = levels.astype(levels.dtype.newbyteorder("<")).tobytes()
        return to_dicom(FILM, bits_stored=bits, PhotometricInterpretation=photometric, PixelData=data, **samples)

    @pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
    def test_grey_beside_three_samples(self, photometric):
        greys = EIGHT / 255 if photometric == "MONOCHROME2" else 1 - EIGHT / 255
        assert shows(self.film(np.dstack([EIGHT] * 3), photometric), greys)
        assert shows(self.film(EIGHT, photometric), greys)  # three are said, one is there

    def test_colours_beside_one_sample(self):
        assert shows(self.film(self.RGB, "RGB", SamplesPerPixel=1), self.LUMA, 1 / 255)
        assert shows(self.film(np.dstack([EIGHT] * 3), "MONOCHROME2", SamplesPerPixel=1), EIGHT / 255)

    def test_an_adobe_marker_that_is_too_short_says_nothing(self):
        frame = imagecodecs.jpeg8_encode(self.RGB, level=98, outcolorspace="RGB")
        start, end = frame.index(b"\xff\xee"), frame.index(b"\xff\xdb")
        short = frame[:start] + b"\xff\xee\0\x0cAdobe" + bytes(5) + frame[end:]
        data = of_frame(short, JPEGBaseline8Bit, "RGB")
        assert shows(data, self.LUMA, 0.02)

    def test_16_and_32_bits(self):
        assert shows(self.film(self.RGB.astype(np.uint16) * 257, "RGB"), self.LUMA, 1 / 255)
        wide = self.RGB.astype(np.uint32)
        data = self.film(wide, "RGB", BitsAllocated=32, BitsStored=8, HighBit=7)
        assert shows(data, self.LUMA, 1 / 255)

    def test_a_codestream_of_other_components_than_the_header_says(self):
        one = imagecodecs.jpeg8_encode(EIGHT, lossless=True)
        three = imagecodecs.jpeg8_encode(np.dstack([EIGHT] * 3), level=98)
        for frame, photometric, samples in ((one, "RGB", 3), (one, "YBR_FULL_422", 3), (three, "MONOCHROME2", 1)):
            data = of_frame(frame, JPEGLosslessSV1, photometric, samples)
            assert shows(data, EIGHT / 255, 0.02)

    @pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL"])
    def test_jpeg_without_loss_and_with_a_jfif_marker(self, photometric):
        """DCMTK writes it beside luma and chroma, others beside any colours: the header says what they are."""
        is_rgb = photometric == "RGB"
        samples = self.RGB if is_rgb else np.dstack([EIGHT, np.full_like(EIGHT, 128), np.full_like(EIGHT, 128)])
        frame = imagecodecs.jpeg8_encode(samples, lossless=True)
        for named, numbered in ((b"R\x11\0G\x11\0B\x11", b"\1\x11\0\2\x11\0\3\x11"), (b"R\0G\0B", b"\1\0\2\0\3")):
            frame = frame.replace(named, numbered)
        frame = frame[:2] + b"\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0" + frame[18:]
        data = of_frame(frame, JPEGLosslessSV1, photometric)
        assert shows(data, self.LUMA if is_rgb else EIGHT / 255, 1.1 / 255 if is_rgb else 1e-6)
        assert read_dicom(data).is_colour == is_rgb

    def test_jpeg_2000_of_luma_and_chroma_without_a_transform(self):
        chroma = np.full_like(EIGHT, 90)
        frame = imagecodecs.jpeg2k_encode(
            np.dstack([EIGHT, chroma, chroma]), level=0, codecformat="j2k", reversible=True, mct=False
        )
        data = of_frame(frame, JPEG2000Lossless, "YBR_FULL")
        radiograph = read_dicom(data)
        assert np.abs(radiograph.image - EIGHT / 255).max() < 1e-6
        assert radiograph.is_colour

    @pytest.mark.parametrize("samples", [2, 4])
    def test_other_numbers_of_samples_are_refused_by_name(self, samples):
        for photometric in ("RGB", "PALETTE COLOR", "MONOCHROME2"):
            with pytest.raises(InvalidImageError, match=f"{samples} samples"):
                read(self.film(np.dstack([EIGHT] * samples), photometric, SamplesPerPixel=samples))

    @pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian])
    @pytest.mark.parametrize(("bits", "entry"), [(8, "u2"), (16, "u2"), (8, "u1")])
    def test_palettes(self, syntax, bits, entry):
        entries = np.arange(256, dtype="<u2") * (257 if bits == 16 else 1)
        data = entries.astype("<u1").view("<u2") if entry == "u1" else entries
        data = data.astype("<u2" if syntax.is_little_endian else ">u2").tobytes()
        palette = {}
        for colour in ("Red", "Green", "Blue"):
            palette[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, bits]
            palette[f"{colour}PaletteColorLookupTableData"] = data
        film = to_dicom(FILM, bits_stored=8, transfer_syntax=syntax, photometric="PALETTE COLOR", **palette)
        assert shows(film, EIGHT / 255)

    def test_a_segmented_palette_is_no_longer_than_its_descriptor_says(self):
        ramp = struct.pack("<3H", 0, 1, 0) + struct.pack("<3H", 1, 255, 65535)
        endless = b"".join(struct.pack("<4H", 2, 60000, 6, 0) for _ in range(30000))
        palette = {}
        for colour in ("Red", "Green", "Blue"):
            palette[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
            palette[f"Segmented{colour}PaletteColorLookupTableData"] = ramp + endless
        assert shows(to_dicom(FILM, bits_stored=8, photometric="PALETTE COLOR", **palette), EIGHT / 255, 1e-4)


class TestShape:
    def test_oblong_pixels_are_stretched(self):
        for attributes in (
            {"ImagerPixelSpacing": [1.4, 0.7]},
            {"ImagerPixelSpacing": None, "NominalScannedPixelSpacing": [1.4, 0.7]},
            {"ImagerPixelSpacing": None, "PixelAspectRatio": [2, 1]},
            {"ImagerPixelSpacing": None, "PixelSpacing": [1.2, 0.6], "PixelSpacingCalibrationType": "GEOMETRY"},
        ):
            film = read_dicom(to_dicom(np.hstack([FILM, FILM]), **attributes))
            assert film.image.shape == (512, 512)
            assert abs(float(film.image.mean()) - FILM.mean()) < 0.01
        assert read_dicom(to_dicom(np.hstack([FILM, FILM]), ImagerPixelSpacing=[1.4, 0.7])).pixel_spacing_mm == (
            0.7,
            0.7,
        )

    def test_nearly_square_or_impossible_ones_are_not(self):
        for spacing in ([0.2, 0.2001], [100, 0.1]):
            assert read(to_dicom(FILM, ImagerPixelSpacing=spacing)).shape == FILM.shape
