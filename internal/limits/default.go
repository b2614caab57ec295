package limits

import "github.com/alecthomas/kong"

// Default gives the limits that hold where nobody sets one: the defaults in the tags. It reads no
// environment.
func Default() Limits {
	var l Limits
	parser, err := kong.New(&l, kong.Exit(func(int) {}))
	if err == nil {
		_, err = parser.Parse(nil)
	}
	if err != nil {
		panic("limits: a default does not parse: " + err.Error())
	}
	return l
}
