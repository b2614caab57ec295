# The server and the command line, as one static program each, in an image that holds nothing else.
#
#   docker build -t letterlock .

FROM golang:1.26-bookworm AS core
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN ./scripts/build-core.sh

FROM node:22-bookworm-slim AS web
WORKDIR /src
COPY web/core/package.json web/core/package-lock.json web/core/.npmrc web/core/
COPY web/app/package.json web/app/package-lock.json web/app/
COPY web/playground/package.json web/playground/package-lock.json web/playground/.npmrc web/playground/
RUN for part in core app playground; do (cd "web/$part" && npm ci) || exit; done
COPY scripts scripts
COPY graph/schema.graphqls graph/
COPY web web
COPY --from=core /src/web/core/dist web/core/dist
RUN ./scripts/build-web.sh web/app && ./scripts/build-web.sh web/playground

FROM core AS programs
COPY --from=web /src/web/app/dist web/app/dist
COPY --from=web /src/web/playground/dist web/playground/dist
# SQLite is compiled from Go, so that no C library is needed.
ENV CGO_ENABLED=0
RUN go build -trimpath -ldflags=-s -o /out/letterlock . && go build -trimpath -ldflags=-s -o /out/letter ./cmd/letter
RUN mkdir /out/letterlock-data

FROM scratch
COPY --from=programs /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=programs /out/letterlock /out/letter /usr/local/bin/
# Where the embedded database lies if there is no PostgreSQL: mount a volume here.
COPY --from=programs --chown=65532:65532 /out/letterlock-data /letterlock-data
USER 65532:65532
ENV LETTERLOCK_DATA_DIR=/letterlock-data
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/letterlock"]
