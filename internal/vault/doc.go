// Package vault seals a device's records at rest, and wraps the key that they are sealed under. It knows neither files nor
// databases: the native store and the browser's keep the same bytes.
//
// Each record is sealed by itself with XChaCha20-Poly1305, under a key derived from the store key, and bound to its place. What
// holds the records sees how many there are, how many share a collection, and their lengths (padded as messages are); no id,
// name, time or text. Who can write there can bring back an older version of a record: that is not noticed here.
package vault
