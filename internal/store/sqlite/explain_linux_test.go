package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"gatehouse/internal/store"
)

// smallDisk is a file system of a size in KiB, for who may mount one.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+size+"k"); err != nil {
		t.Skipf("needs the right to mount: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill leaves some bytes of a disk free.
func fill(t *testing.T, disk string, free int64) (file string) {
	t.Helper()
	var s unix.Statfs_t
	if err := unix.Statfs(disk, &s); err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(disk, "fill")
	if err := os.WriteFile(file, make([]byte, int64(s.Bavail)*s.Bsize-free), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestFullDisk(t *testing.T) {
	wantFull := func(t *testing.T, err error) {
		t.Helper()
		var disk *DiskError
		switch {
		case errors.Is(err, syscall.ENOSPC) && strings.Contains(err.Error(), lockName), errors.Is(err, syscall.ENOSPC) && strings.Contains(err.Error(), "make data directory"):
		case !errors.As(err, &disk) || disk.Trouble != full:
			t.Errorf("%v", err)
		}
	}
	// However little room there is, it is what a start fails by.
	for _, free := range []int64{0, 4 << 10, 8 << 10, 16 << 10, 24 << 10, 32 << 10} {
		disk := smallDisk(t, "1024")
		file := fill(t, disk, free)
		dir := filepath.Join(disk, "data")
		if _, err := Open(t.Context(), dir); err == nil {
			t.Fatalf("%d bytes were enough", free)
		} else {
			wantFull(t, err)
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		db, err := Open(t.Context(), dir)
		if err != nil {
			t.Fatalf("with room again: %v", err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
	disk := smallDisk(t, "4096")
	s, _ := openStore(t, filepath.Join(disk, "data"))
	put(t, s, "before")
	file := fill(t, disk, 0)
	for range 3 {
		wantFull(t, s.Update(t.Context(), func(tx *store.Tx) error {
			return kind.Put(tx, scope, &doc{Name: strings.Repeat("x", 100_000)}, "api", "x")
		}))
		if got := names(t, s); len(got) != 1 || got[0] != "before" {
			t.Errorf("there is %q", got)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	put(t, s, "after")
}

func TestReadOnlyDisk(t *testing.T) {
	disk := smallDisk(t, "4096")
	db, err := Open(t.Context(), disk)
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("", disk, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), disk); !errors.Is(err, syscall.EROFS) {
		t.Errorf("%v", err)
	}
	var e *DiskError
	if _, err := open(t.Context(), filepath.Join(disk, FileName)); !errors.As(err, &e) || e.Trouble != readOnly {
		t.Errorf("%v", err)
	}
}
