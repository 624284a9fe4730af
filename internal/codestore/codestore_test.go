package codestore_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/internal/codestore"
)

type file struct {
	name string
	mode fs.FileMode
	body string
}

func pack(t testing.TB, files ...file) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		h := &zip.FileHeader{Name: f.name, Method: zip.Deflate}
		h.SetMode(f.mode)
		fw, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(fw, f.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func open(t testing.TB, opts codestore.Options) (*codestore.Store, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "code")
	s, err := codestore.Open(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// Unpacked directories can't be emptied by the test's own clean-up.
		_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				return os.Chmod(path, 0o700)
			}
			return err
		})
	})
	return s, dir
}

func TestPutAndUnpack(t *testing.T) {
	s, _ := open(t, codestore.Options{})
	zipped := pack(t,
		file{"index.js", 0o644, "exports.handler = 1"},
		file{"bin/", fs.ModeDir | 0o700, ""},
		file{"bin/run", 0o755, "#!/bin/sh"},
		file{"deep/er/data", 0o600, "x"},
		file{"deep/link", fs.ModeSymlink | 0o777, "../bin/run"},
	)
	stored, err := s.PutBytes(zipped)
	if err != nil {
		t.Fatal(err)
	}
	if stored.ArchiveBytes != int64(len(zipped)) || stored.UnzippedBytes != 29 {
		t.Errorf("stored = %+v", stored)
	}
	again, err := s.PutBytes(zipped)
	if err != nil || again != stored {
		t.Errorf("the same again = %+v, %v", again, err)
	}
	f, err := s.Open(stored.Hash)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(f)
	if err := errors.Join(err, f.Close()); err != nil || !bytes.Equal(got, zipped) {
		t.Errorf("Open gave %d bytes, %v", len(got), err)
	}

	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, err := s.Unpacked(t.Context(), stored.Hash); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	dir, err := s.Unpacked(t.Context(), stored.Hash)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"index.js": "-r--r--r-- exports.handler = 1", "bin/run": "-r-xr-xr-x #!/bin/sh",
		"deep/er/data": "-r--r--r-- x", "deep/link": "-r-xr-xr-x #!/bin/sh", "bin": "dr-xr-xr-x", ".": "drwxr-xr-x",
	} {
		path := filepath.Join(dir, name)
		info, err := os.Stat(path)
		if err != nil {
			t.Error(err)
			continue
		}
		got := info.Mode().String()
		if !info.IsDir() {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Error(err)
			}
			got += " " + string(b)
		}
		if got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if _, err := s.Unpacked(t.Context(), codestore.Hash{}); !errors.Is(err, codestore.ErrNotFound) {
		t.Errorf("Unpacked of nothing = %v", err)
	}
}

func TestRefused(t *testing.T) {
	link := fs.ModeSymlink | 0o777
	limits := codestore.Limits{ArchiveBytes: 1 << 20, UnzippedBytes: 100_000, Entries: 20}
	many := make([]file, 21)
	for i := range many {
		many[i] = file{fmt.Sprint(i), 0o644, "x"}
	}
	for _, test := range []struct {
		name  string
		files []file
		want  codestore.Reason
	}{
		{"parent", []file{{"../x", 0o644, "x"}}, codestore.UnsafeName},
		{"parent inside", []file{{"a/../../x", 0o644, "x"}}, codestore.UnsafeName},
		{"parent that stays inside", []file{{"a/../x", 0o644, "x"}}, codestore.UnsafeName},
		{"absolute", []file{{"/etc/x", 0o644, "x"}}, codestore.UnsafeName},
		{"backslash", []file{{`..\x`, 0o644, "x"}}, codestore.UnsafeName},
		{"zero byte", []file{{"a\x00b", 0o644, "x"}}, codestore.UnsafeName},
		{"only a dot", []file{{".", 0o644, "x"}}, codestore.UnsafeName},
		{"long name", []file{{strings.Repeat("a", 256), 0o644, "x"}}, codestore.UnsafeName},
		{"absolute link", []file{{"l", link, "/etc/passwd"}}, codestore.UnsafeLink},
		{"link to the outside", []file{{"a/l", link, "../../x"}}, codestore.UnsafeLink},
		{"link to the parent", []file{{"l", link, ".."}}, codestore.UnsafeLink},
		{"empty link", []file{{"l", link, ""}}, codestore.UnsafeLink},
		{"link out and in", []file{{"l", link, "../here/x"}}, codestore.UnsafeLink},
		{"link through a link", []file{{"a/b/c", 0o644, ""}, {"d", link, "a/b"}, {"l", link, "d/../../x"}}, codestore.UnsafeLink},
		{"file through a link", []file{{"a", link, "b"}, {"a/x", 0o644, "x"}}, codestore.DuplicateName},
		{"link over a directory", []file{{"a/x", 0o644, "x"}, {"a", link, "b"}}, codestore.DuplicateName},
		{"same name", []file{{"a", 0o644, "x"}, {"a", 0o644, "y"}}, codestore.DuplicateName},
		{"same name spelled otherwise", []file{{"a", 0o644, "x"}, {"./a", 0o644, "y"}}, codestore.DuplicateName},
		{"file and directory", []file{{"a", 0o644, "x"}, {"a/b", 0o644, "y"}}, codestore.DuplicateName},
		{"device", []file{{"d", fs.ModeDevice | 0o644, ""}}, codestore.UnsupportedEntry},
		{"pipe", []file{{"p", fs.ModeNamedPipe | 0o644, ""}}, codestore.UnsupportedEntry},
		{"no files", nil, codestore.Empty},
		{"only directories", []file{{"a/", fs.ModeDir | 0o755, ""}}, codestore.Empty},
		{"many entries", many, codestore.TooManyEntries},
		{"many directories", []file{{strings.Repeat("d/", 21) + "x", 0o644, "x"}}, codestore.TooManyEntries},
		{"bomb", []file{{"zeros", 0o644, strings.Repeat("\x00", 100_001)}}, codestore.TooLargeUnzipped},
		{"bomb in parts", []file{{"a", 0o644, strings.Repeat("0", 60_000)}, {"b", 0o644, strings.Repeat("0", 60_000)}}, codestore.TooLargeUnzipped},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, dir := open(t, codestore.Options{Limits: limits})
			_, err := s.PutBytes(pack(t, test.files...))
			var refused *codestore.ArchiveError
			if !errors.As(err, &refused) || refused.Reason != test.want {
				t.Errorf("Put = %v, want %q", err, test.want)
			}
			left, err := filepath.Glob(filepath.Join(dir, "*", "*.zip"))
			if len(left) != 0 || err != nil {
				t.Errorf("left behind: %q, %v", left, err)
			}
		})
	}
}

