package scalar_test

import (
	"crypto/rand"
	"fmt"
	"io"
	"testing"

	"github.com/letterlock/letterlock/graph/scalar"
)

// The sizes are those of a short message, and of the longest ciphertext.
func BenchmarkMarshalBytes(b *testing.B) {
	eachSize(b, func(raw []byte, _ string) { scalar.MarshalBytes(raw).MarshalGQL(io.Discard) })
}

func BenchmarkUnmarshalBytes(b *testing.B) {
	eachSize(b, func(_ []byte, text string) {
		if _, err := scalar.UnmarshalBytes(text); err != nil {
			b.Fatal(err)
		}
	})
}

func eachSize(b *testing.B, run func(raw []byte, text string)) {
	for _, size := range []int{256, 66_560} {
		raw := make([]byte, size)
		_, _ = rand.Read(raw)
		quoted := written(scalar.MarshalBytes(raw))
		b.Run(fmt.Sprintf("bytes=%d", size), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				run(raw, quoted[1:len(quoted)-1])
			}
		})
	}
}
