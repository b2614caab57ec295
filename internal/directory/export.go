package directory

import (
	"context"
	"errors"
	"time"

	"github.com/letterlock/letterlock/ent"
	"github.com/letterlock/letterlock/ent/block"
	"github.com/letterlock/letterlock/ent/device"
	"github.com/letterlock/letterlock/ent/devicelist"
	"github.com/letterlock/letterlock/ent/prekey"
	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/database"
)

// exportedDevices is how many devices Export gives at the most: each may have hundreds of prekeys.
const exportedDevices = 4

var errDeletedMeanwhile = errors.New("a device has no mailbox")

// Export is what is stored of a user, or a part of it. Mailboxes are read here too, without what waits in them.
type Export struct {
	User        identity.UserID
	CreatedAt   time.Time
	ListVersion uint32
	Lists       []ExportedList
	Devices     []ExportedDevice
	// More says that lists or devices are left.
	More bool
}

// ExportedList is a stored device list.
type ExportedList struct {
	SignedList
	CreatedAt time.Time
}

// ExportedDevice is a stored device.
type ExportedDevice struct {
	ID                  string
	CreatedAt           time.Time
	RemovedAt           *time.Time
	OneTime, KEMOneTime uint32
	Prekeys             []ExportedPrekey
	Mailbox             *ent.Mailbox
	Blocked             []string // ids of users
}

// ExportedPrekey is a stored prekey.
type ExportedPrekey struct {
	Kind      identity.PrekeyKind
	Number    uint32
	Statement []byte
	CreatedAt time.Time
}

// Export gives what is stored of the caller's user: the lists after a version and the devices after an id, removed ones too, some at a
// time. It fails with DEVICE_REMOVED or STORE_UNAVAILABLE.
func (d *Directory) Export(ctx context.Context, caller Device, listsAfter uint32, devicesAfter string) (*Export, error) {
	export, err := d.export(ctx, caller.User, listsAfter, devicesAfter)
	if ent.IsNotFound(err) || errors.Is(err, errDeletedMeanwhile) {
		return nil, deviceDeleted() // since the caller was looked at
	}
	if err != nil {
		return nil, database.Unavailable("export a user", err)
	}
	return export, nil
}

func (d *Directory) export(ctx context.Context, id identity.UserID, listsAfter uint32, devicesAfter string) (*Export, error) {
	user, err := d.db.Ent.User.Get(ctx, id.String())
	if err != nil {
		return nil, err
	}
	lists, err := d.db.Ent.DeviceList.Query().Where(devicelist.UserID(user.ID), devicelist.VersionGT(listsAfter)).
		Order(devicelist.ByVersion()).Limit(ListsPerCall + 1).All(ctx)
	if err != nil {
		return nil, err
	}
	devices, err := d.db.Ent.Device.Query().Where(device.UserID(user.ID), device.IDGT(devicesAfter)).Order(device.ByID()).
		Limit(exportedDevices + 1).WithMailbox().WithPrekeys(func(q *ent.PrekeyQuery) { q.Order(prekey.ByKind(), prekey.ByNumber()) }).All(ctx)
	if err != nil {
		return nil, err
	}
	export := &Export{
		User: id, CreatedAt: time.UnixMicro(user.CreatedAt).UTC(), ListVersion: user.ListVersion,
		More: len(lists) > ListsPerCall || len(devices) > exportedDevices,
	}
	for _, row := range lists[:min(len(lists), ListsPerCall)] {
		export.Lists = append(export.Lists, ExportedList{SignedList{row.Version, row.Statement}, time.UnixMicro(row.CreatedAt).UTC()})
	}
	for _, row := range devices[:min(len(devices), exportedDevices)] {
		if row.Edges.Mailbox == nil {
			return nil, errDeletedMeanwhile
		}
		exported := exportedDevice(row)
		exported.Blocked, err = d.db.Ent.Block.Query().Where(block.MailboxID(row.Edges.Mailbox.ID)).Order(block.ByUserID()).
			Select(block.FieldUserID).Strings(ctx)
		if err != nil {
			return nil, err
		}
		export.Devices = append(export.Devices, exported)
	}
	return export, nil
}

func exportedDevice(row *ent.Device) ExportedDevice {
	exported := ExportedDevice{
		ID: row.ID, CreatedAt: time.UnixMicro(row.CreatedAt).UTC(), OneTime: row.OneTimeNumber, KEMOneTime: row.KemOneTimeNumber,
		Mailbox: row.Edges.Mailbox,
	}
	if row.RemovedAt != nil {
		at := time.UnixMicro(*row.RemovedAt).UTC()
		exported.RemovedAt = &at
	}
	for _, p := range row.Edges.Prekeys {
		exported.Prekeys = append(exported.Prekeys, ExportedPrekey{kindOf(p), p.Number, p.Statement, time.UnixMicro(p.CreatedAt).UTC()})
	}
	return exported
}
