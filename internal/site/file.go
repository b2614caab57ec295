package site

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
)

// file is one file in all the forms that the build made of it, the best first.
type file []variant

// variant is one form of a file.
type variant struct {
	encoding, path string
	size           int64
	// tag makes the ETag when it is asked for first: most forms are never asked for, and what was not read of the binary takes no
	// memory.
	tag func() string
}

// forms are the encodings in the order of preference, and how the build names them.
var forms = []struct{ encoding, suffix string }{{"br", ".br"}, {"gzip", ".gz"}, {identity, ""}}

// read finds the files of a build. Compressed forms are no files of their own, and what begins with a dot is none of the
// site's.
func read(dist fs.FS) (map[string]file, error) {
	files := map[string]file{}
	err := fs.WalkDir(dist, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(path.Base(name), ".") || isForm(dist, name) {
			return err
		}
		files[name], err = variants(dist, name)
		return err
	})
	return files, err
}

func isForm(dist fs.FS, name string) bool {
	for _, form := range forms {
		plain, found := strings.CutSuffix(name, form.suffix)
		if form.suffix != "" && found {
			_, err := fs.Stat(dist, plain)
			return err == nil
		}
	}
	return false
}

func variants(dist fs.FS, name string) (file, error) {
	var found file
	for _, form := range forms {
		made, err := newVariant(dist, form.encoding, name+form.suffix)
		if err == nil {
			found = append(found, made)
		} else if form.encoding == identity {
			return nil, err
		}
	}
	return found, nil
}

func newVariant(dist fs.FS, encoding, name string) (variant, error) {
	info, err := fs.Stat(dist, name)
	if err != nil {
		return variant{}, err
	}
	return variant{encoding: encoding, path: name, size: info.Size(), tag: sync.OnceValue(func() string { return tagOf(dist, name) })}, nil
}

// tagOf hashes a file. One that cannot be read has no ETag; nor can it be served.
func tagOf(dist fs.FS, name string) string {
	content, err := dist.Open(name)
	if err != nil {
		return ""
	}
	defer func() { _ = content.Close() }()
	hash := sha256.New()
	if _, err := io.Copy(hash, content); err != nil {
		return ""
	}
	return `"` + base64.RawURLEncoding.EncodeToString(hash.Sum(nil)[:18]) + `"`
}

// choose picks the form for a request. Who asks for a part gets it of the file itself: that is what they mean.
func (f file) choose(header http.Header) variant {
	best := f[len(f)-1]
	if header.Get("Range") != "" {
		return best
	}
	wishes := readWishes(strings.Join(header.Values("Accept-Encoding"), ","))
	bestQuality := 0.0
	for _, offered := range f {
		if quality := wishes.of(offered.encoding); quality > bestQuality {
			best, bestQuality = offered, quality
		}
	}
	return best
}
