package wakeup

import (
	"encoding/binary"
	"errors"

	"github.com/letterlock/letterlock/identity"
)

// A frame is one message on NATS: hints about the one device that its subject names. Integers are big-endian.
//
//	size  field
//	1     version, 1
//	      hints up to the end, each:
//	1     event, 1 for Grown or 2 for TakenOver
//	2     Grown: the length of a message, or 0 for none; then the message, in the codec's form
//	8     TakenOver: the name of the subscription that took over
//
// Removed goes to every node, by a subject of its own:
//
//	size  field
//	1     version, 1
//	      device ids up to the end, 20 bytes each
const (
	frameVersion = 1
	// maxFrame bounds a frame, far below what NATS takes (1 MiB unless it is told otherwise).
	maxFrame     = 16 << 10
	grownHead    = 3
	takenOver    = 9
	deviceLength = len(identity.DeviceID{})
	// maxRemoved is how many devices one frame can name.
	maxRemoved = (maxFrame - 1) / deviceLength
)

var errFrame = errors.New("a frame is damaged")

// hintSize is what a hint takes in a frame. A message that does not travel, or would fill a frame alone, is left out.
func hintSize[M any](hint Hint[M], codec Codec[M]) (size, message int) {
	if hint.Event == TakenOver {
		return takenOver, 0
	}
	if hint.Message != nil {
		message = codec.Size(hint.Message)
	}
	if message > maxFrame-1-grownHead {
		message = 0
	}
	return grownHead + message, message
}

// appendHint writes a hint with message bytes of message, which hintSize gave.
func appendHint[M any](b []byte, hint Hint[M], message int, codec Codec[M]) []byte {
	b = append(b, byte(hint.Event))
	if hint.Event == TakenOver {
		return binary.BigEndian.AppendUint64(b, hint.By)
	}
	b = binary.BigEndian.AppendUint16(b, uint16(message)) // #nosec G115 -- less than maxFrame
	if message == 0 {
		return b
	}
	return codec.Append(b, hint.Message)
}

// readFrame appends the hints of a frame to hints. A frame of another version says only that the mailbox may have grown.
func readFrame[M any](hints []Hint[M], device identity.DeviceID, frame []byte, codec Codec[M]) ([]Hint[M], error) {
	if len(frame) < 1 || len(frame) > maxFrame {
		return nil, errFrame
	}
	if frame[0] != frameVersion {
		return append(hints, Hint[M]{Device: device, Event: Grown}), nil
	}
	for rest := frame[1:]; len(rest) > 0; {
		hint, n, err := readHint(rest, codec)
		if err != nil {
			return nil, err
		}
		hint.Device = device
		hints, rest = append(hints, hint), rest[n:]
	}
	return hints, nil
}

// readHint reads the first hint of b and gives its length.
func readHint[M any](b []byte, codec Codec[M]) (hint Hint[M], n int, err error) {
	hint.Event = Event(b[0])
	switch {
	case hint.Event == TakenOver && len(b) >= takenOver:
		hint.By = binary.BigEndian.Uint64(b[1:])
		return hint, takenOver, nil
	case hint.Event == Grown && len(b) >= grownHead:
		n = grownHead + int(binary.BigEndian.Uint16(b[1:]))
		if n > len(b) {
			return hint, 0, errFrame
		}
		if n > grownHead {
			hint.Message, err = codec.Decode(b[grownHead:n:n])
		}
		return hint, n, err
	default:
		return hint, 0, errFrame
	}
}

// removedFrame names devices.
func removedFrame(devices []identity.DeviceID) []byte {
	b := make([]byte, 1, 1+len(devices)*deviceLength)
	b[0] = frameVersion
	for i := range devices {
		b = append(b, devices[i][:]...)
	}
	return b
}

// readRemoved appends hints about the devices that a frame names. A frame of another version is passed by: nodes look for
// removed devices by themselves.
func readRemoved[M any](hints []Hint[M], frame []byte) ([]Hint[M], error) {
	if len(frame) < 1 || len(frame) > maxFrame || frame[0] == frameVersion && (len(frame)-1)%deviceLength != 0 {
		return nil, errFrame
	}
	if frame[0] != frameVersion {
		return hints, nil
	}
	for rest := frame[1:]; len(rest) > 0; rest = rest[deviceLength:] {
		hints = append(hints, Hint[M]{Device: identity.DeviceID(rest[:deviceLength]), Event: Removed})
	}
	return hints, nil
}
