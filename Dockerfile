# Serving only; docs/deployment.md says how to build and run it.
FROM python:3.11.14-slim-bookworm

# An index that holds CPU-only builds of torch and torchvision; without it pip takes those of its usual
# index, which may bring gigabytes of CUDA along.
ARG TORCH_INDEX_URL=""

WORKDIR /srv/pleura
COPY requirements.txt requirements.lock ./
RUN pip install --no-cache-dir --require-hashes --no-deps -r requirements.lock \
    && pip install --no-cache-dir ${TORCH_INDEX_URL:+--index-url "$TORCH_INDEX_URL"} --no-deps \
        $(grep -E '^torch(vision)?==' requirements.txt) \
    && if [ -z "$TORCH_INDEX_URL" ]; then pip install --no-cache-dir -r requirements.txt; fi

COPY app app
COPY templates templates
COPY static static
COPY model_weights model_weights
COPY wsgi.py gunicorn.conf.py ./

# Beside /tmp, the only folder the application writes to; with PLEURA_DATABASE_URL, not even that.
RUN useradd --no-create-home --uid 10001 pleura && install --directory --owner pleura --mode 700 instance
VOLUME /srv/pleura/instance
USER 10001

# By default glibc gives every thread that answers requests a heap of its own, and none of them back.
ENV MALLOC_ARENA_MAX=2 \
    PLEURA_PRODUCTION=1 \
    PYTHONUNBUFFERED=1

EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=20s --start-period=60s \
    CMD ["env", "no_proxy=*", "python", "-c", \
        "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=15)"]
CMD ["gunicorn", "--bind", "0.0.0.0:8000", "--worker-tmp-dir", "/dev/shm", "wsgi:app"]
