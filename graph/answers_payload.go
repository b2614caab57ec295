package graph

import (
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/letterlock/letterlock/graph/scalar"
	"github.com/letterlock/letterlock/internal/mailbox"
)

// maxSelected bounds the fields of a payload that is written here: fragments can be spread again and again.
const maxSelected = 256

// selection writes objects of one type, byte for byte what the executor writes.
type selection struct {
	fields []selected
	total  int // fields, with those of elements
}

// selected is one field.
type selected struct {
	text     string     // what comes before the value: `,"messageId":`
	name     string     // of the field; none for what is text already
	elements *selection // of a list
}

// compileSelection compiles what is selected of an object. ok is false for what only the executor can write.
func compileSelection(op *graphql.OperationContext, set ast.SelectionSet, object string) (s *selection, ok bool) {
	s = &selection{}
	written := make(map[string]bool)
	for _, f := range graphql.CollectFields(op, set, []string{object}) {
		if len(f.Deferrables) > 0 || written[f.Alias] {
			return nil, false
		}
		written[f.Alias] = true
		field, ok := compileField(op, f, object)
		if !ok {
			return nil, false
		}
		if len(s.fields) > 0 {
			field.text = "," + field.text
		}
		s.fields = append(s.fields, field)
		if s.total++; field.elements != nil {
			s.total += field.elements.total
		}
		if s.total > maxSelected {
			return nil, false
		}
	}
	return s, true
}

func compileField(op *graphql.OperationContext, f graphql.CollectedField, object string) (field selected, ok bool) {
	field.text = `"` + f.Alias + `":`
	switch object + "." + f.Name {
	case object + ".__typename":
		field.text += `"` + object + `"`
		return field, true
	case "SendMessagesPayload.messages":
		field.elements, ok = compileSelection(op, f.Selections, "SendMessagePayload")
	case "SendMessagePayload.deliveries":
		field.elements, ok = compileSelection(op, f.Selections, "Delivery")
	case "SendMessagesPayload.callId", "SendMessagesPayload.acceptedAt", "SendMessagePayload.messageId", "SendMessagePayload.acceptedAt",
		"Delivery.deviceId", "Delivery.status", "AcknowledgeMessagesPayload.acknowledgedUpTo", "AcknowledgeMessagesPayload.removedCount":
		ok = true
	}
	field.name = strings.Clone(f.Name) // It is a part of the document's text.
	return field, ok
}

func (s *selection) appendCall(b []byte, id uuid.UUID, acceptedAt time.Time, receipts []mailbox.Receipt) []byte {
	b = append(b, '{')
	for i := range s.fields {
		f := &s.fields[i]
		b = append(b, f.text...)
		switch f.name {
		case "callId":
			b = appendQuoted(b, id)
		case "acceptedAt":
			b = appendInstant(b, acceptedAt)
		case "messages":
			b = append(b, '[')
			for i := range receipts {
				b = f.elements.appendReceipt(appendComma(b, i), &receipts[i])
			}
			b = append(b, ']')
		}
	}
	return append(b, '}')
}

func (s *selection) appendReceipt(b []byte, receipt *mailbox.Receipt) []byte {
	b = append(b, '{')
	for i := range s.fields {
		f := &s.fields[i]
		b = append(b, f.text...)
		switch f.name {
		case "messageId":
			b = appendQuoted(b, receipt.MessageID)
		case "acceptedAt":
			b = appendInstant(b, receipt.AcceptedAt)
		case "deliveries":
			b = append(b, '[')
			for i := range receipt.Deliveries {
				b = f.elements.appendDelivery(appendComma(b, i), &receipt.Deliveries[i])
			}
			b = append(b, ']')
		}
	}
	return append(b, '}')
}

func (s *selection) appendDelivery(b []byte, delivery *mailbox.Delivery) []byte {
	b = append(b, '{')
	for i := range s.fields {
		f := &s.fields[i]
		b = append(b, f.text...)
		switch f.name {
		case "deviceId":
			b = append(b, '"')
			b = delivery.Device.Append(b)
			b = append(b, '"')
		case "status":
			b = append(b, '"')
			b = append(b, statusModel(delivery.Stored)...)
			b = append(b, '"')
		}
	}
	return append(b, '}')
}

func (s *selection) appendAcknowledgement(b []byte, done mailbox.Acknowledgement) []byte {
	b = append(b, '{')
	for i := range s.fields {
		f := &s.fields[i]
		b = append(b, f.text...)
		switch f.name {
		case "acknowledgedUpTo":
			b = append(b, '"')
			b = done.UpTo.Append(b)
			b = append(b, '"')
		case "removedCount":
			b = strconv.AppendInt(b, int64(done.Removed), 10)
		}
	}
	return append(b, '}')
}

// appendComma separates the element i of a list from the one before.
func appendComma(b []byte, i int) []byte {
	if i == 0 {
		return b
	}
	return append(b, ',')
}

func appendQuoted(b []byte, id uuid.UUID) []byte {
	b = append(b, '"')
	b = appendUUID(b, id)
	return append(b, '"')
}

func appendInstant(b []byte, t time.Time) []byte {
	b = append(b, '"')
	b = scalar.AppendTime(b, t)
	return append(b, '"')
}
