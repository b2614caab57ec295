// Package drive is many devices that use a server as hard as they may: they send, repeat what was not answered, hang up, come back
// at any position, acknowledge, join and are removed. All that they ask and are answered goes into a history.
//
// They speak the protocol itself instead of using the SDK: what a history has to show (each single try, each cursor, each envelope
// that comes twice) is what the SDK takes care of, and sealing would cost more than everything else together. The server cannot
// tell: it never opens what it carries.
package drive
