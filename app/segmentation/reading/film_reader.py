"""Films are decoded in a process of their own, so that time, memory and crashes of a codec cost one film its answer.

The process beside each worker (`reading_process`) is kept warm and forks for every film. Why no pool:
`concurrent.futures.ProcessPoolExecutor` cannot end one process, and breaks as a whole where one dies; pebble's can, but
pays the start of Python and its codecs, a second, for every film that hangs, and sends films through a pipe;
multiprocessing's own fork server imports the main program, here gunicorn or pytest, into every child. What is needed
of them is a fork, limits that the kernel enforces, and a status: `os`, `resource` and `signal` have these.

Film and outcome travel in anonymous memory (`memfd_create`), passed as open files: what a killed process leaves
behind ceases with its last reader. A codec may have been subverted: so nobody can change the outcome once it is
looked at, and it is unpickled by an allow-list.
"""

import fcntl
import functools
import io
import mmap
import os
import pickle
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import weakref
from pathlib import Path
from typing import BinaryIO

from app.segmentation.errors import ImageTooLargeError, InvalidImageError, PleuraError
from app.segmentation.reading import reading_process
from app.segmentation.reading.reading_process import OUT_OF_MEMORY, STATUS, Order, parts_of

ROOT = Path(__file__).parents[3]
READ_RADIOGRAPH = "app.segmentation.reading.image_io:read_radiograph"

READING_SECONDS = 10
READING_MEBIBYTES = 1536
"""What one film may take where no setting says otherwise: three times what the largest sound one does."""

CLOCK_FACTOR = 3
"""Seconds by the clock for each of work: others may be using the processor."""
START_SECONDS = 60
"""How long the process may take to start: on a machine that starts many at once."""
GRACE_SECONDS = 5
"""How much later than the kernel this process gives a film up."""

