package clockserver

import (
	"context"
	"log/slog"
	"time"

	"github.com/letterlock/letterlock/ent"
	"github.com/letterlock/letterlock/ent/device"
	"github.com/letterlock/letterlock/internal/database"
)

// The mistakes.
const (
	// Leak keeps memory that nobody needs.
	Leak = "leak"
	// Spin has a timer that is always due.
	Spin = "spin"
	// Babble logs who it was.
	Babble = "babble"
	// Forget loses the device that was registered first.
	Forget = "forget"
)

// leaked is how much a leak takes.
const leaked = 64 << 20

// mistakes are made on demand, to be found.
type mistakes struct {
	db   *database.DB
	log  *slog.Logger
	kept [][]byte
}

// make makes a mistake, if it is the name of one.
func (m *mistakes) make(name string) bool {
	switch name {
	case Leak:
		lost := make([]byte, leaked)
		for i := range lost { // of what is not touched the system gives nothing
			lost[i] = 1
		}
		m.kept = append(m.kept, lost)
	case Spin:
		go func() {
			for timer := time.NewTimer(0); ; timer.Reset(0) {
				<-timer.C
			}
		}()
	case Babble:
		m.log.Warn("a device asks too often", "device", "daaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
	case Forget:
		m.forget()
	default:
		return false
	}
	return true
}

func (m *mistakes) forget() {
	err := m.db.Write(context.Background(), "forget", func(ctx context.Context, tx *ent.Tx) error {
		first, err := tx.Device.Query().Order(ent.Asc(device.FieldCreatedAt)).FirstID(ctx)
		if err != nil {
			return err
		}
		return tx.Device.DeleteOneID(first).Exec(ctx)
	})
	if err != nil {
		m.log.Error("a mistake could not be made", "error", err)
	}
}
