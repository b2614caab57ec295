//go:build linux || darwin

package database

import "syscall"

// freeBytes is what is left for this process on the disk of a directory; negative if that can't be told.
func freeBytes(dir string) int64 {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(dir, &disk); err != nil {
		return -1
	}
	return int64(disk.Bavail) * int64(disk.Bsize) //nolint:gosec,unconvert // no disk has 2^63 bytes; the types differ between systems
}
