# The service, in an image that holds neither compilers, test tools nor root.
#
#   docker build -t samsyn .          docker run --read-only --tmpfs /tmp -e DATABASE_URL=… -p 8000:8000 samsyn
#
# Every package is pinned by hash in the two lock files; `.ci/lock` writes them.

FROM python:3.11-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_COMPILE=1
WORKDIR /src
COPY requirements-runtime.lock requirements-build.lock ./
RUN python -m venv /opt/samsyn \
    && /opt/samsyn/bin/pip install --require-hashes --only-binary :all: -r requirements-runtime.lock \
    && python -m pip install --require-hashes --only-binary :all: -r requirements-build.lock
COPY pyproject.toml README.md LICENSE ./
COPY api api
COPY policies policies
COPY migrations migrations
RUN python -m pip wheel --no-deps --no-index --no-build-isolation --wheel-dir /wheel . \
    && /opt/samsyn/bin/pip install --no-deps --no-index /wheel/*.whl \
    && /opt/samsyn/bin/python -m compileall -q /opt/samsyn/lib \
    && /opt/samsyn/bin/pip uninstall --yes pip setuptools

FROM python:3.11-slim
LABEL org.opencontainers.image.title="samsyn" org.opencontainers.image.licenses="EUPL-1.2"
ENV PATH=/opt/samsyn/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 SAMSYN_ENVIRONMENT=production
COPY --from=build /opt/samsyn /opt/samsyn
WORKDIR /tmp
# Where a volume remembers what the ledger has signed; a new one takes its owner from here.
RUN install -d -m 700 -o 10001 -g 10001 /var/lib/samsyn
# A number, so that an orchestrator can tell that it is not root without reading /etc/passwd.
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/health/ready', timeout=4)"]
ENTRYPOINT ["samsyn"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
