// Command coverage writes docs/COVERAGE.md: for every operation of every AWS
// service here, whether it is implemented. It reads the service models in
// schema/, the methods declared in internal/control/<service>, and
// docs/coverage-stored.yaml, the list kept by hand of settings that are stored
// and shown but don't act yet.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

//go:generate go run gatehouse/tools/coverage

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "coverage:", err)
		os.Exit(1)
	}
}

func run() error {
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	page, err := write(root)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, pageFile), page, 0o644)
}

// moduleRoot finds the folder of go.mod, since go generate starts in a package.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("no go.mod above the working directory")
		}
		dir = parent
	}
}
