package rig

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"github.com/letterlock/letterlock/soak/internal/fickle"
)

// Fickle is a disk in a Space that can become read-only while files are open.
type Fickle struct {
	server  *exec.Cmd
	orders  io.WriteCloser
	answers *bufio.Reader
}

// MountFickle gives a directory such a disk. It begins empty. Close comes after the end of the programs that use it, and before the Space's.
func (s *Space) MountFickle(ctx context.Context, directory string) (*Fickle, error) {
	if err := s.Mount(ctx, directory); err != nil {
		return nil, err
	}
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	f := &Fickle{server: s.Command(context.WithoutCancel(ctx), program, fickleDisk, directory)}
	f.server.Env = append(os.Environ(), PartVariable+"="+fickleDisk)
	f.server.Stderr = os.Stderr
	var output io.Reader
	var inErr, outErr error
	f.orders, inErr = f.server.StdinPipe()
	output, outErr = f.server.StdoutPipe()
	if err := errors.Join(inErr, outErr); err != nil {
		return nil, err
	}
	if err := f.server.Start(); err != nil {
		return nil, err
	}
	f.answers = bufio.NewReader(output)
	if err := f.done(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// ReadOnly has it refuse whatever writes, or take it again.
func (f *Fickle) ReadOnly(on bool) error {
	order := fickle.Writable
	if on {
		order = fickle.ReadOnly
	}
	if _, err := fmt.Fprintln(f.orders, order); err != nil {
		return err
	}
	return f.done()
}

func (f *Fickle) done() error {
	if line, err := f.answers.ReadString('\n'); err != nil || line != fickle.Done+"\n" {
		return fmt.Errorf("the disk that becomes read-only does not answer: %q: %w", line, err)
	}
	return nil
}

// Close ends it.
func (f *Fickle) Close() error {
	return errors.Join(f.orders.Close(), f.server.Wait())
}

// FickleWorks tells why MountFickle would not work here.
func FickleWorks(ctx context.Context) error {
	return inSpace(ctx, func(s *Space, directory string) error {
		f, err := s.MountFickle(ctx, directory)
		if err != nil {
			return err
		}
		return f.Close()
	})
}
