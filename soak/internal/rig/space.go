package rig

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// largeDisk is more than any run fills, as mount reads it.
const largeDisk = "2g"

// Space is a user and a mount name space with disks in memory, which only the programs that run in it see. The disks outlive the
// programs and end with the Space. Not every system lets anybody make name spaces; see DisksWork.
type Space struct {
	keeper *exec.Cmd
	input  io.Closer
	id     string // the keeper's, who does nothing but hold the name spaces
}

// NewSpace makes one without a disk.
func NewSpace(ctx context.Context) (*Space, error) {
	keeper := exec.CommandContext(context.WithoutCancel(ctx), "unshare", "-Urm", "cat")
	input, inErr := keeper.StdinPipe()
	output, outErr := keeper.StdoutPipe()
	if err := errors.Join(inErr, outErr); err != nil {
		return nil, err
	}
	if err := keeper.Start(); err != nil {
		return nil, err
	}
	s := &Space{keeper: keeper, input: input, id: strconv.Itoa(keeper.Process.Pid)}
	// Who answers is cat: the name spaces are there.
	_, err := io.WriteString(input, "\n")
	if err == nil {
		_, err = bufio.NewReader(output).ReadString('\n')
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make name spaces: %w", err), s.Close())
	}
	return s, nil
}

// Close ends the disks. Programs in the Space have to be ended before.
func (s *Space) Close() error {
	return errors.Join(s.input.Close(), s.keeper.Wait())
}

// Command is a program that runs in the Space.
func (s *Space) Command(ctx context.Context, program string, arguments ...string) *exec.Cmd {
	enter := []string{"-t", s.id, "-U", "-m", "--preserve-credentials", "--", program}
	return exec.CommandContext(ctx, "nsenter", append(enter, arguments...)...) // #nosec G204 -- named by who runs this
}

// Mount gives a directory a disk, which begins empty.
func (s *Space) Mount(ctx context.Context, directory string) error {
	return s.mount(ctx, "-t", "tmpfs", "-o", "mode=700,size="+largeDisk, "none", directory)
}

func (s *Space) mount(ctx context.Context, arguments ...string) error {
	if out, err := s.Command(ctx, "mount", arguments...).CombinedOutput(); err != nil {
		return fmt.Errorf("mount %v: %w: %s", arguments, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// Fill leaves hardly any room on the disk of a directory. Mend gives it back.
func (s *Space) Fill(ctx context.Context, directory string) (err error) {
	// The system refuses less than is in use, and somebody may have written since that was counted.
	for slack := uint64(0); slack < 16<<20; slack = 2*slack + 4<<10 {
		var used uint64
		if used, err = s.used(directory); err != nil {
			return err
		}
		if err = s.resize(ctx, directory, strconv.FormatUint(used+slack, 10)); err == nil {
			return nil
		}
	}
	return err
}

// Mend is the end of Fill.
func (s *Space) Mend(ctx context.Context, directory string) error {
	return s.resize(ctx, directory, largeDisk)
}

func (s *Space) resize(ctx context.Context, directory, size string) error {
	return s.mount(ctx, "-o", "remount,size="+size, "none", directory)
}

// used gives how much of a disk is.
func (s *Space) used(directory string) (uint64, error) {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(filepath.Join("/proc", s.id, "root", directory), &stat); err != nil {
		return 0, fmt.Errorf("look at the disk: %w", err)
	}
	return (stat.Blocks - stat.Bfree) * uint64(stat.Bsize), nil // #nosec G115 -- sizes
}

// DisksWork tells why a Space with a disk would not work here.
func DisksWork(ctx context.Context) error {
	return inSpace(ctx, func(s *Space, directory string) error { return s.Mount(ctx, directory) })
}

// inSpace tries something out.
func inSpace(ctx context.Context, try func(*Space, string) error) error {
	directory, err := os.MkdirTemp("", "letterlock-soak-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(directory) }()
	s, err := NewSpace(ctx)
	if err != nil {
		return err
	}
	return errors.Join(try(s, directory), s.Close())
}
