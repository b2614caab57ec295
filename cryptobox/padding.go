package cryptobox

import "math/bits"

const (
	// MinContentSize is the length of the shortest padded content, in bytes (C3.1).
	MinContentSize = 256
	// MaxContentSize is the length of the longest padded content, in bytes: the last padded length below 2^16, so that
	// the ciphertext stays below it, too.
	MaxContentSize = 63488
)

// PaddedLength gives the length to which n bytes are padded: at least MinContentSize, then Padmé, which shows of a length
// only its highest bits and costs at most a sixteenth (C3.1).
func PaddedLength(n int) int {
	if n <= MinContentSize {
		return MinContentSize
	}
	exponent := bits.Len(uint(n)) - 1
	kept := bits.Len(uint(exponent))
	mask := 1<<(exponent-kept) - 1
	return (n + mask) &^ mask
}
