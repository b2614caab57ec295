package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/letterlock/letterlock/web"
)

// Run prints the version, and by what others can check a build of their own, or the files of a static host, against it.
func (c versionCommand) Run() error {
	hashes, err := web.HashFiles(web.App(), web.Playground())
	if err != nil {
		return err
	}
	if c.Web {
		_, err = fmt.Print(hashes)
		return err
	}
	_, err = fmt.Printf("letterlock %s\ncommit %s\n%s\n%s", version(), commit(), runtime.Version(), summary(hashes))
	return err
}

func summary(hashes web.Hashes) string {
	if len(hashes) == 0 {
		return "web parts: not built in\n"
	}
	lines := ""
	for _, part := range []struct{ name, hash string }{
		{"core.wasm", hashes.Of("assets/core-*.wasm")},
		{"index.html", hashes.Of("index.html")},
		{"all web files", hashes.Root()},
	} {
		if part.hash != "" {
			lines += part.name + ": sha256 " + part.hash + "\n"
		}
	}
	return lines
}

// version is the release that was built, as Go stamps it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}

// commit is what was built from, as Go stamps it: not for `go run`, nor outside of a repository.
func commit() string {
	revision, state := "unknown", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			switch {
			case setting.Key == "vcs.revision":
				revision = setting.Value
			case setting.Key == "vcs.modified" && setting.Value == "true":
				state = ", with changes"
			}
		}
	}
	return revision + state
}
