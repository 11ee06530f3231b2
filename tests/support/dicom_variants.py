"""Hundreds of DICOM objects that show one film in every way that the standard knows."""

import copy
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

import imagecodecs
import numpy as np
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    JPEG2000,
    UID,
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
    JPEGLSNearLossless,
    RLELossless,
)

from tests.support.film_files import to_dicom

SIDE = 64
UNCOMPRESSED = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    RLELossless,
)
JPEG = (JPEGLossless, JPEGLosslessSV1, JPEGBaseline8Bit, JPEGExtended12Bit)
JPEG_LS = (JPEGLSLossless, JPEGLSNearLossless)
JPEG_2000 = (JPEG2000Lossless, JPEG2000)
DEPTHS = (8, 10, 12, 14, 16)
PRECISIONS = {JPEGBaseline8Bit: (8,), JPEGExtended12Bit: (8, 12)}
LOSSY = (JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless, JPEG2000)


@dataclass(frozen=True)
class Variant:
    """One object, and how DCMTK is to render it.

    Attributes:
        name: What varies.
        syntax: Its transfer syntax.
        header: What `to_dicom` is told of it.
        options: Of `dcm2pnm`.
        tolerance: Largest difference of a grey in [0, 1].
        margin: Rows at the top, padding, that are not compared.
    """

    name: str
    syntax: UID
    header: dict[str, object]
    options: tuple[str, ...] = ()
    tolerance: float = 1 / 255
    margin: int = 0

    @property
    def data(self) -> bytes:
        """The file."""
        return self._stored(self.syntax)

    @property
    def for_dcmtk(self) -> bytes:
        """The same film as DCMTK can read it: it has no JPEG 2000."""
        return self._stored(ExplicitVRLittleEndian if self.syntax in JPEG_2000 else self.syntax)

    @property
    def compression(self) -> str:
        """Key of `dcmtk.RENDERERS`."""
        return "JPEG" if self.syntax in JPEG else "JPEG-LS" if self.syntax in JPEG_LS else "native"

    def _stored(self, syntax: UID) -> bytes:
        image = film()
        if self.margin or self.syntax in LOSSY:
            image = np.clip(image, 0.1, 0.9)
        if self.margin:
            image[: self.margin] = self.header["photometric"] == "MONOCHROME1"
        return to_dicom(image, transfer_syntax=syntax, **_in_order_of(syntax, self.header))


LUMA, BLUENESS, REDNESS = (
    np.array(weights) for weights in ((0.299, 0.587, 0.114), (-0.1687, -0.3313, 0.5), (0.5, -0.4187, -0.0813))
)
"""ITU-R BT.601 (PS3.3 C.7.6.3.1.2)."""


def film() -> np.ndarray:
    """A picture, float32 (64, 64) in [0, 1], with every grey from black to white, smooth and noisy."""
    rows, columns = np.mgrid[:SIDE, :SIDE] / (SIDE - 1)
    noise = np.random.default_rng(0).normal(0, 0.01, (SIDE, SIDE))
    picture = np.clip((rows + columns) / 2 + noise, 0, 1).astype(np.float32)
    picture[0, 0], picture[-1, -1] = 0, 1
    return picture


def lookup_table(entries: np.ndarray, bits: int, first: int = 0, packed: bool = False) -> list[Dataset]:
    """A Modality or VOI LUT Sequence of one item."""
    item = Dataset()
    item.LUTDescriptor = [len(entries) % 2**16, first, bits]
    item.LUTData = entries.astype("<u1" if packed else "<u2").tobytes()
    item["LUTDescriptor"].VR, item["LUTData"].VR = "SS" if first < 0 else "US", "OW"
    return [item]