// central is where the directory record of the first entry begins.
func central(t *testing.T, b []byte) int {
	t.Helper()
	at := bytes.Index(b, []byte("PK\x01\x02"))
	if at < 0 {
		t.Fatal("no directory")
	}
	return at
}

func TestRefusedBytes(t *testing.T) {
	good := pack(t, file{"a", 0o644, strings.Repeat("hello ", 1000)})
	const crcOffset, sizeOffset, flagsOffset, methodOffset = 16, 24, 8, 10
	for _, test := range []struct {
		name string
		edit func(b []byte) []byte
		want codestore.Reason
	}{
		{"empty", func([]byte) []byte { return nil }, codestore.NotAZip},
		{"text", func([]byte) []byte { return []byte("export const handler = 1") }, codestore.NotAZip},
		{"cut", func(b []byte) []byte { return b[:len(b)-10] }, codestore.NotAZip},
		{"bad checksum", func(b []byte) []byte { b[central(t, b)+crcOffset] ^= 1; return b }, codestore.BadContent},
		{"encrypted", func(b []byte) []byte { b[central(t, b)+flagsOffset] |= 1; return b }, codestore.BadContent},
		{"unknown method", func(b []byte) []byte { b[central(t, b)+methodOffset] = 99; return b }, codestore.BadContent},
		{"declared too small", func(b []byte) []byte {
			binary.LittleEndian.PutUint32(b[central(t, b)+sizeOffset:], 10)
			return b
		}, codestore.BadContent},
		{"declared huge", func(b []byte) []byte {
			binary.LittleEndian.PutUint32(b[central(t, b)+sizeOffset:], 0xfffffffe)
			return b
		}, codestore.TooLargeUnzipped},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, _ := open(t, codestore.Options{})
			_, err := s.PutBytes(test.edit(bytes.Clone(good)))
			var refused *codestore.ArchiveError
			if !errors.As(err, &refused) || refused.Reason != test.want {
				t.Errorf("Put = %v, want %q", err, test.want)
			}
		})
	}
	s, _ := open(t, codestore.Options{Limits: codestore.Limits{ArchiveBytes: 10, UnzippedBytes: 10, Entries: 10}})
	if _, err := s.PutBytes(good); !errors.Is(err, codestore.ErrTooLarge) {
		t.Errorf("a large archive: %v", err)
	}
}

func TestDamagedArchive(t *testing.T) {
	s, dir := open(t, codestore.Options{})
	stored, err := s.PutBytes(pack(t, file{"a", 0o644, "x"}))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "archives", stored.Hash.String()+".zip")
	if err := os.WriteFile(path, pack(t, file{"a", 0o644, "y"}), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Unpacked(t.Context(), stored.Hash); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("Unpacked = %v", err)
	}
}

