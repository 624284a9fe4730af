package main

import (
	"fmt"
	"os"
	"strings"
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
