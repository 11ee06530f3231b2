"""The process that decodes films: `app.segmentation.reading.reader` starts it by `python -m`, and speaks to it.

It imports every codec once and then does nothing but fork: each film is decoded in a child of its own, which ends with
that film. So a film gets a process that no other film has touched, limits of its own, and its memory goes back as a
whole; a fork costs some ten milliseconds, starting Python with its codecs a second. Nothing here imports torch.
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


def serve(channel: socket.socket, read: Callable[[bytes], object]) -> None:
    """Decode films until the other end of the channel is closed.

    Args:
        channel: Gets a `STATUS` as soon as films may come, and for each film; brings an `Order` with two open files,
            the film and an empty one for the outcome.
        read: What makes a film of a file's bytes.
    """
    channel.send(STATUS.pack(0))
    while True:
        message, files, _, _ = socket.recv_fds(channel, Order.FORM.size, 2)
        if not message:
            return
        child = os.fork()
        if child == 0:
            channel.close()
            with open(files[0], "rb") as film, open(files[1], "wb") as outcome:
                os._exit(_read_one(read, Order.unpack(message), film, outcome))
        for file in files:
            os.close(file)
        _, status = os.waitpid(child, 0)
        channel.send(STATUS.pack(status))


def _read_one(read: Callable[[bytes], object], order: Order, film: BinaryIO, outcome: BinaryIO) -> int:
    """Write what a film is read as, or the exception that it was refused with; return the exit status."""
    try:
        order.enforce()
        film.seek(0)
        try:
            result = read(film.read())
        except MemoryError:
            return OUT_OF_MEMORY
        except Exception as error:
            if not type(error).__module__.startswith("app."):  # a refusal is ours; all else is a defect
                raise
            result = error
        pickle.dump(result, outcome, protocol=5)  # version 5 writes an array without a copy of it
        outcome.flush()
        return 0
    except MemoryError:
        return OUT_OF_MEMORY
    except Exception as error:
        _tell(error)
        return 1


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
