package guard

// nesting gives how deep brackets of any kind nest in a GraphQL document, strings and comments left out. It reads the
// text once, before any parser recurses into it.
func nesting(document string) int {
	depth, deepest := 0, 0
	for i := 0; i < len(document); i++ {
		switch document[i] {
		case '{', '[', '(':
			depth++
			deepest = max(deepest, depth)
		case '}', ']', ')':
			depth--
		case '#':
			i = endOfLine(document, i)
		case '"':
			i = endOfString(document, i)
		}
	}
	return deepest
}

// endOfLine gives the index of the line break behind i, or of the end.
func endOfLine(document string, i int) int {
	for i < len(document) && document[i] != '\n' && document[i] != '\r' {
		i++
	}
	return i
}

// endOfString gives the index of the quote that closes the string, or block string, which opens at i. A string that does not
// end is for the parser to refuse.
func endOfString(document string, i int) int {
	if len(document) >= i+3 && document[i:i+3] == `"""` {
		return endOfBlock(document, i+3)
	}
	for i++; i < len(document) && document[i] != '"' && document[i] != '\n'; i++ {
		if document[i] == '\\' {
			i++
		}
	}
	return i
}

func endOfBlock(document string, i int) int {
	for ; i+3 <= len(document); i++ {
		if document[i] == '\\' {
			i += 3
		} else if document[i:i+3] == `"""` {
			return i + 2
		}
	}
	return len(document)
}
