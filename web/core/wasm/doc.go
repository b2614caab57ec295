//go:build js && wasm

// Command wasm is a device as WebAssembly: package device behind calls that a worker's JavaScript makes, with records that it
// keeps in IndexedDB. It seals what it writes (internal/vault), so that JavaScript sees no key and no record.
//
// The worker puts an object called letterlockStore into the global scope and starts the program, which takes it and hands over
// its own functions. Calls run one after the other, on one goroutine; each is durable before it is answered.
package main
