package main

import (
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"gatehouse/internal/store/sqlite"
)

// Why the gateway doesn't start says what to do about its disk, once.
func TestAdvised(t *testing.T) {
	for _, test := range []struct {
		err    error
		advice string // "" for none
	}{
		{&fs.PathError{Op: "write", Path: "/d/runtime/x", Err: syscall.ENOSPC}, ": make room on the disk of /d, or choose another directory with --data"},
		{&fs.PathError{Op: "open", Path: "/d/gatehouse.lock", Err: syscall.EROFS}, ": mount what /d lies on for writing, or choose another directory with --data"},
		{fmt.Errorf("open: %w", &sqlite.DiskError{Path: "/d/x", Trouble: "is full", Remedy: "make room", Err: syscall.ENOSPC}), ""},
		{&fs.PathError{Op: "open", Path: "/d/x", Err: syscall.EACCES}, ""},
	} {
		got := advised(test.err, "/d").Error()
		if advice := strings.TrimPrefix(got, test.err.Error()); advice != test.advice {
			t.Errorf("%s", got)
		}
	}
}
