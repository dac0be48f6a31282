FROM python:3.12.12-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY krs ./krs
COPY tui ./tui
RUN python -m venv /opt/krs \
 && /opt/krs/bin/pip install --no-cache-dir --constraint constraints.txt '.[app,fast]'

FROM python:3.12.12-slim-bookworm
RUN useradd --create-home --uid 10001 krs \
 && install -d -o krs -g krs /var/lib/krs
COPY --from=build /opt/krs /opt/krs
ENV PATH=/opt/krs/bin:$PATH \
    KRS_STATE=/var/lib/krs/state.db
USER 10001
WORKDIR /home/krs
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ.get(\"PORT\", 8000)}/healthz', timeout=4)"]
CMD ["krs", "daemon"]
