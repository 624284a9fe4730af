package throttle

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// A journal is read up to where it is damaged, and goes on from there.
func TestTornJournal(t *testing.T) {
	dir := t.TempDir()
	l := openLedger(t, dir)
	s := QuotaSettings{Limit: 10, Period: Day}
	take(l.Quota(alice, s), 4, ahead(0))
	closeLedger(t, l)
	file := filepath.Join(dir, journalName)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"the last entry is cut":        whole[:len(whole)-1],
		"something is behind":          append(bytes.Clone(whole), 1, 2, 3),
		"zeros are behind":             append(bytes.Clone(whole), make([]byte, 512)...),
		"a bit of the last is changed": append(bytes.Clone(whole[:len(whole)-1]), whole[len(whole)-1]^4),
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, journalName), text, 0o600); err != nil {
				t.Fatal(err)
			}
			l := openLedger(t, dir)
			used := l.Usage(alice, s, ahead(0), ahead(0), ahead(0))[0][0]
			if used < 4 {
				t.Errorf("%d are counted of 4", used)
			}
			take(l.Quota(alice, s), 1, ahead(0))
			closeLedger(t, l)
			if got := openLedger(t, dir).Usage(alice, s, ahead(0), ahead(0), ahead(0))[0][0]; got != used+1 {
				t.Errorf("%d are counted after another one, want %d", got, used+1)
			}
		})
	}
	for name, text := range map[string]string{"another file": "SQLite format 3\x00", "a later release": "gatehouse usage 2\n"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, journalName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if l, err := OpenLedger(LedgerOptions{Dir: dir}); err == nil {
			closeLedger(t, l)
			t.Errorf("%s was taken for a journal", name)
		}
	}
	// The machine stopped when the file was made.
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, journalName), []byte(journalHeader[:7]), 0o600); err != nil {
		t.Fatal(err)
	}
	l = openLedger(t, dir)
	take(l.Quota(alice, s), 4, ahead(0))
	closeLedger(t, l)
	if got := openLedger(t, dir).Usage(alice, s, ahead(0), ahead(0), ahead(0))[0][0]; got != 4 {
		t.Errorf("%d are counted of 4", got)
	}
}

// FuzzJournal asks that no text is too much for the reader, that it reads no
// further than the text goes, and that what it read reads the same again.
func FuzzJournal(f *testing.F) {
	f.Add([]byte(journalHeader))
	j := &journal{buf: []byte(journalHeader)}
	j.client(1, alice)
	j.day(1, journalDay{day: 20000, used: 3, reserved: 5, remaining: 7, granted: -2})
	j.day(1, journalDay{day: 20001, used: 1})
	j.day(2, journalDay{day: 20001, used: 1})
	f.Add(j.buf)
	f.Add(j.buf[:len(j.buf)-9])
	f.Fuzz(func(t *testing.T, text []byte) {
		first, err := readJournal(bytes.NewReader(text), 0)
		if err != nil {
			return
		}
		if first.good > int64(len(text)) {
			t.Fatalf("%d of %d bytes are good", first.good, len(text))
		}
		again, err := readJournal(bytes.NewReader(text[:first.good]), 0)
		if err != nil || again.good != first.good || len(again.clients) != len(first.clients) {
			t.Fatalf("%+v read again is %+v, %v", first, again, err)
		}
	})
}
