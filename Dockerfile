# The server and the command line, as one static program each, in an image that holds nothing else.
#
#   docker build -t letterlock .

FROM node:22-bookworm-slim AS playground
WORKDIR /src/web/playground
COPY web/playground/package.json web/playground/package-lock.json ./
RUN npm ci
COPY web/playground ./
RUN npm run --silent build -- --logLevel warn

FROM golang:1.26-bookworm AS programs
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=playground /src/web/playground/dist web/playground/dist
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