func TestReopen(t *testing.T) {
	s, dir := open(t, codestore.Options{})
	stored, err := s.PutBytes(pack(t, file{"d/a", 0o644, "x"}))
	if err != nil {
		t.Fatal(err)
	}
	before, err := s.Unpacked(t.Context(), stored.Hash)
	if err != nil {
		t.Fatal(err)
	}
	// What a killed process may leave: an archive and a sealed tree, half made.
	half := filepath.Join(dir, "tmp", "unpack-1", "d")
	if err := os.MkdirAll(half, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(half, 0o555); err != nil {
		t.Fatal(err)
	}
	if s, err = codestore.Open(dir, codestore.Options{}); err != nil {
		t.Fatal(err)
	}
	after, err := s.Unpacked(t.Context(), stored.Hash)
	if err != nil || after != before {
		t.Errorf("Unpacked = %q, %v; want %q", after, err, before)
	}
	if _, err := os.Stat(half); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the half-made tree: %v", err)
	}
}

func TestCollect(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	s, dir := open(t, codestore.Options{Now: func() time.Time { return now }})
	var stored []codestore.Stored
	for _, body := range []string{"used", "unused", "young"} {
		if body == "young" {
			now = now.Add(2 * time.Hour)
		}
		st, err := s.PutBytes(pack(t, file{"d/a", 0o644, body}))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Unpacked(t.Context(), st.Hash); err != nil {
			t.Fatal(err)
		}
		stored = append(stored, st)
	}
	if err := os.MkdirAll(filepath.Join(dir, "unpacked", "earlier-boot", "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	removed, err := s.Collect(func(h codestore.Hash) bool { return h == stored[0].Hash })
	if err != nil || removed != 1 {
		t.Errorf("Collect = %d, %v", removed, err)
	}
	for i, want := range []error{nil, codestore.ErrNotFound, nil} {
		if _, err := s.Unpacked(t.Context(), stored[i].Hash); !errors.Is(err, want) {
			t.Errorf("%d: %v, want %v", i, err, want)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "unpacked", "earlier-boot")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("trees of an earlier boot: %v", err)
	}
	// Stored anew, the old code is young again.
	if _, err := s.PutBytes(pack(t, file{"d/a", 0o644, "unused"})); err != nil {
		t.Fatal(err)
	}
	if removed, err = s.Collect(func(codestore.Hash) bool { return false }); err != nil || removed != 1 {
		t.Errorf("Collect = %d, %v", removed, err)
	}
}

func TestParseHash(t *testing.T) {
	h := codestore.Hash{1, 2, 0xff}
	for _, text := range []string{h.String(), h.Base64()} {
		if got, err := codestore.ParseHash(text); err != nil || got != h {
			t.Errorf("ParseHash(%q) = %v, %v", text, got, err)
		}
	}
	if _, err := codestore.ParseHash("../../etc"); err == nil {
		t.Error("ParseHash took nonsense")
	}
}

// FuzzArchive asks that whatever is in an archive, nothing appears outside the
// directory, nothing in it is writable or leads out, and the limit holds.
func FuzzArchive(f *testing.F) {
	f.Add(pack(f, file{"a/b", 0o755, "x"}, file{"l", fs.ModeSymlink | 0o777, "a/b"}))
	f.Add(pack(f, file{"../x", 0o644, "x"}))
	f.Add(pack(f, file{"l", fs.ModeSymlink | 0o777, "../x"}, file{"l/x", 0o644, "x"}))
	f.Add([]byte("PK\x05\x06"))
	limits := codestore.Limits{ArchiveBytes: 1 << 16, UnzippedBytes: 1 << 16, Entries: 50}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, dir := open(t, codestore.Options{Limits: limits})
		stored, err := s.PutBytes(b)
		if err != nil {
			var refused *codestore.ArchiveError
			if !errors.As(err, &refused) && !errors.Is(err, codestore.ErrTooLarge) {
				t.Fatalf("an error of ours: %v", err)
			}
			return
		}
		tree, err := s.Unpacked(t.Context(), stored.Hash)
		if err != nil {
			t.Fatalf("stored but not unpacked: %v", err)
		}
		var size int64
		err = filepath.WalkDir(tree, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			switch {
			case d.Type().IsRegular():
				size += info.Size()
			case d.Type() == fs.ModeSymlink:
				target, err := filepath.EvalSymlinks(path)
				if err == nil && !strings.HasPrefix(target+"/", tree+"/") {
					t.Errorf("%s leads to %s", path, target)
				}
			}
			return nil
		})
		if err != nil || size != stored.UnzippedBytes || size > limits.UnzippedBytes {
			t.Errorf("unpacked %d bytes, stored says %d, %v", size, stored.UnzippedBytes, err)
		}
		outside, err := filepath.Glob(filepath.Join(filepath.Dir(dir), "*"))
		if err != nil || len(outside) != 1 {
			t.Errorf("outside: %q, %v", outside, err)
		}
	})
}