def voi(bits: int) -> dict[str, tuple[dict[str, object], tuple[str, ...]]]:
    """Attributes of a film of that depth, and the options that make DCMTK heed them, by name.

    Levels after the rescale go from 0 to 2 ** bits - 1, but where a name says otherwise.
    """
    top = 2**bits - 1
    count = min(top + 1, 2**16)
    steps = np.linspace(0, 1, count)
    window = {"WindowCenter": round(0.45 * top), "WindowWidth": round(0.5 * top)}
    first = ("+Wi", "1")
    table = ("+Wl", "1")
    return {
        "range": ({}, ()),
        "window": (window, first),
        "window LINEAR": ({**window, "VOILUTFunction": "LINEAR"}, first),
        "window SIGMOID": ({**window, "VOILUTFunction": "SIGMOID"}, (*first, "+Wfs")),
        "window of width 1": ({**window, "WindowWidth": 1}, first),
        "window wider than the range": ({"WindowCenter": top, "WindowWidth": 3 * top}, first),
        "two windows": ({"WindowCenter": [0.45 * top, 1], "WindowWidth": [0.5 * top, 2]}, first),
        "VOI LUT of 16 bits": ({"VOILUTSequence": lookup_table(np.round(65000 * steps**2), 16)}, table),
        "VOI LUT of 12 bits": ({"VOILUTSequence": lookup_table(np.round(4095 * steps**0.5), 12)}, table),
        "VOI LUT of 8 bits in words": ({"VOILUTSequence": lookup_table(np.round(255 * steps), 8)}, table),
        "VOI LUT of 8 bits in bytes": (
            {"VOILUTSequence": lookup_table(np.round(255 * steps), 8, packed=True)},
            table,
        ),
        "VOI LUT of part of the range": (
            {"VOILUTSequence": lookup_table(np.round(2000 * steps[: count // 2]), 10, first=count // 4)},
            table,
        ),
    }


def modality(bits: int, signed: bool) -> dict[str, dict[str, object]]:
    """Attributes of the modality's step, by name."""
    top = 2**bits - 1
    low = -(2 ** (bits - 1)) if signed else 0
    roots = np.round(4095 * np.linspace(0, 1, top + 1) ** 0.5)
    inverse = {"RescaleSlope": -1, "RescaleIntercept": top + low, "RescaleType": "US"}
    return {
        "": {},
        "negative slope": inverse,
        "Modality LUT of 12 bits": {"ModalityLUTSequence": lookup_table(roots, 12, first=low)},
        "Modality LUT of 16 bits": {"ModalityLUTSequence": lookup_table(np.round(roots * 15.9), 16, first=low)},
    }


def grey_variants() -> Iterator[Variant]:
    """Every syntax, depth, sign and way to show, of MONOCHROME1 and MONOCHROME2."""
    for syntax, bits, signed, photometric in itertools.product(
        (*UNCOMPRESSED, *JPEG, *JPEG_LS, *JPEG_2000), DEPTHS, (False, True), ("MONOCHROME1", "MONOCHROME2")
    ):
        if bits not in PRECISIONS.get(syntax, DEPTHS) or (signed and syntax in LOSSY):
            continue
        ways = voi(bits)
        for way, (attributes, options) in ways.items():
            if syntax in LOSSY and (way == "range" or way.endswith("width 1")):
                continue  # the one depends on the extremes, the other on a single level
            yield _grey(syntax, bits, signed, photometric, f"{way}", attributes, options)
        if syntax != ExplicitVRLittleEndian:
            continue
        for name, step in modality(bits, signed).items():
            for way in ("range", "window", "VOI LUT of 12 bits") if name else ():
                attributes, options = _after(step, bits, way)
                yield _grey(syntax, bits, signed, photometric, f"{name}, {way}", {**step, **attributes}, options)
    yield from _padded()


def _after(step: dict[str, object], bits: int, way: str) -> tuple[dict[str, object], tuple[str, ...]]:
    """A window or table for what a modality LUT makes: of its own depth."""
    table = step.get("ModalityLUTSequence")
    return voi(table[0].LUTDescriptor[2] if table else bits)[way]


def _grey(
    syntax: UID, bits: int, signed: bool, photometric: str, way: str, attributes: dict, options: tuple[str, ...]
) -> Variant:
    header = {"bits_stored": bits, "signed": signed, "photometric": photometric, **attributes}
    if "ModalityLUTSequence" in attributes and signed:
        header |= {"RescaleSlope": None, "RescaleIntercept": None, "RescaleType": None}
    name = f"{photometric}, {syntax.name}, {bits} bits{', signed' if signed else ''}, {way}"
    loss = 0.06 if syntax == JPEG2000 else 0.0
    return Variant(name, syntax, header, options, 1 / 255 + loss)


def _padded() -> Iterator[Variant]:
    """Films with a margin of padding, under a window; DCMTK shows padding like any level, so it is left out."""
    for syntax, bits, signed, photometric in itertools.product(
        (ExplicitVRLittleEndian, ExplicitVRBigEndian, RLELossless, JPEGLosslessSV1, JPEGLSLossless),
        DEPTHS,
        (False, True),
        ("MONOCHROME1", "MONOCHROME2"),
    ):
        attributes, options = voi(bits)["window"]
        padding = {"PixelPaddingValue": -(2 ** (bits - 1)) if signed else 0}
        whole = _grey(syntax, bits, signed, photometric, "padding, window", {**padding, **attributes}, options)
        yield replace(whole, margin=8)


def colour_variants() -> Iterator[Variant]:
    """RGB and YBR in pixels and in planes, and palettes in every form."""
    picture = film()
    rgb = np.stack([picture, picture.T**2, 1 - picture], axis=-1)
    ybr = np.dstack([rgb @ LUMA, 0.5 + rgb @ BLUENESS, 0.5 + rgb @ REDNESS])
    for syntax, bits, planar in itertools.product(UNCOMPRESSED[:4], (8, 16), (0, 1)):
        for photometric in ("RGB", "YBR_FULL") if bits == 8 else ("RGB",):
            samples = rgb if photometric == "RGB" else ybr
            levels = np.round(samples * (2**bits - 1)).astype("u1" if bits == 8 else "u2")
            pixels = _bytes(np.moveaxis(levels, -1, 0) if planar else levels, syntax)
            header = {"bits_stored": bits, **_coloured(photometric, planar), "PixelData": pixels}
            name = f"{photometric}, {syntax.name}, {bits} bits, {'planes' if planar else 'pixels'}"
            yield Variant(name, syntax, header, tolerance=1.5 / 255)
    for photometric, black, scale in (
        ("YBR_FULL_422", np.zeros(3), np.full(3, 255)),
        ("YBR_PARTIAL_422", np.full(3, 16), np.array([219, 224, 224])),
    ):
        pairs = np.round(black + scale * ybr).astype(np.uint8).reshape(SIDE, -1, 2, 3)
        shared = np.concatenate([pairs[..., 0], pairs[:, :, :1, 1], pairs[:, :, :1, 2]], axis=-1)
        header = {"bits_stored": 8, **_coloured(photometric, 0), "PixelData": shared.tobytes()}
        yield Variant(photometric, ExplicitVRLittleEndian, header, tolerance=2 / 255)
    yield from _compressed_colours(np.round(255 * rgb).astype(np.uint8))
    yield from _palettes()


def _compressed_colours(levels: np.ndarray) -> Iterator[Variant]:
    """Codestreams of colours that say how these are to be read, and some that leave it to the header."""
    whole = {"level": 98, "subsampling": "444"}
    for name, syntax, frame, photometric in (
        ("luma and chroma", JPEGBaseline8Bit, imagecodecs.jpeg8_encode(levels, **whole), "YBR_FULL"),
        ("shared chroma", JPEGBaseline8Bit, imagecodecs.jpeg8_encode(levels, level=98), "YBR_FULL_422"),
        ("RGB", JPEGBaseline8Bit, imagecodecs.jpeg8_encode(levels, outcolorspace="RGB", **whole), "RGB"),
        ("lossless RGB", JPEGLosslessSV1, imagecodecs.jpeg8_encode(levels, lossless=True, outcolorspace="RGB"), "RGB"),
        ("RGB", JPEGLSLossless, imagecodecs.jpegls_encode(levels), "RGB"),
        ("RGB", RLELossless, _run_lengths(levels), "RGB"),
    ):
        header = {"bits_stored": 8, **_coloured(photometric, 0), "PixelData": encapsulate([frame])}
        yield Variant(f"{photometric}, {syntax.name}, {name}", syntax, header, tolerance=4 / 255)


def _run_lengths(levels: np.ndarray) -> bytes:
    """Encode a plane of bytes after the other (PS3.5 G)."""
    planes = [imagecodecs.packbits_encode(levels[..., plane].tobytes()) for plane in range(levels.shape[-1])]
    planes = [plane + bytes(len(plane) % 2) for plane in planes]
    offsets = np.cumsum([64, *map(len, planes[:-1])])
    header = np.zeros(16, "<u4")
    header[: len(planes) + 1] = [len(planes), *offsets]
    return header.tobytes() + b"".join(planes)


def _coloured(photometric: str, planar: int) -> dict[str, object]:
    return {"PhotometricInterpretation": photometric, "SamplesPerPixel": 3, "PlanarConfiguration": planar}


def _palettes() -> Iterator[Variant]:
    for syntax, depth, first, form in itertools.product(
        (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, RLELossless),
        (8, 16),
        (0, 20),
        ("words", "bytes"),
    ):
        if form == "bytes" and depth == 16:
            continue
        steps = np.linspace(0, 1, 256 - first)
        top = 2**depth - 1
        palette = {}
        for colour, curve in (("Red", steps), ("Green", steps**2), ("Blue", 1 - steps)):
            entries = np.round(curve * top).astype("u1" if form == "bytes" else "u2")
            if form == "bytes" and syntax == ExplicitVRBigEndian:
                entries = entries.view("<u2").astype(">u2")
            palette[f"{colour}PaletteColorLookupTableDescriptor"] = [len(steps), first, depth]
            palette[f"{colour}PaletteColorLookupTableData"] = (
                _bytes(entries, syntax) if form == "words" else (entries.tobytes())
            )
        header = {"bits_stored": 8, "photometric": "PALETTE COLOR", **palette}
        name = f"PALETTE COLOR, {syntax.name}, {depth} bits in {form}, from {first}"
        yield Variant(name, syntax, header, tolerance=1.5 / 255)


def _in_order_of(syntax: UID, header: dict[str, object]) -> dict[str, object]:
    """Write the words of look-up tables in the byte order of a syntax."""
    if syntax.is_little_endian:
        return header
    tables = {keyword: value for keyword, value in header.items() if keyword.endswith("LUTSequence")}
    for keyword, (item,) in tables.items():
        swapped = copy.deepcopy(item)
        swapped.LUTData = np.frombuffer(item.LUTData, "<u2").byteswap().tobytes()
        tables[keyword] = [swapped]
    return {**header, **tables}


def _bytes(levels: np.ndarray, syntax: UID) -> bytes:
    order = "<" if syntax.is_little_endian else ">"
    return levels.astype(levels.dtype.newbyteorder(order)).tobytes()
