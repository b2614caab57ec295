package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/letterlock/letterlock/internal/testdb/scratch"
	"github.com/letterlock/letterlock/soak/internal/rig"
)

// setUp starts all that a run needs. What it has started, cleanups end.
func (r *run) setUp() error {
	dir, err := os.MkdirTemp("", "letterlock-soak-")
	if err != nil {
		return err
	}
	r.dir = dir
	r.cleanups = append(r.cleanups, func() error { return os.RemoveAll(dir) })
	env := []string{
		"LETTERLOCK_PUBLIC_URL=" + origin, "LETTERLOCK_DATA_DIR=" + dir, "LETTERLOCK_LOG_LEVEL=info",
		"LETTERLOCK_LOOK_AGAIN=1s", "LETTERLOCK_PING_INTERVAL=1s", "LETTERLOCK_WRITE_TIMEOUT=3s", "LETTERLOCK_INIT_TIMEOUT=3s",
	}
	if !r.patient {
		env = append(env, "LETTERLOCK_REQUEST_TIMEOUT="+requestTimeout.String())
	}
	if r.ownDisk || r.readOnly && r.store == sqlite {
		if err := r.makeDisks(); err != nil {
			return err
		}
	}
	if r.store == postgresql {
		url, err := r.makeDatabase()
		if err != nil {
			return err
		}
		env = append(env, "LETTERLOCK_DATABASE="+url)
	}
	if r.scenario.nodes > 1 {
		if r.nats, err = rig.NewNATS(r.ctx, r.scenario.nodes); err != nil {
			return err
		}
		r.cleanups = append(r.cleanups, r.nats.Close)
	}
	env = append(env, r.env...)
	for range r.scenario.nodes {
		if err := r.startNode(env); err != nil {
			return err
		}
	}
	return nil
}

// makeDisks makes a place with disks of its own, for the server's data or for a PostgreSQL.
func (r *run) makeDisks() (err error) {
	if r.space, err = rig.NewSpace(r.ctx); err != nil {
		return err
	}
	r.cleanups = append(r.cleanups, r.space.Close)
	if r.readOnly {
		if r.fickle, err = r.space.MountFickle(r.ctx, r.dir); err == nil {
			r.cleanups = append(r.cleanups, r.fickle.Close)
		}
		return err
	}
	if r.store == sqlite {
		r.disks = []string{r.dir}
		return r.space.Mount(r.ctx, r.dir)
	}
	if r.postgres, err = rig.NewPostgresIn(r.ctx, r.space); err != nil {
		return err
	}
	r.cleanups = append(r.cleanups, r.postgres.Close)
	r.disks = []string{r.postgres.TablesDisk(), r.postgres.LogDisk()}
	return nil
}

// way gives the next node's setting for NATS: a server of its own, by way of a proxy of its own; nothing if there is no NATS.
func (r *run) way() ([]string, error) {
	if r.nats == nil {
		return nil, nil
	}
	way, err := rig.NewProxy(r.ctx, r.nats.Servers()[len(r.ways)].Address)
	if err != nil {
		return nil, err
	}
	r.cleanups = append(r.cleanups, way.Close)
	r.ways = append(r.ways, way)
	return []string{"LETTERLOCK_NATS=nats://" + way.Address}, nil
}

// makeDatabase makes an empty database, and gives its URL by way of a proxy.
func (r *run) makeDatabase() (string, error) {
	url, drop, err := scratch.PostgreSQL(r.ctx, r.postgres.MaintenanceURL())
	if err != nil {
		return "", err
	}
	r.cleanups = append(r.cleanups, func() error { return drop(context.WithoutCancel(r.ctx)) })
	if r.database, err = rig.NewProxy(r.ctx, r.postgres.Address); err != nil {
		return "", err
	}
	r.cleanups = append(r.cleanups, r.database.Close)
	r.url = url
	return r.database.Instead(url) + r.settings, nil
}

// startNode starts a server, with a proxy in front of it.
func (r *run) startNode(env []string) error {
	way, err := r.way()
	if err != nil {
		return err
	}
	node, err := rig.NewNode(r.ctx, r.program, slices.Concat(env, way)...)
	if err != nil {
		return err
	}
	if r.space != nil && r.store == sqlite {
		node.In(r.space)
	}
	if r.clock {
		if err := node.WithClock(); err != nil {
			return err
		}
	}
	copied, err := r.openFile(fmt.Sprintf("-%d.log", len(r.nodes)+1))
	if err != nil {
		return err
	}
	node.CopyLog(copied)
	node.Watch(r.says[r.store])
	r.cleanups = append(r.cleanups, node.Kill)
	if err := node.Start(r.ctx); err != nil {
		return err
	}
	r.nodes = append(r.nodes, node)
	front, err := rig.NewProxy(r.ctx, node.Address)
	if err != nil {
		return err
	}
	r.cleanups = append(r.cleanups, front.Close)
	r.front = append(r.front, front)
	return nil
}

// openHistory makes the file; nil if there is to be none.
func (r *run) openHistory() (io.Writer, error) { return r.openFile(".jsonl") }

// openFile makes a file of this run among the histories; nil if there are to be none.
func (r *run) openFile(ending string) (io.Writer, error) {
	if r.histories == "" {
		return nil, nil //nolint:nilnil // a log without a file is as good
	}
	file, err := os.Create(filepath.Join(r.histories, fmt.Sprintf("%s-%s-%d%s", r.name, r.store, r.seed, ending))) // #nosec G304 -- where who runs this wants it
	if err != nil {
		return nil, err
	}
	buffer := bufio.NewWriter(file)
	r.cleanups = append(r.cleanups, file.Close, buffer.Flush)
	return buffer, nil
}
