package model

import (
	"bytes"
	"hash/maphash"
)

// fewElements is up to how many values are compared each with each.
const fewElements = 8

// equal compares two values: numbers by what they amount to, objects without
// regard to order.
func equal(a *document, i int, b *document, j int) bool {
	v, w := &a.values[i], &b.values[j]
	switch v.kind {
	case integerKind, numberKind:
		return (w.kind == integerKind || w.kind == numberKind) && parseDecimal(a.raw(i)).compare(parseDecimal(b.raw(j))) == 0
	case stringKind:
		return w.kind == stringKind && bytes.Equal(a.str(i), b.str(j))
	case arrayKind:
		return w.kind == arrayKind && v.count == w.count && equalArrays(a, i, b, j)
	case objectKind:
		return w.kind == objectKind && v.count == w.count && equalObjects(a, i, b, j)
	default:
		return v.kind == w.kind
	}
}

func equalArrays(a *document, i int, b *document, j int) bool {
	end := int(a.values[i].next)
	for i, j = i+1, j+1; i < end; i, j = int(a.values[i].next), int(b.values[j].next) {
		if !equal(a, i, b, j) {
			return false
		}
	}
	return true
}

// equalObjects compares objects of as many members.
func equalObjects(a *document, i int, b *document, j int) bool {
	var index map[string]int
	if b.values[j].count > fewElements {
		index = make(map[string]int, b.values[j].count)
		for k := j + 1; k < int(b.values[j].next); k = int(b.values[k+1].next) {
			index[string(b.str(k))] = k + 1
		}
	}
	end := int(a.values[i].next)
	for k := i + 1; k < end; k = int(a.values[k+1].next) {
		name := a.str(k)
		other, found := 0, false
		if index != nil {
			other, found = index[string(name)]
		} else {
			other, found = b.member(j, name)
		}
		if !found || !equal(a, k+1, b, other) {
			return false
		}
	}
	return true
}

// member finds the last member of a name.
func (d *document) member(i int, name []byte) (at int, found bool) {
	for k := i + 1; k < int(d.values[i].next); k = int(d.values[k+1].next) {
		if bytes.Equal(d.str(k), name) {
			at, found = k+1, true
		}
	}
	return at, found
}

// unique tells whether the elements of an array differ from each other.
func (d *document) unique(i int, seed maphash.Seed) bool {
	end := int(d.values[i].next)
	if d.values[i].count <= fewElements {
		for j := i + 1; j < end; j = int(d.values[j].next) {
			for k := int(d.values[j].next); k < end; k = int(d.values[k].next) {
				if equal(d, j, d, k) {
					return false
				}
			}
		}
		return true
	}
	// Only values of one hash can be equal. The seed is ours, so that nobody can
	// choose many that have one and aren't.
	seen := make(map[uint64]int, d.values[i].count)
	for j := i + 1; j < end; j = int(d.values[j].next) {
		h := d.hash(j, seed)
		for {
			k, taken := seen[h]
			if !taken {
				seen[h] = j
				break
			}
			if equal(d, j, d, k) {
				return false
			}
			h++
		}
	}
	return true
}

// hash is the same for equal values.
func (d *document) hash(i int, seed maphash.Seed) uint64 {
	v := &d.values[i]
	switch v.kind {
	case integerKind, numberKind:
		n := parseDecimal(d.raw(i)).spread()
		return maphash.Comparable(seed, numberHash{n.negative, n.exponent, maphash.Bytes(seed, n.digits)})
	case stringKind:
		return maphash.Bytes(seed, d.str(i))
	case arrayKind:
		h := uint64(v.count)
		for j := i + 1; j < int(v.next); j = int(d.values[j].next) {
			h = maphash.Comparable(seed, [2]uint64{h, d.hash(j, seed)})
		}
		return h
	case objectKind:
		h := uint64(0)
		for k := i + 1; k < int(v.next); k = int(d.values[k+1].next) {
			h += maphash.Comparable(seed, [2]uint64{maphash.Bytes(seed, d.str(k)), d.hash(k+1, seed)})
		}
		return maphash.Comparable(seed, [2]uint64{h, uint64(objectKind)})
	default:
		return uint64(v.kind)
	}
}

type numberHash struct {
	negative bool
	exponent int
	digits   uint64
}
