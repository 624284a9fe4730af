package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/internal/localca"
)

func TestTrust(t *testing.T) {
	data := t.TempDir()
	if _, _, err := readRoot(data); err == nil || !strings.Contains(err.Error(), "--data") {
		t.Errorf("a directory without an authority: %v", err)
	}
	a, err := localca.Open(localca.Options{Dir: filepath.Join(data, authorityDir)})
	if err != nil {
		t.Fatal(err)
	}
	alone, err := os.ReadFile(a.File())
	if err != nil {
		t.Fatal(err)
	}
	// What somebody put behind it isn't trusted along.
	if err := os.WriteFile(a.File(), append(bytes.Clone(alone), alone...), 0o644); err != nil {
		t.Fatal(err)
	}
	text, root, err := readRoot(data)
	if err != nil || !root.Equal(a.Root()) || !bytes.Equal(text, alone) {
		t.Fatalf("%v, %v, %q", root, err, text)
	}

	dir := t.TempDir()
	called := filepath.Join(dir, "called")
	update := filepath.Join(dir, "update")
	if err := os.WriteFile(update, []byte("#!/bin/sh\necho \"$@\" >> "+called+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	s := trustStore{dir: dir, update: update}
	var out bytes.Buffer
	if err := s.install(t.Context(), &out, text, root); err != nil {
		t.Fatal(err)
	}
	installed, err := os.ReadFile(filepath.Join(dir, trustedName))
	if err != nil || !bytes.Equal(installed, text) || strings.Contains(string(installed), "KEY") {
		t.Errorf("installed %q, %v", installed, err)
	}
	for range 2 { // the second finds nothing
		if err := s.remove(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, trustedName)); err == nil {
		t.Error("not removed")
	}
	if calls, err := os.ReadFile(called); err != nil || string(calls) != "\n--fresh\n" {
		t.Errorf("calls %q, %v", calls, err)
	}
	s.update = filepath.Join(dir, "none")
	if err := s.install(t.Context(), &out, text, root); err == nil || !strings.Contains(err.Error(), "--help") {
		t.Errorf("a system of another kind: %v", err)
	}
}
