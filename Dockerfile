ARG BASE=python:3.13-slim

FROM ${BASE} AS build
# A build without a package index needs a directory of wheels, and PIP_NO_INDEX=1.
ARG PIP_FIND_LINKS
ARG PIP_NO_INDEX
WORKDIR /source
COPY . .
# pip verifies the hash of every package that it downloads.
RUN python3 -m venv /opt/build \
    && /opt/build/bin/python -m pip install --no-cache-dir --require-hashes --requirement requirements/build.txt \
    && /opt/build/bin/python -m pip wheel --no-deps --no-build-isolation --wheel-dir /opt/build/wheels . \
    && python3 -m venv /opt/apixo-testkit \
    && /opt/apixo-testkit/bin/python -m pip install --no-cache-dir --require-hashes --requirement requirements/image.txt \
    && /opt/apixo-testkit/bin/python -m pip install --no-cache-dir --no-deps /opt/build/wheels/*.whl \
    && /opt/apixo-testkit/bin/python -m pip uninstall --yes pip

FROM ${BASE}
LABEL org.opencontainers.image.title="apixo-testkit" \
      org.opencontainers.image.description="A mock of the APIXO gpt-image-1 endpoints" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/apixo-testkit /opt/apixo-testkit
# Images of Python have the standard library without byte code, and the server writes none.
RUN /opt/apixo-testkit/bin/python -c "import mock_server.command, mock_server.server, mock_server.control_wiring"
ENV PATH="/opt/apixo-testkit/bin:$PATH" \
    PYTHONDONTWRITEBYTECODE=1
# The server writes no files, so it needs neither a home directory nor a volume.
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["python3", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ.get('MOCK_SERVER_PORT', '8080') + '/_mock/ready', timeout=2)"]
ENTRYPOINT ["mock-server", "--host", "0.0.0.0"]
