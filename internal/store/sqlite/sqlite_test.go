package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/internal/store"
)

type doc struct {
	Name string `json:"name"`
}

var (
	kind  = store.Kind[doc]{Name: "test/doc", Versioned: true}
	scope = store.Scope{Account: "000000000000", Region: "us-east-1"}
)

func openStore(t testing.TB, dir string) (*store.Store, *DB) {
	t.Helper()
	db, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), db, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, db
}

func put(t testing.TB, s *store.Store, name string) {
	t.Helper()
	err := s.Update(t.Context(), func(tx *store.Tx) error { return kind.Put(tx, scope, &doc{Name: name}, "api", name) })
	if err != nil {
		t.Fatal(err)
	}
}

func names(t testing.TB, s *store.Store) (list []string) {
	t.Helper()
	err := s.View(t.Context(), func(tx *store.Tx) error {
		for e, err := range kind.All(tx, scope) {
			if err != nil {
				return err
			}
			list = append(list, e.Doc.Name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestReopen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "data")
	s, _ := openStore(t, dir)
	put(t, s, "a")
	put(t, s, "b")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, _ = openStore(t, dir)
	if got := names(t, s); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("documents = %q", got)
	}
	put(t, s, "c")
	err := s.View(t.Context(), func(tx *store.Tx) error {
		if tx.Revision() != 3 {
			t.Errorf("revision = %d, want 3", tx.Revision())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, FileName))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("database file: %v, %v", info.Mode(), err)
	}
	if info, err = os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("data directory: %v, %v", info.Mode(), err)
	}
}

// A directory's name is no part of a URL, whatever it looks like.
func TestNamesOfDirectories(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, dir := range []string{"data", "./a/b", "a b", "a?b=c", "a#b", "a%41", "a:b", "a&b", filepath.Join(t.TempDir(), "a?b%20 c")} {
		s, _ := openStore(t, dir)
		put(t, s, "a")
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(dir, FileName)); err != nil {
			t.Error(err)
		}
	}
}

// TestPragmas reads the durability settings back from every connection there
// is: one left at its default would lose writes that were acknowledged, and no
// test that kills a process could tell.
func TestPragmas(t *testing.T) {
	s, db := openStore(t, t.TempDir())
	put(t, s, "a")
	// More views at once than are kept idle, so that connections come and go.
	nested := func(n int, fn func()) {
		var nest func(n int) error
		nest = func(n int) error {
			if n == 0 {
				fn()
				return nil
			}
			return s.View(t.Context(), func(*store.Tx) error { return nest(n - 1) })
		}
		if err := nest(n); err != nil {
			t.Fatal(err)
		}
	}
	nested(idleReaders+2, func() {})
	writer := <-db.writer
	conns := append([]*conn{writer}, db.idle...)
	if len(conns) != 1+idleReaders {
		t.Fatalf("%d connections", len(conns))
	}
	for i, c := range conns {
		for pragma, want := range map[string]string{
			"journal_mode": "wal", "synchronous": "2", "fullfsync": "1", "checkpoint_fullfsync": "1", "foreign_keys": "0",
			"busy_timeout": "5000", "trusted_schema": "0", "cell_size_check": "1", "temp_store": "2", "mmap_size": "0",
			"wal_autocheckpoint": "1000", "query_only": map[bool]string{false: "0", true: "1"}[c.readOnly],
			"application_id": fmt.Sprint(applicationID), "user_version": fmt.Sprint(schemaVersion),
		} {
			var got string
			err := c.sql.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got)
			if errors.Is(err, sql.ErrNoRows) && want == "0" {
				continue // no memory map, no row
			}
			if err != nil || got != want {
				t.Errorf("connection %d: %s = %q, %v; want %q", i, pragma, got, err, want)
			}
		}
	}
	db.writer <- writer
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	openStore(t, dir)
	_, err := Open(t.Context(), dir)
	var inUse *InUseError
	if !errors.As(err, &inUse) || inUse.PID != os.Getpid() || !strings.Contains(err.Error(), fmt.Sprint("process ", os.Getpid())) {
		t.Errorf("Open = %v", err)
	}
}

// TestLockOfAnotherProcess runs this test again as a process that holds the
// directory until it is killed.
func TestLockOfAnotherProcess(t *testing.T) {
	const variable = "GATEHOUSE_TEST_HOLD_DIR"
	if dir := os.Getenv(variable); dir != "" {
		openStore(t, dir)
		fmt.Println("holding")
		select {}
	}
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestLockOfAnotherProcess$")
	cmd.Env = append(os.Environ(), variable+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, len("holding"))
	if _, err := out.Read(line); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), dir)
	var inUse *InUseError
	if !errors.As(err, &inUse) || inUse.PID != cmd.Process.Pid {
		t.Errorf("Open = %v, want process %d", err, cmd.Process.Pid)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	s, _ := openStore(t, dir)
	put(t, s, "a")
}

