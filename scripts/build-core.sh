#!/usr/bin/env bash
# Builds the browser's device into web/core/dist, the same bytes wherever it is built, and fails if core and loader are larger,
# compressed, than web/core/size-limit.json allows.
set -euo pipefail
cd "$(dirname "$0")/.."

dist=web/core/dist
limit=$(grep -o '[0-9]\+' web/core/size-limit.json)
mkdir -p "$dist"

# Without inlining the program is 6 % smaller. The primitives keep it: they are what takes time.
CGO_ENABLED=0 GOOS=js GOARCH=wasm GOFLAGS='' GOWASM='' go build -trimpath -buildvcs=false -ldflags='-s -w -buildid=' \
	-gcflags=all=-l -gcflags='crypto/internal/fips140/...=' -gcflags='golang.org/x/crypto/...=' \
	-o "$dist/core.wasm" ./web/core/wasm
cp "$(go env GOROOT)/lib/wasm/wasm_exec.js" "$dist/wasm_exec.js"
chmod 644 "$dist"/*

size=$(($(gzip -9 -n -c "$dist/core.wasm" | wc -c) + $(gzip -9 -n -c "$dist/wasm_exec.js" | wc -c)))
echo "core and loader: $size bytes gzipped, $limit allowed"
if ((size > limit)); then
	echo "That is too much. Look for what grew, or decide for more in web/core/size-limit.json." >&2
	exit 1
fi
