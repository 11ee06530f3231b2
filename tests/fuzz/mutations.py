"""Damaged and made-up files: sound ones, of which bytes or header values are changed to extremes."""

import io
import random
import struct
import warnings
import zlib
from collections.abc import Callable

import imagecodecs
import numpy as np
import pydicom
from PIL import Image
from pydicom.config import IGNORE
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
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from app.segmentation.reading.radiograph import MAX_BYTES
from tests.support.film_files import to_dicom, to_png
from training.releasing.phantom.drawing import draw_phantom

SIDE = 256
SYNTAXES = {
    ExplicitVRLittleEndian: 12,
    ImplicitVRLittleEndian: 12,
    ExplicitVRBigEndian: 12,
    DeflatedExplicitVRLittleEndian: 12,
    JPEGBaseline8Bit: 8,
    JPEGExtended12Bit: 12,
    JPEGLossless: 12,
    JPEGLosslessSV1: 16,
    JPEGLSLossless: 12,
    JPEG2000Lossless: 12,
    RLELossless: 12,
}
"""With the depth of the film in each."""

NUMBERS = (0, 1, 2, 3, 7, 8, 9, 12, 16, 17, 32, 255, 256, 4095, 32767, 32768, 65535)
TEXTS = ("", "0", "-0", "1", "-1", "1e308", "-1e308", "1e-320", "nan", "inf", "0,5", "abc", "9" * 16, "1\\2", "1\\2\\3")
EXTREMES: dict[str, tuple[object, ...]] = {
    **{name: NUMBERS for name in ("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "SamplesPerPixel")},
    **{name: NUMBERS for name in ("PixelRepresentation", "PlanarConfiguration", "PixelPaddingValue")},
    **{name: TEXTS for name in ("WindowCenter", "WindowWidth", "RescaleSlope", "RescaleIntercept", "NumberOfFrames")},
    **{name: TEXTS for name in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")},
    **{name: TEXTS for name in ("PixelAspectRatio", "PatientAge")},
    "PhotometricInterpretation": ("", "MONOCHROME1", "PALETTE COLOR", "RGB", "YBR_FULL", "YBR_FULL_422", "HSV", "rgb"),
    "VOILUTFunction": ("", "LINEAR_EXACT", "SIGMOID", "LINEAR", "CUBIC"),
    "SpecificCharacterSet": ("", "ISO_IR 192", "ISO 2022 IR 87", "ISO 2022 IR 58\\ISO 2022 IR 149", "KLINGON"),
    "PatientName": ("", "\x1b$B", "a" * 70_000, "^" * 500, "=" * 500),
    "Modality": ("", "CT", "DX", "CR\\DX", "x" * 5000),
    "PatientOrientation": ("", "L\\F", "R\\F", "A\\F", "\\", "L" * 500),
}
LUT_DESCRIPTORS = ([0, 0, 16], [1, 0, 8], [256, 0, 8], [256, 65535, 16], [4096, 0, 12], [0, 0, 0], [5, 0, 99])


def seeds() -> list[bytes]:
    """Sound films of every kind that is read."""
    image = draw_phantom(1, SIDE).image
    eight, deep = np.round(image * 255).astype(np.uint8), np.round(image * 4095).astype(np.uint16)
    files = [to_png(image), to_png(image, bits=12)]
    for kind in ("JPEG", "WEBP"):
        for mode in ("L", "RGB"):
            buffer = io.BytesIO()
            Image.open(io.BytesIO(files[0])).convert(mode).save(buffer, kind, progressive=True)
            files.append(buffer.getvalue())
    files += [imagecodecs.png_encode(np.dstack([deep] * channels)) for channels in (2, 3, 4)]
    files += [imagecodecs.jpegls_encode(deep), imagecodecs.jpeg8_encode(deep, bitspersample=12)]
    files.append(imagecodecs.jpeg8_encode(deep, lossless=True, bitspersample=12))
    films = [to_dicom(image, bits_stored=bits, transfer_syntax=syntax) for syntax, bits in SYNTAXES.items()]
    films += [to_dicom(image, photometric="MONOCHROME1"), to_dicom(image, signed=True), films[0][132:]]
    return [*files, *films, *_coloured(image, eight), _boxed(image, eight)]


def _coloured(image: np.ndarray, eight: np.ndarray) -> list[bytes]:
    """Films in three samples a pixel, and by a palette."""
    rgb = np.dstack([eight, eight // 2, 255 - eight])
    said = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0}
    frames = [(ExplicitVRLittleEndian, rgb.tobytes()), (JPEGBaseline8Bit, encapsulate([imagecodecs.jpeg8_encode(rgb)]))]
    films = [to_dicom(image, bits_stored=8, transfer_syntax=kind, PixelData=data, **said) for kind, data in frames]
    table = np.linspace(0, 65535, 256).astype("<u2").tobytes()
    palette: dict[str, object] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for colour in ("Red", "Green", "Blue"):
        palette[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        palette[f"{colour}PaletteColorLookupTableData"] = table
    return [*films, to_dicom(image, bits_stored=8, **palette)]


def _boxed(image: np.ndarray, eight: np.ndarray) -> bytes:
    """A film of JPEG 2000 in the boxes of a file."""
    stream = imagecodecs.jpeg2k_encode(eight, level=0, codecformat="jp2", reversible=True)
    return to_dicom(image, bits_stored=8, transfer_syntax=JPEG2000Lossless, PixelData=encapsulate([stream]))


def mutated(sound: list[bytes], random_: random.Random) -> bytes:
    """Change one sound file, in one way or a few."""
    data = random_.choice(sound)
    if data[128:132] == b"DICM" and random_.random() < 0.5:
        data = _with_extremes(data, random_)
    for _ in range(random_.choice((0, 1, 1, 1, 2, 5))):
        changed = random_.choice(MUTATIONS)(data, random_, sound)
        data = changed if len(changed) <= MAX_BYTES else data  # parts repeated again and again have gigabytes
    return data


def _flip(data: bytes, random_: random.Random, sound: list[bytes]) -> bytes:
    changed = bytearray(data)
    for _ in range(min(len(data), random_.choice((1, 1, 4, 32)))):
        changed[_place(data, random_)] ^= 1 << random_.randrange(8)
    return bytes(changed)


def _overwrite(data: bytes, random_: random.Random, sound: list[bytes]) -> bytes:
    at, length = _place(data, random_), random_.choice((1, 2, 4, 8))
    value = random_.choice((b"\x00", b"\xff", b"\x7f", b"\x80", b"\x01", random_.randbytes(1))) * length
    return data[:at] + value + data[at + length :]


def _cut(data: bytes, random_: random.Random, sound: list[bytes]) -> bytes:
    return data[: _place(data, random_)]


def _remove(data: bytes, random_: random.Random, sound: list[bytes]) -> bytes:
    at = _place(data, random_)
    return data[:at] + data[at + random_.choice((1, 2, 4, 16, 200)) :]


def _repeat(data: bytes, random_: random.Random, sound: list[bytes]) -> bytes:
    at, length = _place(data, random_), random_.choice((1, 8, 64, 1000))
    return data[:at] + data[at : at + length] * random_.choice((2, 3, 50)) + data[at + length :]


def _splice(data: bytes, random_: random.Random, sound: list[bytes]) -> bytes:
    other = random_.choice(sound)
    return data[: _place(data, random_)] + other[_place(other, random_) :]


def _segments(data: bytes, random_: random.Random, sound: list[bytes]) -> bytes:
    """Give a marker segment another length, or repeat it."""
    found = [at for at in range(len(data) - 4) if data[at] == 0xFF and 0xC0 <= data[at + 1] < 0xFF][:200]
    if not found:
        return data
    at = random_.choice(found)
    if random_.random() < 0.5:
        return data[: at + 2] + struct.pack(">H", random_.choice((0, 1, 2, 3, 65535))) + data[at + 4 :]
    length = 2 + struct.unpack_from(">H", data, at + 2)[0]
    return data[:at] + data[at : at + length] * random_.choice((2, 20, 300)) + data[at + length :]


def _chunk(data: bytes, random_: random.Random, sound: list[bytes]) -> bytes:
    """Change a chunk of a PNG, whose sum is right nevertheless."""
    if not data.startswith(b"\x89PNG"):
        return data
    position, chunks = 8, []
    while position + 12 <= len(data):
        (length,) = struct.unpack_from(">L", data, position)
        chunks.append((data[position + 4 : position + 8], data[position + 8 : position + 8 + length]))
        position += 12 + length
    number = random_.randrange(len(chunks) or 1)
    kind, body = chunks[number] if chunks else (b"IHDR", b"")
    body = _overwrite(body, random_, sound) if body and random_.random() < 0.7 else body[: len(body) // 2]
    kind = random_.choice((kind, kind, b"tRNS", b"PLTE", b"acTL", b"fcTL", b"eXIf", b"IDAT"))
    chunks[number : number + 1] = [(kind, body)] * random_.choice((1, 1, 2, 300))
    written = (struct.pack(">L", len(b)) + k + b + struct.pack(">L", zlib.crc32(k + b)) for k, b in chunks)
    return data[:8] + b"".join(written)


MUTATIONS: tuple[Callable[[bytes, random.Random, list[bytes]], bytes], ...] = (
    *(_flip, _flip, _overwrite, _overwrite, _overwrite),
    *(_cut, _remove, _repeat, _splice, _segments, _chunk),
)


def _place(data: bytes, random_: random.Random) -> int:
    """Anywhere; but mostly near the beginning, where a file says how it is to be read."""
    if not data:
        return 0
    return min(len(data) - 1, random_.randrange(random_.choice((200, 1000, 3000, len(data)))))


def _with_extremes(data: bytes, random_: random.Random) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(io.BytesIO(data))
        for _ in range(random_.choice((1, 1, 2, 3))):
            keyword = random_.choice(list(EXTREMES))
            if random_.random() < 0.1:
                dataset.pop(keyword, None)
            else:
                _set(dataset, keyword, random_.choice(EXTREMES[keyword]))
        if random_.random() < 0.2:
            name = random_.choice(("VOILUTSequence", "ModalityLUTSequence"))
            setattr(dataset, name, [_table(random_) for _ in range(random_.choice((0, 1, 1, 2, 200)))])
        buffer = io.BytesIO()
        try:
            dataset.save_as(buffer)
        except Exception:  # pydicom does not write every extreme: the seed does, then
            return data
    return buffer.getvalue()


def _set(dataset: Dataset, keyword: str, value: object) -> None:
    tag = pydicom.datadict.tag_for_keyword(keyword)
    representation = pydicom.datadict.dictionary_VR(tag).split(" or ")[0]
    if isinstance(value, str):
        representation = "LO"  # else pydicom would make a number of it, or refuse
    dataset[tag] = pydicom.DataElement(tag, representation, value, validation_mode=IGNORE)


def _table(random_: random.Random) -> Dataset:
    item = Dataset()
    if random_.random() < 0.9:
        item.LUTDescriptor = random_.choice(LUT_DESCRIPTORS)
        item["LUTDescriptor"].VR = "US"
    if random_.random() < 0.9:
        item.LUTData = random_.randbytes(2 * random_.choice((0, 1, 5, 256, 4096)))
        item["LUTData"].VR = "OW"
    return item
