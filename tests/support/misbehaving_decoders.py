"""Reading functions that misbehave, each in a way of its own, for tests of the process that they run in."""

import os
import signal
import time

import numpy as np

from app.segmentation.errors import EmptyFileError, ImageTooSmallError
from app.segmentation.reading.image_io import read_radiograph


def read(data: bytes) -> np.ndarray:
    """Do as the file says: its first word names the deed."""
    return DEEDS[data.split()[0].decode()](data)


def read_film_or_do(data: bytes) -> object:
    """Do as a file says whose first word names a deed, and read any other."""
    is_deed = data.split()[0].decode("latin-1") in DEEDS
    return read(data) if is_deed else read_radiograph(data)


def _refuse(data: bytes) -> np.ndarray:
    error = ImageTooSmallError("Too small, at 1 × 1.")
    error.picture = np.full((2, 2), 0.5, np.float32)
    raise error


def _sleep(data: bytes) -> np.ndarray:
    time.sleep(600)


def _spin(data: bytes) -> np.ndarray:
    while True:
        pass


def _stop(data: bytes) -> np.ndarray:
    os.kill(os.getpid(), signal.SIGSTOP)


def _eat(data: bytes) -> np.ndarray:
    return np.ones(2**31, np.float32)


def _nibble(data: bytes) -> np.ndarray:
    meals = []
    while True:
        meals.append(bytes(2**20))


def _exit(data: bytes) -> np.ndarray:
    os._exit(3)


def _crash(data: bytes) -> np.ndarray:
    os.kill(os.getpid(), signal.SIGSEGV)


def _kill_all(data: bytes) -> np.ndarray:
    os.kill(os.getppid(), signal.SIGKILL)
    return np.zeros(1)


def _err(data: bytes) -> np.ndarray:
    raise KeyError("Doe^Jane")


class _Command:
    def __reduce__(self) -> tuple:
        return os.system, ("touch subverted",)


def _subvert(data: bytes) -> object:
    return _Command()


def _fill_disk(data: bytes) -> np.ndarray:
    with open("/tmp/pleura-filled", "wb") as file:
        os.unlink(file.name)
        file.truncate(2**31)
    return np.zeros(1)


DEEDS = {
    "length": lambda data: np.array([len(data)]),
    "array": lambda data: np.ones((4000, 4000), np.float32),
    "process": lambda data: np.array([os.getpid()]),
    "empty": lambda data: (_ for _ in ()).throw(EmptyFileError("Nothing.")),
    "refuse": _refuse,
    "sleep": _sleep,
    "spin": _spin,
    "stop": _stop,
    "eat": _eat,
    "nibble": _nibble,
    "exit": _exit,
    "crash": _crash,
    "kill": _kill_all,
    "err": _err,
    "subvert": _subvert,
    "fill": _fill_disk,
}