OF_NUMPY = {
    *(("numpy", "dtype"), ("numpy", "ndarray"), ("numpy._core.numeric", "_frombuffer")),
    *(("numpy._core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "scalar")),
}
"""What arrays and numbers are unpickled by."""

OWN = "app.segmentation."
"""Where the classes are defined that a film is made of."""
NO_PART = (__name__, reading_process.__name__)
"""Modules there that start processes, and make no part of a film."""

KILLED_BY_THE_CLOCK = (signal.SIGALRM, signal.SIGXCPU)


class ReadingTimedOutError(InvalidImageError):
    """Reading a film took longer than any sound film does."""

    code = "reading_timed_out"


class ReadingTooLargeError(ImageTooLargeError):
    """Reading a film took more memory than any sound film does."""

    code = "reading_too_large"


class ReadingFailedError(InvalidImageError):
    """The process that read a film broke down over it."""

    code = "reading_failed"


class ReaderUnavailableError(PleuraError):
    """No process can be started to read films."""

    code = "reader_unavailable"


class FilmReader:
    """Reads one film at a time in a process that may be killed. Shared between threads.

    Attributes:
        order: What one film may take.
    """

    def __init__(self, seconds: int, mebibytes: int, read: str = READ_RADIOGRAPH) -> None:
        """Start the process; it gets ready by itself.

        Args:
            seconds: Seconds of work that one film may take.
            mebibytes: Memory that one film may take.
            read: "module:function" that makes a film of a file's bytes.
        """
        self.order = Order(seconds, CLOCK_FACTOR * seconds, mebibytes * 2**20)
        self._read = read
        self._lock = threading.Lock()
        self._process = _Process(read)

    def read(self, data: bytes) -> object:
        """Decode a film.

        Args:
            data: The whole file.

        Returns:
            What the reading function makes of it.

        Raises:
            PleuraError: As the reading function does.
            ReadingTimedOutError: If it takes too long; the process has been killed.
            ReadingTooLargeError: If it takes too much memory.
            ReadingFailedError: If it crashes; the next film gets another process.
            ReaderUnavailableError: If no process can be started.
        """
        with self._lock, _anonymous_file() as film, _anonymous_file() as outcome:
            film.write(data)
            film.flush()
            status = self._ask(film, outcome)
            _raise_for(status, self.order)
            try:
                *arrays, pickled = parts_of(_contents(outcome))
                result = _Unpickler(io.BytesIO(pickled), buffers=arrays).load()
            except Exception as error:  # whatever was written, it was not by our reading function alone
                raise ReadingFailedError(FAILED) from error
        if not isinstance(result, Exception):
            return result
        try:
            raise result
        finally:
            del result  # else it holds this frame, and this frame holds it with its picture

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._process.kill()

    def _ask(self, film: BinaryIO, outcome: BinaryIO) -> int:
        """Have the film read, and return how its process ended."""
        for _ in range(2):  # the process may have been killed since the last film, by the kernel or a person
            try:
                return self._process.ask(self.order, film, outcome)
            except OSError:
                self._process.kill()
                self._process = _Process(self._read)
        raise ReaderUnavailableError("The process that reads films cannot be started. Try again, or tell the operator.")


@functools.cache
def shared_reader(seconds: int = READING_SECONDS, mebibytes: int = READING_MEBIBYTES) -> FilmReader:
    """Return the reader that all of this process share who grant a film as much: its films are read one at a time."""
    return FilmReader(seconds, mebibytes)


class _Process:
    """One running `app.segmentation.reading.reading_process`, with whatever it forks."""

    def __init__(self, read: str) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # Under glibc's own defaults, unlike the worker's: memory that a film needed no longer goes back at once.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
        environment |= {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}  # all pages of a film are new: fewer are quicker
        environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # threads would not survive the fork
        with theirs:
            self._popen = subprocess.Popen(
                [sys.executable, "-m", reading_process.__name__, str(theirs.fileno()), read],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # a terminal's Ctrl-C is for the server; and it can be killed with its children
            )
        self._is_ready = False
        self.kill = weakref.finalize(self, _end, self._popen, self._channel)

    def ask(self, order: Order, film: BinaryIO, outcome: BinaryIO) -> int:
        """Have a film read, and return how its process ended.

        Raises:
            OSError: If this process was gone before the film came, or never got ready.
        """
        if not self._is_ready:
            self._channel.settimeout(START_SECONDS)
            if not self._channel.recv(STATUS.size):
                raise ConnectionResetError("The reading process did not start.")
            self._is_ready = True
        if self._popen.poll() is not None:  # the child that it left behind would take the film, and nobody would tell
            raise BrokenPipeError
        socket.send_fds(self._channel, [order.pack()], [film.fileno(), outcome.fileno()])
        self._channel.settimeout(order.clock_seconds + GRACE_SECONDS)
        try:
            answer = self._channel.recv(STATUS.size)
        except TimeoutError:  # the kernel should have ended it: it was stopped, or waits for a disk
            self.kill()
            return signal.SIGALRM
        return STATUS.unpack(answer)[0] if answer else signal.SIGKILL


def _end(process: subprocess.Popen, channel: socket.socket) -> None:
    channel.close()
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


class _Unpickler(pickle.Unpickler):
    """Makes arrays and objects of our own classes, and nothing else."""

    def find_class(self, module: str, name: str) -> object:
        """Return a class that an outcome may be made of.

        Raises:
            UnpicklingError: If it may not.
        """
        if (module, name) in OF_NUMPY:
            return super().find_class(module, name)
        is_ours = module.startswith(OWN) and module not in NO_PART
        found = super().find_class(module, name) if is_ours else None
        if isinstance(found, type) and found.__module__ == module:  # not what the module has imported for itself
            return found
        raise pickle.UnpicklingError(f"{module}.{name} is no part of a film.")


FAILED = "The decoder broke down over this file; it is damaged, or made to do harm. Export the film again."


def _raise_for(status: int, order: Order) -> None:
    """Say in words why a process ended otherwise than by its own will."""
    if status == 0:
        return
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) in KILLED_BY_THE_CLOCK:
        raise ReadingTimedOutError(
            f"Reading the file takes longer than {order.processor_seconds} s, as no sound film does. Export it again."
        )
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) == OUT_OF_MEMORY:
        raise ReadingTooLargeError(
            f"Reading the file takes more memory than {order.data_bytes // 2**20} MiB. Export the film again, smaller."
        )
    raise ReadingFailedError(FAILED)


def _anonymous_file() -> BinaryIO:
    """Open a file in memory, or where the system has none, one that no folder names."""
    if hasattr(os, "memfd_create"):
        return open(os.memfd_create("film", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING), "w+b")
    return tempfile.TemporaryFile()


def _contents(file: BinaryIO) -> memoryview:
    """Return what another process has written into an anonymous file, writable, and not to be changed by it any more.

    Raises:
        OSError: If a process may write to it past the seals.
        ValueError: If it is empty.
    """
    if not hasattr(os, "memfd_create"):
        file.seek(0)
        return memoryview(bytearray(file.read()))
    fcntl.fcntl(file, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_WRITE)
    return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
