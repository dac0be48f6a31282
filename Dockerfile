FROM python:3.12-slim-bookworm
RUN useradd --create-home --uid 10001 krs && install -d -o krs /var/lib/krs
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY krs ./krs
COPY tui ./tui
RUN pip install --no-cache-dir '.[fast]' && rm -rf /src
USER krs
WORKDIR /home/krs
ENV KRS_STATE=/var/lib/krs/state.db
EXPOSE 8000
HEALTHCHECK CMD python -c "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ.get(\"PORT\", 8000)}/healthz')"
CMD ["krs", "daemon"]