func TestRefusedFiles(t *testing.T) {
	script := func(statements string) func(t *testing.T, path string) {
		return func(t *testing.T, path string) {
			db, err := sql.Open("sqlite", path)
			if err != nil {
				t.Fatal(err)
			}
			_, err = db.Exec(statements)
			if err := errors.Join(err, db.Close()); err != nil {
				t.Fatal(err)
			}
		}
	}
	content := func(b string) func(t *testing.T, path string) {
		return func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(b), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	gatehouse := fmt.Sprintf("%s; PRAGMA application_id=%d; ", schema, applicationID)
	for _, test := range []struct {
		name string
		make func(t *testing.T, path string)
		want string // "" is no error
	}{
		{"empty file", content(""), ""},
		{"text", content("hello, this is a text of some length"), "is not a Gatehouse database"},
		{"short", content("x"), "is not a Gatehouse database"},
		{"header only", content("SQLite format 3\x00"), "is damaged"},
		{"header and garbage", content("SQLite format 3\x00" + strings.Repeat("garbage!", 1000)), "is damaged"},
		{"another program's", script("CREATE TABLE t (x)"), "not one of Gatehouse's"},
		{"newer", script(gatehouse + "PRAGMA user_version=2"), "has schema version 2, and this release of Gatehouse knows versions up to 1: a newer release wrote it"},
		{"the same", script(gatehouse + "PRAGMA user_version=1"), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			test.make(t, filepath.Join(dir, FileName))
			db, err := Open(t.Context(), dir)
			if test.want != "" {
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("Open = %v, want %q", err, test.want)
				}
				// The lock is free again.
				if l, err := lockDir(dir); err != nil {
					t.Error(err)
				} else if err := l.unlock(); err != nil {
					t.Error(err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestDamagedPages(t *testing.T) {
	dir := t.TempDir()
	s, _ := openStore(t, dir)
	for i := range 50 {
		put(t, s, strings.Repeat(fmt.Sprintf("%02d", i), 500))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(dir, FileName), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	// Everything behind the schema.
	_, err = f.WriteAt([]byte(strings.Repeat("\xff", int(info.Size())-4096)), 4096)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	db, err := Open(t.Context(), dir)
	if err == nil {
		_, err = store.Open(t.Context(), db, store.Options{})
	}
	if err == nil || !strings.Contains(err.Error(), "is damaged; restore it from a backup") {
		t.Errorf("Open = %v", err)
	}
}

func TestBackup(t *testing.T) {
	dir := t.TempDir()
	s, _ := openStore(t, dir)
	put(t, s, "a")
	out := t.TempDir()
	first, second := filepath.Join(out, "first"), filepath.Join(out, "second")
	// While a writer is in the middle, and by another process's way.
	err := s.Update(t.Context(), func(tx *store.Tx) error {
		if err := kind.Put(tx, scope, &doc{Name: "b"}, "api", "b"); err != nil {
			return err
		}
		return errors.Join(s.Backup(t.Context(), first), Backup(t.Context(), dir, second))
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Backup(t.Context(), first); err == nil {
		t.Error("a backup was overwritten")
	}
	if err := s.Backup(t.Context(), filepath.Join(out, "none", "x")); err == nil {
		t.Error("a backup into nowhere succeeded")
	}
	if left, err := filepath.Glob(filepath.Join(out, "*")); len(left) != 2 || err != nil {
		t.Errorf("left behind: %q, %v", left, err)
	}
	for _, file := range []string{first, second} {
		restored := t.TempDir()
		if err := os.Rename(file, filepath.Join(restored, FileName)); err != nil {
			t.Fatal(err)
		}
		r, _ := openStore(t, restored)
		if got := names(t, r); !slices.Equal(got, []string{"a"}) {
			t.Errorf("%s holds %q", file, got)
		}
		put(t, r, "c")
	}
	if got := names(t, s); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("the original holds %q", got)
	}
	if err := Backup(t.Context(), t.TempDir(), filepath.Join(out, "x")); err == nil {
		t.Error("a backup of nothing succeeded")
	}
}

// TestReadersDuringWrites has views run beside a writer and each see a whole
// number of its transactions.
func TestReadersDuringWrites(t *testing.T) {
	s, _ := openStore(t, t.TempDir())
	ctx, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for ctx.Err() == nil {
				err := s.View(t.Context(), func(tx *store.Tx) error {
					entries, err := kind.List(tx, scope, store.Page{})
					if err == nil && int64(len(entries)) != 2*tx.Revision() {
						t.Errorf("%d documents at revision %d", len(entries), tx.Revision())
					}
					return err
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := range 50 {
		err := s.Update(t.Context(), func(tx *store.Tx) error {
			return errors.Join(kind.Put(tx, scope, &doc{}, "api", fmt.Sprint("a", i)), kind.Put(tx, scope, &doc{}, "api", fmt.Sprint("b", i)))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	stop()
	readers.Wait()
}

// TestManyRoutesStayLinear makes routes one by one, each with a pin of the new
// revision and without that of the one before, beside a pin that stays, as an
// API with automatic deployment does. What is read, written and kept for one
// must not grow with how many there are.
func TestManyRoutesStayLinear(t *testing.T) {
	s, db := openStore(t, t.TempDir())
	const routes = 300
	took := make([]time.Duration, routes)
	pinned := int64(0)
	for i := range routes {
		start := time.Now()
		err := s.Update(t.Context(), func(tx *store.Tx) error {
			if err := kind.Put(tx, scope, &doc{Name: fmt.Sprint(i)}, "api", "settings"); err != nil {
				return err
			}
			if err := kind.Put(tx, scope, &doc{Name: "route"}, "api", fmt.Sprintf("%05d", i)); err != nil {
				return err
			}
			if i == 10 {
				if err := tx.Pin(scope, "api", tx.Revision()); err != nil {
					return err
				}
			}
			if err := tx.Pin(scope, "api", tx.Revision()); err != nil {
				return err
			}
			if pinned != 0 {
				if err := tx.Unpin(scope, "api", pinned); err != nil {
					return err
				}
			}
			pinned = tx.Revision()
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		took[i] = time.Since(start)
	}
	var kept, pins int
	c := <-db.writer
	err := errors.Join(
		c.sql.QueryRowContext(t.Context(), "SELECT count(*) FROM kept").Scan(&kept),
		c.sql.QueryRowContext(t.Context(), "SELECT count(*) FROM pins").Scan(&pins))
	db.writer <- c
	if err != nil || kept != 1 || pins != 2 {
		t.Errorf("kept %d versions under %d pins, %v; want the one of the pin that stays", kept, pins, err)
	}
	median := func(d []time.Duration) time.Duration { slices.Sort(d); return d[len(d)/2] }
	early, late := median(took[:routes/4]), median(took[3*routes/4:])
	// Generous: the machine may be busy, and growth would be eightfold or more.
	if late > 5*early+5*time.Millisecond {
		t.Errorf("the first took %v each, the last %v", early, late)
	}
}

// TestPlansUseIndexes reads the engine's plans: no statement may walk a table.
func TestPlansUseIndexes(t *testing.T) {
	_, db := openStore(t, t.TempDir())
	c := <-db.writer
	defer func() { db.writer <- c }()
	for _, text := range statements {
		if text == statements[stBegin] || text == statements[stBeginImmediate] || text == statements[stCommit] || text == statements[stRollback] {
			continue
		}
		args := make([]any, strings.Count(text, "?"))
		if strings.Contains(text, "?4") {
			args = make([]any, 4)
		} else if strings.Contains(text, "?3") {
			args = make([]any, 3)
		}
		rows, err := c.sql.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+text, args...)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(detail, "SCAN") || strings.Contains(detail, "TEMP B-TREE") {
				t.Errorf("%s\n: %s", text, detail)
			}
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

func BenchmarkUpdate(b *testing.B) {
	s, _ := openStore(b, b.TempDir())
	var took []time.Duration
	i := 0
	for b.Loop() {
		start := time.Now()
		put(b, s, fmt.Sprint(i))
		took = append(took, time.Since(start))
		i++
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms-p50")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms-p99")
}

func BenchmarkGet(b *testing.B) {
	s, _ := openStore(b, b.TempDir())
	put(b, s, "a")
	b.ReportAllocs()
	for b.Loop() {
		err := s.View(b.Context(), func(tx *store.Tx) error {
			_, err := kind.Get(tx, scope, "api", "a")
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStart opens a store and reads ten documents of each of 1,000 APIs.
func BenchmarkStart(b *testing.B) {
	dir := b.TempDir()
	s, _ := openStore(b, dir)
	err := s.Update(b.Context(), func(tx *store.Tx) error {
		for api := range 1000 {
			for i := range 10 {
				if err := kind.Put(tx, scope, &doc{Name: strings.Repeat("x", 400)}, fmt.Sprint("api", api), fmt.Sprint(i)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s, _ := openStore(b, dir)
		n := 0
		err := s.View(b.Context(), func(tx *store.Tx) error {
			for _, err := range kind.Everywhere(tx) {
				if err != nil {
					return err
				}
				n++
			}
			return nil
		})
		if err := errors.Join(err, s.Close()); err != nil || n != 10_000 {
			b.Fatal(n, err)
		}
	}
}
