package main

import (
	"fmt"
	"io"
	"time"
)

// table prints results as they come.
type table struct {
	to                                       io.Writer
	operations, faults, unanswered, breaches int64
	took                                     time.Duration
}

const (
	tableHead = "| scenario | store | operations | sends answered | unanswered | faults | breaches | memory before, peak, after | time | seed |\n| --- | --- | ---: | ---: | ---: | ---: | ---: | --- | ---: | ---: |\n"
	tableRow  = "| %s | %s | %d | %d | %d | %d | %d | %d, %d, %d MB | %v | %d |\n"
	// fewWords is how many breaches are printed in words.
	fewWords = 5
)

func newTable(to io.Writer) *table {
	_, _ = io.WriteString(to, tableHead) // as with every print: where nobody reads, nothing is to be done
	return &table{to: to}
}

func (t *table) row(r *result, verbose bool) {
	t.operations += r.operations
	t.faults += r.faults
	t.unanswered += r.lost
	t.breaches += r.breaches
	t.took += r.took
	_, _ = fmt.Fprintf(t.to, tableRow, r.scenario, r.store, r.operations, r.answered, r.lost, r.faults, r.breaches,
		r.before>>20, r.peak>>20, r.after>>20, r.took.Round(time.Second), r.seed)
	for _, words := range r.remarks {
		t.note("%s", words)
	}
	for i, words := range r.words {
		if i == fewWords && !verbose {
			_, _ = fmt.Fprintf(t.to, "  … and %d more\n", len(r.words)-i)
			break
		}
		_, _ = fmt.Fprintf(t.to, "  %s\n", words)
	}
}

// note prints what is no result.
func (t *table) note(format string, values ...any) {
	_, _ = fmt.Fprintf(t.to, "  "+format+"\n", values...)
}

func (t *table) sum() {
	_, _ = fmt.Fprintf(t.to, "\n%d operations checked in %v, %d sends without an answer, %d faults, %d breaches\n",
		t.operations, t.took.Round(time.Second), t.unanswered, t.faults, t.breaches)
}
