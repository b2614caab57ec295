package server

import "strings"

const defaultURL = "http://localhost:8080"

// Hints are lines to copy after a start on one's own machine: two people who message each other.
func Hints(url string) string {
	server := ""
	if url != defaultURL {
		server = "LETTER_SERVER=" + url + " "
	}
	return strings.NewReplacer("{url}", url, "{server}", server).Replace(`
Letterlock serves {url}
Playground:       {url}/playground

To try it, open {url} in two browser windows, one of them private: that is two people who can
add each other and talk. On the command line, make two people on this machine, in another terminal:

  {server}LETTER_HOME=alice ./bin/letter init
  {server}LETTER_HOME=bob   ./bin/letter init

let Bob listen:

  {server}LETTER_HOME=bob ./bin/letter listen

and in a third terminal let Alice write to him:

  {server}LETTER_HOME=alice ./bin/letter send "$(LETTER_HOME=bob ./bin/letter id)" "hello"

Press Ctrl-C here to stop the server.
`)
}
