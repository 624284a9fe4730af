//go:build !unix

package main

import "math"

// maxDescriptors is how many files and sockets the process may have open.
func maxDescriptors() uint64 { return math.MaxUint64 }
