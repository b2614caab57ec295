// Package fickle is a file system that becomes read-only while files are open, as one does whose disk has failed, and writable again.
// Linux refuses to remount an ordinary one under its writers.
package fickle

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// What Serve is told, a line each, and what it answers once it is so.
const (
	ReadOnly = "read-only"
	Writable = "writable"
	Done     = "done"
)

// Serve lays the file system over a directory, whose files are in it, and heeds orders until they end or ctx does. It answers once at the
// start, and each order.
func Serve(ctx context.Context, directory string, orders io.Reader, answers io.Writer) error {
	if err := os.Chdir(directory); err != nil { // from here the directory itself is reached by no other name
		return err
	}
	files, err := fs.NewLoopbackRoot(".")
	if err != nil {
		return err
	}
	l := &layer{RawFileSystem: fs.NewNodeFS(files, nil)}
	server, err := fuse.NewServer(l, directory, &fuse.MountOptions{DirectMountStrict: true, FsName: "fickle", Name: "fickle"})
	if err != nil {
		return err
	}
	go server.Serve()
	defer context.AfterFunc(ctx, func() { _ = server.Unmount() })()
	if err := server.WaitMount(); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(answers, Done); err != nil {
		return err
	}
	for lines := bufio.NewScanner(orders); lines.Scan(); {
		l.readOnly.Store(lines.Text() == ReadOnly)
		if _, err := fmt.Fprintln(answers, Done); err != nil {
			return err
		}
	}
	return server.Unmount()
}

// layer refuses what writes while it is read-only.
type layer struct {
	fuse.RawFileSystem
	readOnly atomic.Bool
}

func (l *layer) status() fuse.Status {
	if l.readOnly.Load() {
		return fuse.EROFS
	}
	return fuse.OK
}

// Write lets through what was written into memory before: the system does that late, and a program has long been told that it is done.
func (l *layer) Write(cancel <-chan struct{}, input *fuse.WriteIn, data []byte) (uint32, fuse.Status) {
	if s := l.status(); s != fuse.OK && input.WriteFlags&fuse.WRITE_CACHE == 0 {
		return 0, s
	}
	return l.RawFileSystem.Write(cancel, input, data)
}

func (l *layer) Writev(cancel <-chan struct{}, input *fuse.WriteIn, data [][]byte) (uint32, fuse.Status) {
	if s := l.status(); s != fuse.OK && input.WriteFlags&fuse.WRITE_CACHE == 0 {
		return 0, s
	}
	return l.RawFileSystem.Writev(cancel, input, data)
}

func (l *layer) Fallocate(cancel <-chan struct{}, input *fuse.FallocateIn) fuse.Status {
	if s := l.status(); s != fuse.OK {
		return s
	}
	return l.RawFileSystem.Fallocate(cancel, input)
}

func (l *layer) SetAttr(cancel <-chan struct{}, input *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	if s := l.status(); s != fuse.OK {
		return s
	}
	return l.RawFileSystem.SetAttr(cancel, input, out)
}

func (l *layer) Open(cancel <-chan struct{}, input *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	if s := l.status(); s != fuse.OK && input.Flags&(uint32(os.O_WRONLY)|uint32(os.O_RDWR)) != 0 {
		return s
	}
	return l.RawFileSystem.Open(cancel, input, out)
}

func (l *layer) Create(cancel <-chan struct{}, input *fuse.CreateIn, name string, out *fuse.CreateOut) fuse.Status {
	if s := l.status(); s != fuse.OK {
		return s
	}
	return l.RawFileSystem.Create(cancel, input, name, out)
}

func (l *layer) Mkdir(cancel <-chan struct{}, input *fuse.MkdirIn, name string, out *fuse.EntryOut) fuse.Status {
	if s := l.status(); s != fuse.OK {
		return s
	}
	return l.RawFileSystem.Mkdir(cancel, input, name, out)
}

func (l *layer) Unlink(cancel <-chan struct{}, header *fuse.InHeader, name string) fuse.Status {
	if s := l.status(); s != fuse.OK {
		return s
	}
	return l.RawFileSystem.Unlink(cancel, header, name)
}

func (l *layer) Rename(cancel <-chan struct{}, input *fuse.RenameIn, from, to string) fuse.Status {
	if s := l.status(); s != fuse.OK {
		return s
	}
	return l.RawFileSystem.Rename(cancel, input, from, to)
}
