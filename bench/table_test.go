package main

import (
	"strings"
	"testing"
	"time"
)

func samples(rates ...float64) []sample {
	var all []sample
	for _, rate := range rates {
		all = append(all, sample{{"rate", "messages/s", number, rate}, {"took", "took", duration, float64(3 * time.Millisecond)}})
	}
	return all
}

func TestTableShowsMediansAndRanges(t *testing.T) {
	now := &column{label: "new", samples: samples(12000, 10000, 11000)}
	got := markdown([]*column{
		now,
		{label: "new, base", of: now, samples: samples(6000, 10000, 5500)},
		{label: "other"},
	})
	want := `| | new | new, base | new ÷ new, base | other |
| --- | --- | --- | --- | --- |
| messages/s | 11,000 (10,000 – 12,000) | 6,000 (5,500 – 10,000) | 2.00 (1.00 – 2.00) | – |
| took | 3.00 ms | 3.00 ms | 1.00 | – |
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// What some cases lack stands where the others have it.
func TestTableKeepsTheOrderOfItsRows(t *testing.T) {
	one := func(keys ...string) *column {
		var s sample
		for _, key := range keys {
			s.add(key, key, number, 1)
		}
		return &column{samples: []sample{s}}
	}
	var got []string
	for _, r := range rows([]*column{one("a", "d"), one("a", "b", "d", "e"), one("c", "d")}) {
		got = append(got, r.key)
	}
	if text := strings.Join(got, ""); text != "cabde" {
		t.Errorf("%s", text)
	}
}

func TestFiguresAreReadable(t *testing.T) {
	for got, want := range map[string]string{
		number.show(1234567):                          "1,234,567",
		number.show(-1234):                            "-1,234",
		number.show(999):                              "999",
		duration.show(float64(2500)):                  "2.5 µs",
		duration.show(float64(166 * 1000)):            "166 µs",
		duration.show(float64(25e6)):                  "25.0 ms",
		duration.show(float64(2 * time.Second)):       "2.00 s",
		duration.show(float64(-3 * 1000)):             "-3.0 µs",
		memory.show(10240):                            "10.0 KiB",
		memory.show(40 << 20):                         "40.0 MiB",
		decimal.show(1):                               "1.00",
		cell(number, []float64{4, 1, 3, 2}):           "2 (1 – 4)",
		memoryOf("24684160 kB"):                       "23.5 GiB",
		cell(duration, []float64{1e6, 1e6}):           "1.00 ms",
		strings.Join([]string{cell(number, nil)}, ""): "–",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestBlocksAreRenewedAndTheRestStays(t *testing.T) {
	document := "# By hand\n\n<!-- bench:begin live -->\nold\n<!-- bench:end live -->\n\nby hand, too\n<!-- bench:begin many -->\n<!-- bench:end many -->\n"
	got, err := replaceBlock(document, "live", "new\n")
	if want := strings.Replace(document, "old", "new", 1); err != nil || got != want {
		t.Errorf("%v\n%s", err, got)
	}
	if _, err := replaceBlock(document, "pair", "new\n"); err == nil {
		t.Error("a block that is not there was renewed")
	}
	if _, err := replaceBlock("<!-- bench:begin live -->\n", "live", "new\n"); err == nil {
		t.Error("a block without an end was renewed")
	}
}
