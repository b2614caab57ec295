package web

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Hashes are the SHA-256 hashes of all files that this binary serves to browsers, compressed forms included, sorted by path.
type Hashes []Hash

// Hash is one file: Path is where it is served, without the first slash.
type Hash struct{ Path, SHA256 string }

// HashFiles reads the files of the web client and those of the playground; either may be nil.
func HashFiles(app, playground fs.FS) (Hashes, error) {
	var all Hashes
	for _, part := range []struct {
		files fs.FS
		below string
	}{{app, ""}, {playground, "playground"}} {
		if part.files == nil {
			continue
		}
		found, err := hashPart(part.files, part.below)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	slices.SortFunc(all, func(a, b Hash) int { return strings.Compare(a.Path, b.Path) })
	return all, nil
}

func hashPart(files fs.FS, below string) (Hashes, error) {
	var found Hashes
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(path.Base(name), ".") { // the server serves no such name
			return err
		}
		content, err := fs.ReadFile(files, name)
		sum := sha256.Sum256(content)
		found = append(found, Hash{Path: path.Join(below, name), SHA256: hex.EncodeToString(sum[:])})
		return err
	})
	return found, err
}

// String is the list as `sha256sum --check` reads it.
func (h Hashes) String() string {
	var list strings.Builder
	for _, file := range h {
		list.WriteString(file.SHA256 + "  " + file.Path + "\n")
	}
	return list.String()
}

// Root is one hash for all: that of the list as String gives it.
func (h Hashes) Root() string {
	sum := sha256.Sum256([]byte(h.String()))
	return hex.EncodeToString(sum[:])
}

// Of gives the hash of the file whose path fits a pattern, as path.Match has them; "" if there is none.
func (h Hashes) Of(pattern string) string {
	for _, file := range h {
		if fits, err := path.Match(pattern, file.Path); err == nil && fits {
			return file.SHA256
		}
	}
	return ""
}
