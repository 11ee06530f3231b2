"""What `compose.yaml` starts, as plain processes: nginx with its own configuration, two replicas, PostgreSQL, Redis."""

import os
import shutil
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path

import yaml

from app.config import ROOT
from tests.support.needs import command, lacking
from tests.support.server import Server, running_server

START_SECONDS = 60


@dataclass
class Cluster:
    """The running processes.

    Attributes:
        url: Of nginx.
        replicas: The gunicorns behind it.
        database_url: SQLAlchemy's, of PostgreSQL.
        redis: The process.
    """

    url: str
    replicas: list[Server]
    database_url: str
    redis: subprocess.Popen
    data: Path

    def browser(self) -> urllib.request.OpenerDirector:
        """A browser that keeps cookies, and trusts the certificate."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        jar = urllib.request.HTTPCookieProcessor(CookieJar())
        return urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), jar)

    def stop_database(self) -> None:
        """Stop PostgreSQL at once."""
        _as_postgres("pg_ctl", "stop", "-m", "immediate", "-D", str(self.data))

    def start_database(self) -> None:
        """Start it again, on the same port."""
        _start_postgres(self.data)


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running_cluster(folder: Path, **settings: str) -> Iterator[Cluster]:
    """Serve until the block is left."""
    with ExitStack() as stack:
        redis_port = free_port()
        redis = stack.enter_context(_process(command("redis-server", "redis"), "--port", str(redis_port), "--save", ""))
        data, database_url = stack.enter_context(postgres(folder))
        settings = {
            "PLEURA_DATABASE_URL": database_url,
            "PLEURA_RATE_STORAGE": f"redis://127.0.0.1:{redis_port}",
            "PLEURA_SECRET_KEY": "a secret of more than thirty-two characters",
            "PLEURA_HOSTS": "pleura.example",
            "PLEURA_PRODUCTION": "1",
            "PLEURA_PROXIES": "1",
            "PLEURA_LOG": "json",
            **settings,
        }
        replicas = []
        for name in ("one", "two"):
            (folder / name).mkdir()
            replicas.append(stack.enter_context(running_server(folder / name, **settings)))
        url = stack.enter_context(nginx(folder, [replica.port for replica in replicas]))
        yield Cluster(url, replicas, database_url, redis, data)


@contextmanager
def nginx(folder: Path, ports: list[int]) -> Iterator[str]:
    """Run nginx by `compose.yaml`'s configuration, before applications on some ports; yield its address."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin") or lacking("no nginx on this machine")
    port = free_port()
    site = yaml.safe_load((ROOT / "compose.yaml").read_text())["configs"]["nginx"]["content"].replace("$$", "$")
    for written, here in (
        ("resolver 127.0.0.11 valid=5s;", ""),
        ("server pleura:8000 resolve;", " ".join(f"server 127.0.0.1:{port};" for port in ports)),
        ("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
        ("/run/secrets/certificate", str(folder / "certificate.pem")),
        ("/run/secrets/key", str(folder / "key.pem")),
    ):
        assert written in site, f"compose.yaml lacks {written!r}"
        site = site.replace(written, here)
    subprocess.run(
        [command("openssl", "openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=pleura.example"]
        + ["-keyout", folder / "key.pem", "-out", folder / "certificate.pem"],
        check=True,
        capture_output=True,
    )
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; user root; pid {folder}/nginx.pid; error_log {folder}/nginx.log;\n"
        f"events {{ worker_connections 1024; }}\nhttp {{ access_log off; {temporary}\n{site} }}\n"
    )
    with _process(program, "-p", str(folder), "-c", str(folder / "nginx.conf")):
        _wait_for(port)
        yield f"https://127.0.0.1:{port}"


@contextmanager
def postgres(folder: Path) -> Iterator[tuple[Path, str]]:
    """Run PostgreSQL in a folder of its own; yield that folder, and SQLAlchemy's URL."""
    data, port = Path("/tmp") / f"pleura-postgres-{os.getpid()}-{time.monotonic_ns()}", free_port()
    _as_postgres("initdb", "-D", str(data), "-U", "pleura", "--auth", "trust", "-E", "UTF8")
    with (data / "postgresql.conf").open("a") as configuration:
        configuration.write(f"port = {port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{data}'\n")
    try:
        _start_postgres(data)
        yield data, f"postgresql+psycopg://pleura@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run(_by_postgres("pg_ctl", "stop", "-m", "immediate", "-D", str(data)), capture_output=True)
        shutil.rmtree(data, ignore_errors=True)


def _start_postgres(data: Path) -> None:
    _as_postgres("pg_ctl", "start", "-w", "-D", str(data), "-l", str(data / "log"))


def _as_postgres(program: str, *arguments: str) -> None:
    done = subprocess.run(_by_postgres(program, *arguments), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert done.returncode == 0, done.stderr.decode()


def _by_postgres(program: str, *arguments: str) -> list[str]:
    """PostgreSQL refuses to run as root."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    path = shutil.which(program) or (folders and shutil.which(program, path=str(folders[-1])))
    path = path or lacking(f"no {program} on this machine (Debian: apt install postgresql)")
    return ["runuser", "-u", "postgres", "--", path, *arguments] if os.geteuid() == 0 else [path, *arguments]


@contextmanager
def _process(*arguments: str) -> Iterator[subprocess.Popen]:
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_for(port: int) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"Nothing listens on {port}")
