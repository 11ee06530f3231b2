"""The process that decodes films: `app.segmentation.reading.film_reader` starts it by `python -m`, and speaks to it.

It imports every codec once and then does nothing but fork: each film is decoded in a child of its own, which ends with
that film. So a film gets a process that no other film has touched, limits of its own, and its memory goes back as a
whole. Starting Python with its codecs takes a second, a fork some milliseconds; the child is there before its film
comes, and the film is handed on before the child has ended. Nothing here imports torch.
"""

import importlib
import os
import pickle
import resource
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO, Self

LIBRARIES_BYTES = 2**30
"""Address space for mapped libraries and what they reserve without using it, beside the memory of a film."""

LARGEST_FILE_BYTES = 2**30
"""No codec may fill the disk; a decoded film comes back in memory, but counts as a file."""

OUT_OF_MEMORY = 70
"""Exit status of a child that ran out of memory, and could say so."""
NO_MORE_FILMS = 71
"""Exit status of a child whose film will not come."""


@dataclass(frozen=True)
class Order:
    """What one film may take.

    Attributes:
        processor_seconds: Seconds of work.
        clock_seconds: Seconds altogether: on a busy machine they pass faster than work is done.
        data_bytes: Memory, private and writable.
    """

    processor_seconds: int
    clock_seconds: int
    data_bytes: int

    FORM = struct.Struct("=IIQ")

    def pack(self) -> bytes:
        """Put the order into bytes."""
        return self.FORM.pack(self.processor_seconds, self.clock_seconds, self.data_bytes)

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Take an order out of bytes."""
        return cls(*cls.FORM.unpack(data))

    def enforce(self) -> None:
        """Have the kernel end this process where it takes more, whatever it does and whoever else is alive."""
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a dump would hold the film
        resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE_BYTES, LARGEST_FILE_BYTES))
        resource.setrlimit(resource.RLIMIT_DATA, (self.data_bytes, self.data_bytes))
        space = self.data_bytes + LIBRARIES_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (space, space))
        resource.setrlimit(resource.RLIMIT_CPU, (self.processor_seconds, self.processor_seconds + 1))
        signal.alarm(self.clock_seconds)


STATUS = struct.Struct("=i")
"""How a child ended, as `os.waitpid` tells it."""


LENGTH = struct.Struct("=Q56x")
"""How long a part of an outcome is, in bytes; parts are padded so that each begins at a multiple of this size."""


def serve(channel: socket.socket, read: Callable[[bytes], object]) -> None:
    """Decode films until the other end of the channel is closed.

    Args:
        channel: Gets a `STATUS` as soon as films may come, and for each film; brings an `Order` with two open files,
            the film and an empty one for the outcome.
        read: What makes a film of a file's bytes.
    """
    channel.send(STATUS.pack(0))
    while True:
        news, told = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(news)
            os._exit(_read_one(channel, read, told))
        os.close(told)
        has_come, is_read = os.read(news, 1), os.read(news, 1)
        os.close(news)
        if is_read:
            channel.send(STATUS.pack(0))
            os.kill(child, signal.SIGKILL)  # it would give its memory back in its own time
        _, status = os.waitpid(child, 0)
        if has_come and not is_read:
            channel.send(STATUS.pack(status))
        elif not has_come and os.waitstatus_to_exitcode(status) == NO_MORE_FILMS:
            return


def _read_one(channel: socket.socket, read: Callable[[bytes], object], told: int) -> int:
    """Wait for a film, and write what it is read as, or the exception that it was refused with.

    Args:
        channel: Brings it.
        read: What makes a film of its bytes.
        told: A pipe that gets a byte when the film has come, and another when all is written.

    Returns:
        The exit status.
    """
    message, files, _, _ = socket.recv_fds(channel, Order.FORM.size, 2)
    channel.close()
    if not message:
        return NO_MORE_FILMS
    os.write(told, b"!")
    with open(files[0], "rb") as film, open(files[1], "wb") as outcome:
        try:
            Order.unpack(message).enforce()
            film.seek(0)
            _write(_outcome(read, film.read()), outcome)
        except MemoryError:
            return OUT_OF_MEMORY
        except Exception as error:
            _tell(error)
            return 1
    os.write(told, b"!")
    return 0


def _outcome(read: Callable[[bytes], object], film: bytes) -> object:
    try:
        return read(film)
    except Exception as error:
        if not type(error).__module__.startswith("app."):  # a refusal is ours; all else is a defect
            raise
        return error


def _write(outcome: object, file: BinaryIO) -> None:
    """Pickle an outcome behind the arrays that it holds, each as it lies in memory, for `parts_of` to find."""
    arrays: list[pickle.PickleBuffer] = []
    pickled = pickle.dumps(outcome, protocol=5, buffer_callback=arrays.append)
    for part in (*(array.raw() for array in arrays), memoryview(pickled)):
        file.write(LENGTH.pack(part.nbytes))
        file.write(part)
        file.write(bytes(-part.nbytes % LENGTH.size))


def parts_of(written: memoryview) -> list[memoryview]:
    """Find the parts of an outcome: its arrays, and at last what is pickled.

    Raises:
        struct.error: If it was not written by `_read_one`.
    """
    parts, place = [], 0
    while place < len(written):
        (length,) = LENGTH.unpack_from(written, place)
        place += LENGTH.size
        parts.append(written[place : place + length])
        place += length + -length % LENGTH.size
    return parts


def _tell(error: Exception) -> None:
    """Put where it happened into the log, and of what kind it was: a message may quote the film's header."""
    places = traceback.extract_tb(error.__traceback__)
    path = " < ".join(f"{place.filename}:{place.lineno}" for place in reversed(places))
    print(f"Reading failed: {type(error).__name__} at {path}", file=sys.stderr, flush=True)


def main(descriptor: str, reference: str) -> None:
    """Serve on an inherited socket.

    Args:
        descriptor: Its number.
        reference: "module:function" that reads a film.
    """
    module, _, name = reference.partition(":")
    read = getattr(importlib.import_module(module), name)
    with socket.socket(fileno=int(descriptor)) as channel, suppress(ConnectionError):  # whom it reads for was killed
        serve(channel, read)


if __name__ == "__main__":
    main(*sys.argv[1:])
