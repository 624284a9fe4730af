//go:build unix

package main

import (
	"math"
	"syscall"
)

// maxDescriptors is how many files and sockets the process may have open.
func maxDescriptors() uint64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return math.MaxUint64
	}
	return uint64(limit.Cur) //nolint:unconvert // signed on some systems
}
