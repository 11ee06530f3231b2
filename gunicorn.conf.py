"""How gunicorn serves the application; `gunicorn wsgi:app` reads this file by itself.

gunicorn's flags, GUNICORN_CMD_ARGS and WEB_CONCURRENCY (the number of workers, 1 without it) take precedence.
"""

import os
import secrets
import shutil
import tempfile

from app.config import SettingError, available_cores, check_settings, read_settings
from app.web.logs import JSON_FORMAT, TEXT_FORMAT, AccessLog

# Threads of OpenMP that spin while they wait make PyTorch ten times slower beside any other process.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

LOOPBACK = ("127.0.0.1", "::1", "localhost")
SHARED_MEMORY = "/dev/shm"

bind = "127.0.0.1:8000"
preload_app = False  # OpenMP does not survive a fork: a model touched before it hangs for ever after it
worker_class = "gthread"
threads = 24  # requests, not arithmetic: a few hold films that wait, the others answer pages and probes meanwhile
timeout = 60
graceful_timeout = 60  # on SIGTERM, what is being answered is answered
logger_class = AccessLog
access_log_format = JSON_FORMAT if os.environ.get("PLEURA_LOG") == "json" else TEXT_FORMAT
accesslog = "-"
forwarder_headers = ""  # nobody moves paths by SCRIPT_NAME or PATH_INFO, which a client might send as well
control_socket_disable = True  # nothing is to be steered at run time, and a user without a home has no place for it


def on_starting(server) -> None:
    """Settle in the environment, before any worker is forked, what all workers share.

    Raises:
        SystemExit: If a setting has no usable value.
    """
    try:
        settings = read_settings()
        check_settings(settings)
    except SettingError as error:
        raise SystemExit(f"Pleura cannot start. {error}") from None
    if not settings["SECRET_KEY"]:
        os.environ["PLEURA_SECRET_KEY"] = secrets.token_hex()
    if settings["PRODUCTION"] and not settings["HOSTS"]:
        server.log.warning(
            "PLEURA_HOSTS names no host: requests are taken under any name over HTTPS, over HTTP under addresses of "
            "numbers and loopback's names alone. Name the one that browsers use (docs/deployment.md)."
        )
    if settings["MONITORING_TOKEN"]:  # workers share what they count; a run begins at nothing
        # Counts are written through mapped pages: on a full disk, as uploads can make it, that kills a worker.
        folder = SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else None
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="pleura-metrics-", dir=folder)
    open_to = [str(address[0]) for address in server.cfg.address if isinstance(address, tuple)]
    if not settings["PROXIES"] and any(address not in LOOPBACK for address in open_to):
        server.log.warning(
            "gunicorn listens on %s without a proxy in front: clients that stall can hold every one of its threads. "
            "Put nginx there (docs/deployment.md), and say so by PLEURA_PROXIES=1.",
            ", ".join(open_to),
        )
    cores = available_cores()
    if not settings["THREADS"]:
        os.environ["PLEURA_THREADS"] = str(max(1, cores // server.cfg.workers))
    elif settings["THREADS"] * server.cfg.workers > cores:
        server.log.warning(
            "%d workers × PLEURA_THREADS=%d exceed %d cores; films will take many times longer",
            *(server.cfg.workers, settings["THREADS"], cores),
        )


def worker_exit(server, worker) -> None:
    """Let go of the database: SQLite then puts its log into the file, and leaves none beside it."""
    if worker.booted:
        from app.web.services import services  # the master shall hold no library of the model's

        services(worker.wsgi).studies.close()


def child_exit(server, worker) -> None:
    """Take the gauges of a worker that is gone out of the sum."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.pid)


def on_exit(server) -> None:
    """Remove what the workers counted."""
    if folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        shutil.rmtree(folder, ignore_errors=True)
