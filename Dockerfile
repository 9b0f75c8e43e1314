# Build with the network once; run with none, as an ordinary user: see docs/it.md.
FROM python:3.12-slim AS build
WORKDIR /src
COPY . .
RUN python -m venv /opt/sbrt && /opt/sbrt/bin/pip install --no-cache-dir -c constraints.txt '.[all]'

FROM python:3.12-slim
COPY --from=build /opt/sbrt /opt/sbrt
ENV MPLCONFIGDIR=/dev/shm PYTHONDONTWRITEBYTECODE=1
USER nobody
WORKDIR /data
ENTRYPOINT ["/opt/sbrt/bin/sbrt-followup"]
