//go:build !linux

package main

import "runtime/debug"

// rest gives back the garbage of a start.
func rest() error {
	debug.FreeOSMemory()
	return nil
}
