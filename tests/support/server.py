"""A real gunicorn of the application, for tests and benchmarks that need one."""

import io
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from app.config import ROOT

START_SECONDS = 90


@dataclass
class Server:
    """A running gunicorn.

    Attributes:
        port: Of the loopback address, chosen by the kernel.
    """

    process: subprocess.Popen
    log_path: Path
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def log(self) -> str:
        """Everything it has written so far."""
        return self.log_path.read_text()

    def takes_requests(self) -> bool:
        """Whether it answers a new request within a second."""
        try:
            urllib.request.urlopen(f"{self.url}/healthz", timeout=1).close()
        except OSError:
            return False
        return True

    def wait_for(self, pattern: str) -> re.Match:
        """Wait until its log matches a pattern; fail if it stops or takes too long."""
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if found := re.search(pattern, self.log()):
                return found
            if self.process.poll() is not None:
                raise RuntimeError(f"gunicorn stopped:\n{self.log()}")
            time.sleep(0.05)
        raise TimeoutError(f"No {pattern!r} in {START_SECONDS} s:\n{self.log()}")


def start_server(folder: Path, arguments: Sequence[str] = ("wsgi:app",), **settings: str) -> Server:
    """Start gunicorn on a free port; the caller waits for it, and ends it.

    Args:
        folder: For its log and database.
        arguments: gunicorn's, the application last.
        settings: Environment variables of its own.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PLEURA_")}
    environment |= {"PLEURA_DATABASE_URL": f"sqlite:///{folder / 'studies.sqlite'}", **settings}
    log_path = folder / "gunicorn.log"
    with log_path.open("w") as log:
        command = [sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", *arguments]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    return Server(process, log_path)


@contextmanager
def running_server(folder: Path, arguments: Sequence[str] = ("wsgi:app",), **settings: str) -> Iterator[Server]:
    """Serve until the block is left."""
    server = start_server(folder, arguments, **settings)
    try:
        server.port = int(server.wait_for(r"Listening at: http://127\.0\.0\.1:(\d+)")[1])
        urllib.request.urlopen(f"{server.url}/healthz", timeout=START_SECONDS).close()
        yield server
    finally:
        server.process.terminate()
        try:
            server.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            server.process.kill()


def film_form(film: bytes, name: str) -> tuple[bytes, dict[str, str]]:
    """Encode a film as the form that the API takes: body and headers."""
    boundary, body = encode_multipart({"file": FileStorage(io.BytesIO(film), name)})
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary}", "Content-Length": str(len(body))}
