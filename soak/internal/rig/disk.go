package rig

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// largeDisk is more than any run fills, as mount reads it.
const largeDisk = "2g"

// mountDisk mounts a file system in memory for a directory, in name spaces of its own, and becomes the program.
const mountDisk = `mount -t tmpfs -o size=` + largeDisk + ` none "$1" && exec "$2"`

// OwnDisk has the node keep its data on a disk of its own that can be full. It begins empty, and ends with the process. It takes user name
// spaces, which not every system gives; see DiskWorks.
func (n *Node) OwnDisk(directory string) { n.disk = directory }

// DiskWorks tells why OwnDisk would not work here.
func DiskWorks(ctx context.Context) error {
	directory, err := os.MkdirTemp("", "letterlock-soak-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(directory) }()
	if out, err := inNameSpaces(ctx, directory, "true").CombinedOutput(); err != nil {
		return fmt.Errorf("no disk can be made that gets full: %w: %s", err, out)
	}
	return nil
}

func inNameSpaces(ctx context.Context, directory, program string) *exec.Cmd {
	return exec.CommandContext(ctx, "unshare", "-Urm", "sh", "-c", mountDisk, "sh", directory, program) // #nosec G204 -- named by who runs this
}

// Fill leaves hardly any room for what grows. Mend gives it back.
func (n *Node) Fill(ctx context.Context) (err error) {
	// The system refuses less than is in use, and the node may have written since that was counted.
	for slack := int64(0); slack < 16<<20; slack = 2*slack + 4<<10 {
		var used int64
		if used, err = n.used(); err != nil {
			return err
		}
		if err = n.resize(ctx, strconv.FormatInt(used+slack, 10)); err == nil {
			return nil
		}
	}
	return err
}

// Mend is the end of Fill.
func (n *Node) Mend(ctx context.Context) error { return n.resize(ctx, largeDisk) }

func (n *Node) resize(ctx context.Context, size string) error {
	out, err := exec.CommandContext(ctx, "nsenter", "-t", strconv.FormatInt(n.id.Load(), 10), "-U", "-m", "--preserve-credentials", // #nosec G204 -- numbers and a path of our own
		"mount", "-o", "remount,size="+size, "none", n.disk).CombinedOutput()
	if err != nil {
		return fmt.Errorf("resize the disk: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

// used gives what the files of the disk take.
func (n *Node) used() (sum int64, err error) {
	root := os.DirFS(fmt.Sprintf("/proc/%d/root%s", n.id.Load(), n.disk))
	err = fs.WalkDir(root, ".", func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok && !entry.IsDir() {
			sum += stat.Blocks * 512
		}
		return nil
	})
	return sum, err
}
