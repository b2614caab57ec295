package mailbox

import (
	"strings"
	"testing"

	"github.com/letterlock/letterlock/internal/problem"
)

func TestContract3_ACursorHasOneSpelling(t *testing.T) {
	cursor := Cursor{epoch: -1, mailbox: maxMailbox, number: maxNumber}
	text := cursor.String()
	if got, err := ParseCursor(text); err != nil || got != cursor {
		t.Fatalf("%q reads as %+v, %v", text, got, err)
	}
	for _, other := range []string{
		"", text[:21], text + "A", text + "==", text[:21] + "=", text[:10] + "\n" + text[10:], text[:10] + "\n" + text[11:],
		" " + text[1:], strings.ReplaceAll(text, "_", "/"), text[:21] + "x",
		Cursor{epoch: 1, mailbox: 0, number: 1}.String(), Cursor{epoch: 1, mailbox: 1, number: 0}.String(),
		"AAAAAAAAAAGAAAAAAAAAAQ",
	} {
		if got, err := ParseCursor(other); problem.CodeOf(err) != problem.CursorInvalid {
			t.Errorf("%q reads as %+v, %v", other, got, err)
		}
	}
}

func FuzzParseCursor(f *testing.F) {
	f.Add(Cursor{epoch: 1, mailbox: 1, number: 1}.String())
	f.Add("AAAAAAAAAAEAAAABAAAAAQ")
	f.Add("//////////////////////")
	f.Fuzz(func(t *testing.T, text string) {
		cursor, err := ParseCursor(text)
		if err != nil {
			return
		}
		if cursor.String() != text {
			t.Errorf("%q is another spelling of %q", text, cursor.String())
		}
		if cursor.mailbox < 1 || cursor.mailbox > maxMailbox || cursor.number < 1 || cursor.number > maxNumber {
			t.Errorf("%q is out of bounds: %+v", text, cursor)
		}
	})
}

func TestContract4_ResumeFromEveryCursor(t *testing.T) {
	bothWays(t, func(t *testing.T, w *world) {
		const n = 12
		alice, bob := w.user(1), w.user(1)
		ids := w.fill(alice, bob, n)
		all := w.waiting(bob.devices[0])
		equal(t, "all", names(all), ids)
		for i := range all {
			cursor, err := ParseCursor(all[i].Cursor.String())
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "page behind the cursor", names(w.after(bob.devices[0], &cursor)), ids[i+1:])
			r := w.subscribe(bob.devices[0], &cursor)
			for _, want := range ids[i+1:] {
				if got := w.next(r).MessageID; got != want {
					t.Fatalf("behind %d came %v, want %v", i+1, got, want)
				}
			}
			w.nothing(r)
		}
		// A cursor behind which something was acknowledged starts at what is left.
		w.acknowledge(bob, 5)
		if got := w.next(w.subscribe(bob.devices[0], &all[1].Cursor)).Number; got != 6 {
			t.Errorf("the first message left is %d, want 6", got)
		}
	})
}

func TestPage_EndsAtItsBoundsAndSaysSo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice, bob := w.user(1), w.user(1)
		large := string(make([]byte, pageBytes/2))
		for range 3 {
			w.must(w.letter(alice, large, bob))
		}
		w.fill(alice, bob, 2)
		page, err := w.Page(w.ctx, bob.devices[0], nil, 5)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "by bytes", numbers(page.Messages), upTo(2))
		if !page.HasNext {
			t.Error("by bytes: there is no next page")
		}
		page, err = w.Page(w.ctx, bob.devices[0], &page.Messages[1].Cursor, 2)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "by count", numbers(page.Messages), []int64{3, 4})
		if !page.HasNext {
			t.Error("by count: there is no next page")
		}
		page, err = w.Page(w.ctx, bob.devices[0], &page.Messages[1].Cursor, 1)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "the rest", numbers(page.Messages), []int64{5})
		if page.HasNext {
			t.Error("the rest: there is a next page")
		}
		for _, first := range []int{0, -1, MaxPage + 1} {
			_, err := w.Page(w.ctx, bob.devices[0], nil, first)
			refused(t, err, problem.BadInput)
		}
	}, func(o *Options) { o.Limits.MaxCiphertextBytes = pageBytes })
}
