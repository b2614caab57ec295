package guard

// maxValues is how many values a JSON text may hold. The largest sendMessage that limits allow holds half as many.
const maxValues = 100_000

// Scattered reports whether a JSON text holds more values than any request has a use for. Decoded, a small value takes fifty
// times its place in the text. It reads the text once; what is no JSON is for the decoder to refuse.
func Scattered(text []byte) bool {
	values := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case ',', '[', '{':
			values++
		case '"':
			i = endOfText(text, i+1)
		}
	}
	return values > maxValues
}

// endOfText gives the index of the quote that closes the string whose text begins at i, or of the end.
func endOfText(text []byte, i int) int {
	for ; i < len(text) && text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++
		}
	}
	return i
}
