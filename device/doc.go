// Package device is a device's state machine: what a client does with keys, device lists, messages and doubts, without
// network, disk, clock or goroutines. A native host and a browser run the same code.
//
// A [Host] lends the device three things: a read view of its records, the time and a source of randomness. Each step
// reads records, is told what the server said, and returns a [Step]: records to write, requests to make, notices to show.
// The host
//
//  1. runs the step and its writes in one transaction, so that no other step of the same device comes between,
//  2. makes them durable,
//  3. and only then performs the requests and shows the notices, feeding the answers into further steps.
//
// A host that dies before 2 has changed nothing; one that dies after 2 finds in the records what was left to do:
// [Host.NextSend] gives the very bytes that may have been sent before, [Host.Waiting] what was not shown. A step that
// returns an error has no writes.
//
// The server is the adversary (docs/protocol.md). Nothing it says changes a record unless it verifies; what it says that
// can't be true becomes an [Alarm] or a [Refusal], which are shown and kept.
//
// Record values hold private keys and plaintext. A host that writes them anywhere encrypts them.
package device
