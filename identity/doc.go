// Package identity holds Letterlock's public statements and their verification: user and device ids, public keys,
// entries, device lists and their chains, device tokens and origins. Clients and the server import it alike. The rules
// that its comments and errors name (S2.1, S3.4 …) are those of docs/protocol.md.
//
// What this package hands out has been checked: a [SigningPublicKey] came through [ParseSigningPublicKey], a
// [DeviceList] through [ParseDeviceList], a [Chain] holds only versions that extend each other. Every parser is bounded
// by its input's documented length and refuses what its encoder would not make (N1). Errors are sentinel values for
// errors.Is and hold none of their input.
//
// Nothing here reads a clock, a random source, the network or a disk.
package identity
