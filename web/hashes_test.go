package web

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"testing/fstest"
)

func TestHashesAreThoseOfSha256sum(t *testing.T) {
	app := fstest.MapFS{
		"index.html": {Data: []byte("page")}, "assets/core-12345678.wasm": {Data: []byte("core")}, ".gitkeep": {},
	}
	playground := fstest.MapFS{"index.html": {Data: []byte("play")}}
	hashes, err := HashFiles(app, playground)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := copyInto(dir, app, playground); err != nil {
		t.Fatal(err)
	}
	check := exec.CommandContext(t.Context(), "sha256sum", "--check", "--strict", "-")
	check.Dir, check.Stdin = dir, bytes.NewBufferString(hashes.String())
	want := "assets/core-12345678.wasm: OK\nindex.html: OK\nplayground/index.html: OK\n"
	if out, err := check.CombinedOutput(); err != nil || string(out) != want {
		t.Errorf("%v\n%s", err, out)
	}
	if hashes.Of("assets/core-*.wasm") != hashes[0].SHA256 || hashes.Of("nothing") != "" {
		t.Error("the core is not found by its name")
	}
}

// One hash stands for all: of content, of names, and of what is there.
func TestTheRootIsAnotherForEveryChange(t *testing.T) {
	roots := map[string]bool{}
	for _, files := range []fstest.MapFS{
		{"a": {Data: []byte("1")}, "b": {Data: []byte("2")}},
		{"a": {Data: []byte("2")}, "b": {Data: []byte("1")}},
		{"a": {Data: []byte("1")}, "c": {Data: []byte("2")}},
		{"a": {Data: []byte("1")}},
	} {
		hashes, err := HashFiles(files, nil)
		if err != nil {
			t.Fatal(err)
		}
		roots[hashes.Root()] = true
	}
	if len(roots) != 4 {
		t.Errorf("%d roots for four builds", len(roots))
	}
}

func copyInto(dir string, app, playground fstest.MapFS) error {
	if err := os.CopyFS(dir, app); err != nil {
		return err
	}
	return os.CopyFS(filepath.Join(dir, "playground"), playground)
}
