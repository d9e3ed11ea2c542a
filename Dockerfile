# Server and agent as images FROM scratch: one static program each, not root, nothing else inside.
#
#   docker build --target server -t telepath-server .
#   docker build --target device -t telepath-device .
#
# The targets server-prebuilt and device-prebuilt take the programs from bin/ (`make build`) and need no base image: they
# stand first, because an engine without BuildKit builds all stages above the one it was asked for.

# Base images are arguments, for mirrors and for pinning by digest.
ARG NODE_IMAGE=node:22-bookworm-slim
ARG GO_IMAGE=golang:1.26-bookworm

# ── what the images are, but for the programs
# The placeholder makes /data, and thereby a new volume there, belong to the user.
FROM scratch AS server-frame
COPY --chown=65532:65532 dashboard/dist/.keep /data/
COPY --chown=65532:65532 dashboard/dist/.keep /data/tokens/
USER 65532:65532
ENV TELEPATH_DATA=/data
EXPOSE 8080 8080/udp
VOLUME ["/data", "/data/tokens"]
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s CMD ["/telepath-signaling", "healthcheck"]
ENTRYPOINT ["/telepath-signaling"]
CMD ["serve", "--listen", ":8080"]

FROM scratch AS device-frame
COPY --chown=65532:65532 dashboard/dist/.keep /data/
USER 65532:65532
VOLUME /data
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s CMD ["/telepath-device", "healthcheck"]
ENTRYPOINT ["/telepath-device"]
CMD ["run", "--data", "/data"]

# ── with programs of `make build`
FROM server-frame AS server-prebuilt
COPY bin/telepath-signaling /

FROM device-frame AS device-prebuilt
COPY bin/telepath-device /

# ── with programs built here
FROM ${NODE_IMAGE} AS web
WORKDIR /src/dashboard/web
COPY dashboard/web/package.json dashboard/web/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY dashboard/web/ ./
COPY peer/carrier/failures.json /src/peer/carrier/
RUN npm run build

FROM ${GO_IMAGE} AS programs
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=web /src/dashboard/dist/ dashboard/dist/
ENV CGO_ENABLED=0
RUN go build -trimpath -ldflags "-s -w" -o /out/telepath-signaling ./signaling \
 && make agent OUT=/out/telepath-device

FROM server-frame AS server
COPY --from=programs /out/telepath-signaling /

FROM device-frame AS device
COPY --from=programs /out/telepath-device /
