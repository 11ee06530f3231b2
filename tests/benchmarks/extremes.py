"""The largest films, and the most that may be drawn or written: `python -m tests.benchmarks.extremes`.

Fifty megapixels in every encoding that holds them in a file of 100 MiB, and what one film's page and exports take with
a mask as dusty as is accepted and with texts of a megabyte. Prints how each was answered by a server of the released
model, the seconds, and the most memory that the worker and the process that read the film have had.
"""

import argparse
import io
import re
import struct
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import (
    JPEG2000,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from app.segmentation.reading.radiograph import MAX_BYTES
from app.studies.drawing import mask_png
from tests.benchmarks.crowd import Browser, exports_in, film_in
from tests.support.film_files import to_dicom, to_png
from tests.support.processes import children, memory_mib
from tests.support.server import Server, running_server
from training.releasing.phantom.drawing import draw_phantom

ROWS, COLUMNS = 7071, 7071
"""Not quite fifty megapixels, which is the limit."""
DOTS_A_SIDE = 22
"""Of a square of isolated dots: 500 separate areas are accepted."""


def films() -> dict[str, Callable[[], bytes]]:
    """What makes files of almost fifty megapixels, by their names."""
    small = draw_phantom(1, 1024).image
    large = np.clip(cv2.resize(small, (COLUMNS, ROWS), interpolation=cv2.INTER_LINEAR), 0, 1)
    grain = np.random.default_rng(1).integers(0, 2, large.shape, np.uint16)
    eight, deep = np.round(large * 255).astype(np.uint8), np.round(large * 65535).astype(np.uint16) // 16 * 16
    twelve = np.minimum(np.round(large * 4094).astype(np.uint16) + grain, 4095)
    rgb = np.dstack([eight, eight // 2, 255 - eight])
    made: dict[str, Callable[[], bytes]] = {
        "PNG, 8 bits": lambda: _png(eight),
        "PNG, 16 bits": lambda: _png(deep),
        "PNG, RGB 8 bits": lambda: _png(rgb),
        "PNG, RGB 16 bits": lambda: _png(rgb.astype(np.uint16) * 257),
        "PNG, RGBA 16 bits": lambda: _png(np.dstack([rgb, eight]).astype(np.uint16) * 257),
        "PNG, palette": lambda: _palette_png(eight),
        "JPEG": lambda: imagecodecs.jpeg8_encode(rgb, level=90),
        "JPEG, progressive": lambda: _progressive(rgb),
        "JPEG, lossless, 16 bits": lambda: imagecodecs.jpeg8_encode(deep, lossless=True, bitspersample=16),
        "JPEG-LS, 12 bits": lambda: imagecodecs.jpegls_encode(twelve),
        "WebP": lambda: imagecodecs.webp_encode(rgb, level=80),
        "DICOM, JPEG, RGB": lambda: framed(imagecodecs.jpeg8_encode(rgb, level=90), JPEGBaseline8Bit, 8, 3),
        "DICOM, JPEG 2000, RGB 8 bits": lambda: framed(
            imagecodecs.jpeg2k_encode(rgb, level=0, codecformat="j2k", reversible=True), JPEG2000Lossless, 8, 3
        ),
        "DICOM, RLE, grey 32 bits": lambda: framed(_runs(eight[..., None], 4), RLELossless, 32),
    }
    for name, syntax, levels, bits in (
        ("16 bits", ExplicitVRLittleEndian, twelve, 12),
        ("deflated", DeflatedExplicitVRLittleEndian, twelve, 12),
        ("RLE, 16 bits", RLELossless, deep, 16),
        ("lossless JPEG, 16 bits", JPEGLosslessSV1, deep, 16),
        ("JPEG-LS, 12 bits", JPEGLSLossless, twelve, 12),
        ("JPEG 2000, lossless, 12 bits", JPEG2000Lossless, twelve, 12),
        ("JPEG 2000, lossless, 16 bits", JPEG2000Lossless, deep, 16),
        ("JPEG 2000, lossy", JPEG2000, twelve, 12),
    ):
        made[f"DICOM, {name}"] = partial(lambda *said: dicom(_frame(*said), *said[1:]), levels, syntax, bits)
    for bits in (8, 16, 32):
        made[f"DICOM, RLE, RGB {bits} bits"] = partial(lambda b: framed(_runs(rgb, b // 8), RLELossless, b, 3), bits)
    for bits in (8, 16):
        made[f"DICOM, RLE, palette of {bits} bits"] = partial(
            lambda b: framed(_runs(eight[..., None], b // 8), RLELossless, b, 1, **_palette(b)), bits
        )
    return made


def framed(stream: bytes, syntax: str, bits: int, samples: int = 1, **more: object) -> bytes:
    """A DICOM object around one compressed frame."""
    return dicom(encapsulate([stream]), syntax, bits, samples, **more)


def dicom(pixels: bytes, syntax: str, bits: int, samples: int = 1, **more: object) -> bytes:
    """A DICOM object around pixel data of `ROWS` × `COLUMNS`."""
    with warnings.catch_warnings(action="ignore"):
        said = {"Rows": ROWS, "Columns": COLUMNS, "BitsStored": bits, "HighBit": bits - 1, "SamplesPerPixel": samples}
        said |= {"BitsAllocated": 8 if bits == 8 else 16 if bits <= 16 else 32}
        said |= {"PhotometricInterpretation": "RGB"} if samples == 3 else {}
        said |= {"PlanarConfiguration": 0} if samples == 3 else {}
        return to_dicom(
            np.zeros((256, 256), np.float32), bits_stored=8, transfer_syntax=syntax, **(said | more), PixelData=pixels
        )


def main() -> None:
    """Measure, and print a line for each."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.extremes", description=__doc__)
    parser.add_argument("--only", default="", help="films whose name holds this")
    parser.add_argument("--folder", type=Path, help="of the films: those that are there are not made again")
    parser.add_argument("--make_only", action="store_true", help="fill the folder, and measure nothing")
    arguments = parser.parse_args()
    settings = {"PLEURA_RATE_LIMIT": "", "MALLOC_ARENA_MAX": "2"}
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary) / "films"
        folder.mkdir(exist_ok=True)
        for name, make in films().items():
            if not (folder / name).exists():
                (folder / name).write_bytes(make())
        if arguments.make_only:
            return
        with running_server(Path(temporary), **settings) as server:
            browser = Browser(server.port)
            browser.open()
            browser.send(to_png(draw_phantom(2, 512).image))
            drawn_and_written(browser, server)
            for path in sorted(folder.iterdir()):
                if arguments.only in path.name:
                    large(browser, server, path.name, path.read_bytes())
            if "Traceback" in server.log():
                print(server.log()[-4000:])


def large(browser: Browser, server: Server, name: str, film: bytes) -> None:
    """Send a large film, and tell what it took."""
    if len(film) > MAX_BYTES:
        tell(name, "not sent", f"{len(film) / 2**20:.0f} MiB", "")
        return
    with most_memory(server) as most:
        started = time.perf_counter()
        status, _, text = browser.send(film)
        seconds = time.perf_counter() - started
    page = 0.0
    if place := film_in(text):
        browser.ask(place, name="page")
        page = browser.seconds["page"][-1]
    code = re.search(rb'class="reason">([^<]*)', text)
    tell(
        f"{name}, {len(film) / 2**20:.0f} MiB", f"{status} {code[1].decode() if code and not place else ''}",
        f"{seconds:5.1f} s, page {page:.2f} s", f"reader {most['reader']:.0f} MiB, worker {most['worker']:.0f} MiB",
    )  # fmt: skip


def drawn_and_written(browser: Browser, server: Server) -> None:
    """Draw dust on a film of 4096², and send films with texts of a megabyte; tell what page and exports take."""
    film = to_png(cv2.resize(draw_phantom(1, 1024).image, (4096, 4096)))
    place = sent(browser, film)
    side = 4096
    for name, step in (("every second pixel", 2), ("as many as are accepted", 0)):
        mask = np.zeros((side, side), bool)
        if step:
            mask[::step, ::step] = True
        else:
            dots = np.linspace(1, side - 2, DOTS_A_SIDE).astype(int)
            mask[np.ix_(dots, dots)] = True
        boundary, body = _form({"csrf_token": browser.token, "mask": (mask_png(mask), "mask.png")})
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", "X-Requested-With": "XMLHttpRequest"}
        status, _, _ = browser.ask(f"{place}/correct", body, headers, "correct")
        tell(f"mask of {int(mask.sum()):,} dots, {name}", str(status), f"{browser.seconds['correct'][-1]:5.2f} s", "")
    views(browser, server, place, "dusty mask")
    long = "A" * 2**20
    texts = dict.fromkeys(("PatientName", "PatientID", "StudyDescription", "AccessionNumber"), long)
    texts["ReferringPhysicianName"] = "^".join(["B" * 60] * 16_000)
    views(browser, server, sent(browser, to_dicom(draw_phantom(3, 512).image, **texts)), "texts of a megabyte")


def views(browser: Browser, server: Server, place: str, what: str) -> None:
    """Ask for a film's page and every export; tell of the slowest and the largest."""
    page = browser.ask(place, name="view")[2]
    exports = exports_in(page)
    assert exports, page[:500]
    took = []
    for path in ("/", "/worklist.csv", place, f"{place}/correct", *exports):
        status, _, text = browser.ask(path, name="view")
        took.append((browser.seconds["view"][-1], len(text), status, path.rpartition("/")[2] or "list"))
    slowest, largest = max(took), max(took, key=lambda one: one[1])
    odd = {f"{path}: {status}" for _, _, status, path in took if status != 200}
    statuses, last = ", ".join(sorted(odd)) or "200", f"{largest[1] / 2**20:.2f} MiB ({largest[3]})"
    tell(f"{what}: {len(took)} views and exports", statuses, f"{slowest[0]:5.2f} s ({slowest[3]})", last)


def sent(browser: Browser, film: bytes) -> str:
    """Send a film; return its page's address."""
    status, _, text = browser.send(film)
    place = film_in(text)
    assert place, (status, text[:2000])
    return place


@contextmanager
def most_memory(server: Server) -> Iterator[dict[str, float]]:
    """Watch how much memory the worker has at most, and whichever process reads."""
    most, over = {"reader": 0.0, "worker": 0.0}, threading.Event()
    (worker,) = children(server.process.pid)

    def watch() -> None:
        while not over.wait(0.005):
            most["worker"] = max(most["worker"], memory_mib(worker))
            for reader in children(worker):
                for child in children(reader):
                    most["reader"] = max(most["reader"], memory_mib(child, "VmHWM"))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield most
    finally:
        over.set()
        thread.join()


def tell(what: str, how: str, seconds: str, more: str) -> None:
    print(f"{what:<52} {how:<22} {seconds:<26} {more}", flush=True)


def _form(fields: dict) -> tuple[str, bytes]:
    return encode_multipart(
        {
            name: FileStorage(io.BytesIO(value[0]), value[1]) if isinstance(value, tuple) else value
            for name, value in fields.items()
        }
    )


def _png(levels: np.ndarray) -> bytes:
    return imagecodecs.png_encode(levels, level=1)


def _palette_png(eight: np.ndarray) -> bytes:
    picture = Image.fromarray(eight, "P")
    picture.putpalette(np.repeat(np.arange(256, dtype=np.uint8), 3).tobytes())
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _progressive(rgb: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=90, progressive=True)
    return buffer.getvalue()


def _frame(levels: np.ndarray, syntax: str, bits: int) -> bytes:
    if syntax in (ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian):
        return levels.tobytes()
    if syntax == RLELossless:
        return encapsulate([_runs((levels.astype(np.uint16))[..., None], 2)])
    if syntax == JPEGLosslessSV1:
        return encapsulate([imagecodecs.jpeg8_encode(levels, lossless=True, bitspersample=bits)])
    if syntax == JPEGLSLossless:
        return encapsulate([imagecodecs.jpegls_encode(levels)])
    is_lossless = syntax == JPEG2000Lossless
    stream = imagecodecs.jpeg2k_encode(
        levels, level=0 if is_lossless else 60, codecformat="j2k", reversible=is_lossless, bitspersample=bits
    )
    return encapsulate([stream])


def _runs(samples: np.ndarray, width: int) -> bytes:
    """Run-length encode planes of bytes, most significant first; levels fill the width's upper bytes."""
    planes = []
    for sample in range(samples.shape[-1]):
        plane = imagecodecs.packbits_encode(np.ascontiguousarray(samples[..., sample]).astype(np.uint8).tobytes())
        planes += [plane + bytes(len(plane) % 2)] * width
    offsets = np.cumsum([64, *map(len, planes[:-1])]).tolist()
    return struct.pack("<16L", len(planes), *offsets, *[0] * (15 - len(planes))) + b"".join(planes)


def _palette(bits: int) -> dict[str, object]:
    entries = np.linspace(0, 65535, 2**bits).astype("<u2").tobytes()
    said: dict[str, object] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for colour in ("Red", "Green", "Blue"):
        said[f"{colour}PaletteColorLookupTableDescriptor"] = [2**bits % 2**16, 0, 16]
        said[f"{colour}PaletteColorLookupTableData"] = entries
    return said


if __name__ == "__main__":
    main()
