package load

import (
	"fmt"
	"syscall"
)

// AllowFiles raises the limit of open files. The server inherits it.
func AllowFiles(n uint64) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	if limit.Cur >= n {
		return nil
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: n, Max: max(n, limit.Max)}); err != nil {
		return fmt.Errorf("%d open files are needed, %d are allowed: raise `ulimit -n`: %w", n, limit.Max, err)
	}
	return nil
}
