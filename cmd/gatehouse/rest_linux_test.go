package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

// residentOfFiles is how much of files is resident, in kB.
func residentOfFiles(t *testing.T) (kb int) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "\nRssFile:")
	if _, err := fmt.Sscan(after, &kb); err != nil {
		t.Fatal(err)
	}
	return kb
}

// The program runs on with less of it in memory.
func TestRest(t *testing.T) {
	before := residentOfFiles(t)
	if err := rest(); err != nil {
		t.Fatal(err)
	}
	if after := residentOfFiles(t); after > before*3/4 {
		t.Errorf("%d kB of files are resident, %d before", after, before)
	}
}

// A part of the program that was changed after it was loaded stays as it is, though
// it can't be written to any more: the loader leaves such in a program built with
// -buildmode=pie.
func TestRestKeepsWhatWasChanged(t *testing.T) {
	program, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close() //nolint:errcheck // only read
	part, err := syscall.Mmap(int(program.Fd()), 0, 1<<16, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Munmap(part) //nolint:errcheck // the process ends
	part[1<<15] ^= 0xff
	want := part[1<<15]
	if err := syscall.Mprotect(part, syscall.PROT_READ); err != nil {
		t.Fatal(err)
	}
	if err := rest(); err != nil {
		t.Fatal(err)
	}
	if part[1<<15] != want {
		t.Error("what was changed is as it is in the file")
	}
}
