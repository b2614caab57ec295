// Package cryptobox is the client's side of Letterlock's cryptography: private keys, sessions, boxes, and the content that is
// sealed in them. The server does not link it. The rules that its comments and errors name (B1, C1.1 …) are those of
// docs/protocol.md.
//
// Private keys are types that can't be printed, encoded or compared by accident. What was random is handed in, so that
// known answers can be tested; nil stands for the operating system's source. Nothing here reads a clock, the network or
// a disk.
package cryptobox
