"""A Python that has imported training's libraries before it is called: scripts of many commands then start in no time.

What it runs is forked from a process that has computed nothing, so each command gets a fresh one.
"""

import json
import os
import runpy
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.config import ROOT

MESSAGE = 2**17
"""Bytes: arguments and environment of a command."""
CLIENT = """#!{python} -SE
import json, os, socket, sys
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as channel:
    channel.connect({address!r})
    message = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(channel, [message], [0, 1, 2])
    sys.exit(int(channel.recv(16) or 70))
"""


@contextmanager
def warm_python(folder: Path) -> Iterator[Path]:
    """Start such a Python; give the path by which it is called: `PATH -m MODULE ARGUMENTS`."""
    address, client = folder / "socket", folder / "python"
    client.write_text(CLIENT.format(python=sys.executable, address=str(address)))
    client.chmod(0o700)
    with subprocess.Popen([sys.executable, "-m", __name__, str(address)], cwd=ROOT) as process:
        try:
            while not address.exists() and process.poll() is None:
                time.sleep(0.05)
            yield client
        finally:
            process.kill()


def serve(address: str) -> None:
    """Import what takes long, and run commands one after the other, each in a fork."""
    import training.data.archive
    import training.data.prepare
    import training.learning.average
    import training.learning.begin
    import training.learning.train
    import training.measuring.metrics
    import training.releasing.release  # noqa: F401

    training.measuring.metrics.RESAMPLES = 20  # a thousand take longer than a small training
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(f"{address}.unready")
        listening.listen()
        os.rename(f"{address}.unready", address)  # whoever sees it may connect
        while True:
            channel, _ = listening.accept()
            with channel:
                message, files, _, _ = socket.recv_fds(channel, MESSAGE, 3)
                child = os.fork()
                if child == 0:
                    os._exit(_run(files, *json.loads(message)))
                for file in files:
                    os.close(file)
                _, status = os.waitpid(child, 0)
                channel.send(str(os.waitstatus_to_exitcode(status)).encode())


def _run(files: list[int], arguments: list[str], folder: str, environment: dict[str, str]) -> int:
    for target, file in enumerate(files):
        os.dup2(file, target)
    sys.stdout = open(1, "w", closefd=False)  # those it had may be of files of another kind
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    option, module, *sys.argv[1:] = arguments
    assert option == "-m"
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as error:
        if isinstance(error.code, str):
            print(error.code, file=sys.stderr)
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return status


if __name__ == "__main__":
    serve(sys.argv[1])
