package nameserver

import (
	"hash/maphash"
	"net/netip"
	"sync/atomic"
	"time"
)

// What networks are told over UDP within a time. The sender of a question can be
// forged, so answers may go to somebody who never asked. A resolver asks again
// only when the time to live is over: what is beyond these rates isn't one's, and
// if it is after all, it is led to TCP, where nobody can be forged.
const (
	// sameRate is how many answers of one kind a network gets in a second, those
	// from one name or those that deny names of one zone; sameBurst is how many
	// may come at once.
	sameRate, sameBurst = 20, 100
	// anyRate and anyBurst are those of all answers together.
	anyRate, anyBurst = 250, 1000
	// sameCells and anyCells are how many counts are kept of both, 8 bytes each:
	// many more than there are networks with questions in a burst's time.
	sameCells, anyCells = 1 << 16, 1 << 14
	// maxPerNetwork is how many TCP connections a network may have open.
	maxPerNetwork = 16
)

// A limiter counts what networks are told. It takes no lock and its size is
// fixed: counts share cells by chance, which a sender can't aim at.
type limiter struct {
	clock func() time.Time
	seed  maphash.Seed
	// The cells hold until when, in Unix nanoseconds, the rate of what is counted
	// there is used up.
	same [sameCells]atomic.Int64
	all  [anyCells]atomic.Int64
	// refused counts what wasn't answered: of two, one is told to use TCP.
	refused atomic.Uint32
}

func newLimiter(clock func() time.Time) *limiter {
	return &limiter{clock: clock, seed: maphash.MakeSeed()}
}

// A verdict says what becomes of an answer.
type verdict uint8

const (
	send verdict = iota
	// slip sends an empty answer that leads to TCP. It is no longer than the
	// question, so that forging one gains nothing.
	slip
	drop
)

// judge counts an answer to a client. from is the name that it comes from or, if
// it denies, the zone's.
func (l *limiter) judge(client netip.Addr, from string, denies bool) verdict {
	if client.IsLoopback() {
		return send // no stranger is one, nor can forge one
	}
	same, all := l.cells(networkOf(client), from, denies)
	if now := l.clock().UnixNano(); take(same, now, sameRate, sameBurst) && take(all, now, anyRate, anyBurst) {
		return send
	}
	if l.refused.Add(1)%2 == 0 {
		return slip
	}
	return drop
}

// cells are where an answer is counted.
func (l *limiter) cells(network [16]byte, from string, denies bool) (same, all *atomic.Int64) {
	var h maphash.Hash
	h.SetSeed(l.seed)
	_, _ = h.Write(network[:]) // never fails, as below
	all = &l.all[h.Sum64()%anyCells]
	if denies {
		_ = h.WriteByte(0)
	}
	_, _ = h.WriteString(from)
	return &l.same[h.Sum64()%sameCells], all
}

// networkOf is the network of a client, as whose one it counts: whoever has an
// address usually has its neighbours too.
func networkOf(client netip.Addr) [16]byte {
	bits := 24
	if client.Is6() {
		bits = 56
	}
	prefix, err := client.Prefix(bits)
	if err != nil {
		return [16]byte{} // no address; all of them are one network
	}
	return prefix.Addr().As16()
}

// take counts one more in a cell, unless that is beyond rate a second and burst
// at once.
func take(cell *atomic.Int64, now, rate, burst int64) bool {
	each := int64(time.Second) / rate
	for {
		until := cell.Load()
		next := max(until, now) + each
		if next-now > burst*each {
			return false
		}
		if cell.CompareAndSwap(until, next) {
			return true
		}
	}
}
