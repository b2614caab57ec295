package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/gofrs/flock"
)

// ErrExposed: the key file can be read by others. Whoever could read it may have copied it.
var ErrExposed = errors.New("others may read it")

const (
	privateDir  fs.FileMode = 0o700
	privateFile fs.FileMode = 0o600
)

// makeHome makes the directory, and makes an existing one private.
func makeHome(home string) error {
	if err := os.MkdirAll(home, privateDir); err != nil {
		return fmt.Errorf("make the home directory: %w", err)
	}
	return checkHome(home)
}

// checkHome makes the directory private if it is not: what lies in it is private by itself.
func checkHome(home string) error {
	info, err := os.Stat(home)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%q is not a directory", home)
	}
	if exposed(info) {
		if err := os.Chmod(home, privateDir); err != nil {
			return fmt.Errorf("make %q private: %w", home, err)
		}
	}
	return nil
}

// checkPrivateFile refuses a file that others may read or write.
func checkPrivateFile(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if exposed(info) {
		return fmt.Errorf("%q: %w (mode %04o). If you are sure that nobody has: chmod 600 %q",
			path, ErrExposed, info.Mode().Perm(), path)
	}
	return nil
}

// exposed says whether anybody but the owner may read or write. Windows keeps that elsewhere.
func exposed(info fs.FileInfo) bool {
	return runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0
}

// makePrivateFile makes an empty file unless there is one, before SQLite would make it readable for others.
func makePrivateFile(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, privateFile) //nolint:gosec // the caller's own home
	if err != nil {
		return fmt.Errorf("open store: %w", err)
	}
	return file.Close()
}

// writePrivateFile writes a file that is there whole or not at all, also after a power failure.
func writePrivateFile(path string, content []byte) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	_, writeErr := file.Write(content)
	if err := errors.Join(writeErr, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	dir, err := os.Open(path) //nolint:gosec // the caller's own home
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Lock takes one of a home's locks without waiting. It gives false if another process, or another client of this one,
// holds it. The lock goes with unlock, or with the process.
func Lock(home, name string) (unlock func() error, ok bool, err error) {
	lock := flock.New(filepath.Join(home, name+".lock"), flock.SetPermissions(privateFile))
	ok, err = lock.TryLock()
	if err != nil || !ok {
		return nil, false, err
	}
	return lock.Unlock, true, nil
}
