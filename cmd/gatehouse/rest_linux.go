package main

import (
	"bufio"
	"errors"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
)

// rest gives back what only a start needs. Reading what is stored leaves as much
// garbage again, and initializing touches most of the program: three quarters of
// what is resident of an empty gateway are pages of its executable that may never
// be run or read again. The kernel keeps them in its cache, and whatever is needed
// is there again at the first touch.
func rest() error {
	debug.FreeOSMemory()
	executable, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return err
	}
	maps, err := os.Open("/proc/self/smaps")
	if err != nil {
		return err
	}
	defer maps.Close() //nolint:errcheck // only read
	var errs []error
	var from, to uint64 // of a part of the program, or nothing
	lines := bufio.NewScanner(maps)
	for lines.Scan() {
		// "00400000-01618000 r-xp 00000000 fe:00 10281745   /usr/bin/gatehouse",
		// then lines as "Rss:   4 kB" of it
		line := lines.Text()
		fields := strings.Fields(line)
		if len(fields) > 1 && !strings.HasSuffix(fields[0], ":") {
			from, to = 0, 0
			if !strings.Contains(fields[1], "w") && strings.HasSuffix(line, " "+executable) {
				first, last, _ := strings.Cut(fields[0], "-")
				var errFrom, errTo error
				from, errFrom = strconv.ParseUint(first, 16, 64)
				to, errTo = strconv.ParseUint(last, 16, 64)
				errs = append(errs, errFrom, errTo)
			}
			continue
		}
		// What was written to isn't in the file: the addresses in a program that may
		// be loaded anywhere are, before that part becomes read-only.
		if from == to || len(fields) != 3 || fields[0] != "Anonymous:" || fields[1] != "0" {
			continue
		}
		if _, _, errno := syscall.Syscall(syscall.SYS_MADVISE, uintptr(from), uintptr(to-from), syscall.MADV_DONTNEED); errno != 0 {
			errs = append(errs, errno)
		}
	}
	return errors.Join(append(errs, lines.Err())...)
}
