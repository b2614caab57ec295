package graphqlhttp

import (
	"math"
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// The media types that answers come in.
const (
	mediaJSON     = "application/json"
	mediaGraphQL  = "application/graphql-response+json"
	mediaEvents   = "text/event-stream"
	charset       = "; charset=utf-8"
	notAcceptable = ""
)

// accepted gives the media type of the answer to a request. A header may come in several lines.
func accepted(r *http.Request) string {
	return negotiate(strings.Join(r.Header.Values("Accept"), ","))
}

// negotiate picks the media type of the answer from an Accept header: the one with the highest quality, the first among equals.
// Who does not care gets application/json. It gives notAcceptable if the header asks for nothing that we have.
func negotiate(accept string) string {
	switch accept {
	case "", "*/*", mediaJSON:
		return mediaJSON
	case mediaGraphQL, mediaEvents:
		return accept
	}
	best, bestQuality := notAcceptable, 0.0
	for part := range strings.SplitSeq(accept, ",") {
		name, parameters, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		if offered, quality := offer(name), quality(parameters); offered != notAcceptable && quality > bestQuality {
			best, bestQuality = offered, quality
		}
	}
	return best
}

// offer gives what we have for one media range.
func offer(mediaRange string) string {
	switch mediaRange {
	case mediaJSON, mediaGraphQL, mediaEvents:
		return mediaRange
	case "*/*", "application/*":
		return mediaJSON
	case "text/*":
		return mediaEvents
	default:
		return notAcceptable
	}
}

func quality(parameters map[string]string) float64 {
	text, ok := parameters["q"]
	if !ok {
		return 1
	}
	q, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(q) || q < 0 || q > 1 {
		return 0
	}
	return q
}

// sendsJSON reports whether the request's body is declared as JSON in UTF-8.
func sendsJSON(r *http.Request) bool {
	declared := r.Header.Get("Content-Type")
	if declared == mediaJSON {
		return true
	}
	name, parameters, err := mime.ParseMediaType(declared)
	if err != nil || name != mediaJSON {
		return false
	}
	set, ok := parameters["charset"]
	return !ok || strings.EqualFold(set, "utf-8")
}
