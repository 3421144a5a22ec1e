# One image for all exporters; the argument says which:
#
#   docker run -p 9116:9116 netexporters snmp
#   docker run -p 9116:9116 -v ./snmp.yml:/etc/netexporters/snmp.yml netexporters \
#       snmp --config.file=/etc/netexporters/snmp.yml

FROM python:3.13-slim AS build
WORKDIR /source
RUN pip install --no-cache-dir build
COPY pyproject.toml README.md LICENSE CHANGELOG.md ./
COPY exporters exporters
COPY modules modules
COPY alert_rules alert_rules
COPY dashboards dashboards
RUN python -m build --wheel --outdir /wheels \
    && python -m venv /opt/netexporters \
    && /opt/netexporters/bin/pip install --no-cache-dir /wheels/*.whl

FROM python:3.13-slim
ARG REVISION=""
ARG BRANCH=""
LABEL org.opencontainers.image.title="netexporters" \
      org.opencontainers.image.description="Prometheus exporters for the network's own protocols" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="${REVISION}"
ENV NETEXPORTERS_REVISION="${REVISION}" \
    NETEXPORTERS_BRANCH="${BRANCH}" \
    PYTHONDONTWRITEBYTECODE=1 \
    PATH="/opt/netexporters/bin:${PATH}"
COPY --from=build /opt/netexporters /opt/netexporters
RUN useradd --system --uid 65532 --no-create-home netexporters
USER 65532
EXPOSE 9116 9162 9171 9374 9514
# Asks whichever exporter runs in this container: its port follows from the first argument.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["netexporters", "healthcheck"]
ENTRYPOINT ["netexporters"]
CMD ["snmp"]
