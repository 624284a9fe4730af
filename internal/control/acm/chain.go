package acm

import (
	"crypto/sha256"
	"encoding/pem"
	"runtime"
	"sync"
	"weak"
)

// A chain are the certificates above another's, in DER. It is shared by all that
// have it, and never written to.
type chain struct{ ders [][]byte }

// chains finds the chains that are in use: ten thousand certificates may have few
// between them.
type chains struct {
	known sync.Map // SHA-256 of the PEM → weak.Pointer[chain]
}

// of returns the chain of a PEM text.
func (c *chains) of(text string) *chain {
	sum := sha256.Sum256([]byte(text))
	if known, ok := c.known.Load(sum); ok {
		if same := known.(weak.Pointer[chain]).Value(); same != nil {
			return same
		}
	}
	made := &chain{}
	for block, rest := pem.Decode([]byte(text)); block != nil; block, rest = pem.Decode(rest) {
		made.ders = append(made.ders, block.Bytes)
	}
	pointer := weak.Make(made)
	c.known.Store(sum, pointer)
	runtime.AddCleanup(made, func(sum [sha256.Size]byte) { c.known.CompareAndDelete(sum, pointer) }, sum)
	return made
}
