package main

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The image's web stage has what building the web parts reads of the rest of the tree. Images are not built by tests.
func TestImageHasWhatWebPartsAreBuiltFrom(t *testing.T) {
	text, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	_, stage, _ := strings.Cut(string(text), "AS web\n")
	stage, _, _ = strings.Cut(stage, "\nFROM ")
	var copied []string
	for _, line := range regexp.MustCompile(`(?m)^COPY (?:--from=\S+ )?(.+) \S+$`).FindAllStringSubmatch(stage, -1) {
		for _, source := range strings.Fields(line[1]) {
			copied = append(copied, strings.TrimPrefix(source, "/src/"))
		}
	}
	outside := regexp.MustCompile(`\.\./\.\./([\w./-]+)`)
	found := 0
	for _, pattern := range []string{"*.json", "*.ts", "*.js", "*.mjs"} {
		files, err := filepath.Glob("web/*/" + pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			switch path.Base(path.Dir(file)) {
			case "app", "core", "playground":
			default:
				continue // no part of the image
			}
			text, err := os.ReadFile(filepath.Clean(file))
			if err != nil {
				t.Fatal(err)
			}
			for _, read := range outside.FindAllSubmatch(text, -1) {
				found++
				if !slices.ContainsFunc(copied, func(c string) bool { return string(read[1]) == c || strings.HasPrefix(string(read[1]), c+"/") }) {
					t.Errorf("%s reads %s, and the image's web stage has only %q", file, read[1], copied)
				}
			}
		}
	}
	if found < 2 {
		t.Errorf("only %d paths out of the web parts were found: the search is broken", found)
	}
}
