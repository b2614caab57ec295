package guard

import "strings"

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

// endOfBlock is endOfString for the text of a block string, which begins at i. As the parser has it, the quote is escaped only as three of
// them, and of more than three in a row the last three close.
func endOfBlock(document string, i int) int {
	for i < len(document) {
		switch quotes := countQuotes(document[i:]); {
		case quotes >= 3:
			return i + quotes - 1
		case strings.HasPrefix(document[i:], `\"""`):
			i += 4
		default:
			i += max(1, quotes)
		}
	}
	return len(document)
}

// countQuotes gives how many quotes a text begins with.
func countQuotes(text string) (n int) {
	for n < len(text) && text[n] == '"' {
		n++
	}
	return n
}
