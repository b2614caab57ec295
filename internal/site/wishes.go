package site

import (
	"math"
	"strconv"
	"strings"
)

const identity = "identity"

// unspoken is what a file as it is counts for where nobody speaks of it: less than any encoding that is wanted.
const unspoken = 0.0001

// wishes is what an Accept-Encoding header says: a quality for each encoding.
type wishes map[string]float64

func readWishes(header string) wishes {
	all := wishes{}
	for part := range strings.SplitSeq(header, ",") {
		encoding, parameters, _ := strings.Cut(part, ";")
		if encoding = strings.ToLower(strings.TrimSpace(encoding)); encoding != "" {
			all[encoding] = quality(parameters)
		}
	}
	return all
}

// of gives the quality of an encoding, 0 if it is not wanted.
func (w wishes) of(encoding string) float64 {
	if q, ok := w[encoding]; ok {
		return q
	}
	if q, ok := w["*"]; ok {
		return q
	}
	if encoding == identity {
		return unspoken
	}
	return 0
}

// quality reads q=0.5. What is not a quality is taken for a no: the file as it is can be read by everyone.
func quality(parameters string) float64 {
	name, value, found := strings.Cut(strings.TrimSpace(parameters), "=")
	if !found || !strings.EqualFold(strings.TrimSpace(name), "q") {
		return 1
	}
	q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || math.IsNaN(q) || q < 0 || q > 1 {
		return 0
	}
	return q
}
