package graph

import (
	"context"

	"github.com/letterlock/letterlock/ent"
	"github.com/letterlock/letterlock/graph/model"
	"github.com/letterlock/letterlock/identity"
	"github.com/letterlock/letterlock/internal/directory"
)

func (r *Resolver) exportUser(ctx context.Context, listsAfter *int, devicesAfter *string) (*model.UserExport, error) {
	caller, err := calling(ctx)
	if err != nil {
		return nil, err
	}
	lists, err := listVersion(orZero(listsAfter), "listsAfter")
	if err != nil {
		return nil, err
	}
	after := ""
	if devicesAfter != nil {
		last, err := deviceID(*devicesAfter)
		if err != nil {
			return nil, err
		}
		after = last.String()
	}
	export, err := r.Directory.Export(ctx, caller, lists, after)
	if err != nil {
		return nil, err
	}
	return exportModel(export), nil
}

func exportModel(e *directory.Export) *model.UserExport {
	lists := make([]model.ExportedDeviceList, len(e.Lists))
	for i, list := range e.Lists {
		lists[i] = model.ExportedDeviceList{Version: int(list.Version), Statement: list.Statement, CreatedAt: list.CreatedAt}
	}
	devices := make([]model.ExportedDevice, len(e.Devices))
	for i := range e.Devices {
		devices[i] = exportedDeviceModel(&e.Devices[i])
	}
	return &model.UserExport{
		UserID: e.User.String(), CreatedAt: e.CreatedAt, ListVersion: int(e.ListVersion), DeviceLists: lists, Devices: devices, HasMore: e.More,
	}
}

func exportedDeviceModel(d *directory.ExportedDevice) model.ExportedDevice {
	prekeys := make([]model.ExportedPrekey, len(d.Prekeys))
	for i, p := range d.Prekeys {
		prekeys[i] = model.ExportedPrekey{
			Kind: prekeyKinds[p.Kind], Number: int64(p.Number), Statement: p.Statement, CreatedAt: p.CreatedAt,
		}
	}
	return model.ExportedDevice{
		ID: d.ID, CreatedAt: d.CreatedAt, RemovedAt: d.RemovedAt, OneTimeNumber: int64(d.OneTime), KemOneTimeNumber: int64(d.KEMOneTime),
		BlockedUserIds: d.Blocked, Prekeys: prekeys, Mailbox: exportedMailboxModel(d.Mailbox),
	}
}

// prekeyKinds names the kinds as the schema does.
var prekeyKinds = map[identity.PrekeyKind]model.PrekeyKind{
	identity.PrekeySigned: model.PrekeyKindSigned, identity.PrekeyOneTime: model.PrekeyKindOneTime,
	identity.PrekeyKEMOneTime: model.PrekeyKindKemOneTime, identity.PrekeyKEMLastResort: model.PrekeyKindKemLastResort,
}

func exportedMailboxModel(m *ent.Mailbox) *model.ExportedMailbox {
	return &model.ExportedMailbox{
		ID: m.ID, ListVersion: int(m.ListVersion), Closed: m.Closed, Blocking: m.Blocking, LastNumber: m.LastNumber, AcknowledgedNumber: m.AcknowledgedNumber,
		WaitingCount: m.WaitingCount, WaitingBytes: m.WaitingBytes, ExpiredCount: m.ExpiredCount, AcceptedCount: m.AcceptedCount,
	}
}
