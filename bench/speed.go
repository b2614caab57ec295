package main

import (
	"crypto/sha256"
	"net"
	"time"
)

// speedTime is how long the machine's speed is looked at, before each run and behind it.
const speedTime = 100 * time.Millisecond

// pieceOfWork is what the machine's speed is told in: a hash of 32 KiB and eight times 256 bytes over loopback and back, that is, half
// computing and half system calls, on one core. It has nothing of the server's in it, so that runs of different hours can be
// compared by it.
func pieceOfWork(near, far net.Conn, data []byte) error {
	_ = sha256.Sum256(data)
	for range 8 {
		for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
			if _, err := way[0].Write(data[:256]); err != nil {
				return err
			}
			if _, err := way[1].Read(data[:256]); err != nil { // loopback hands over what was written at once
				return err
			}
		}
	}
	return nil
}

// speed gives how many pieces of work the machine does in a second of CPU time, just now. What else runs on it takes nothing away.
func speed() (perSecond float64, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // of loopback; it waits for nothing
	if err != nil {
		return 0, err
	}
	defer func() { _ = listener.Close() }()
	near, err := net.Dial("tcp", listener.Addr().String()) //nolint:noctx // as above
	if err != nil {
		return 0, err
	}
	defer func() { _ = near.Close() }()
	far, err := listener.Accept()
	if err != nil {
		return 0, err
	}
	defer func() { _ = far.Close() }()
	data := make([]byte, 32<<10)
	began, taken, pieces := time.Now(), ownCPU(), 0
	for time.Since(began) < speedTime {
		if err := pieceOfWork(near, far, data); err != nil {
			return 0, err
		}
		pieces++
	}
	return float64(pieces) / (ownCPU() - taken).Seconds(), nil
}
