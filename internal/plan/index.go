package plan

import (
	"iter"
	"math/bits"
	"slices"
)

// An index is a persistent map from names to values: a hash trie of 32-way
// branches whose edits copy only the branches on one name's way. Its zero value
// is empty.
type index[V any] struct {
	root branch[V]
	size int
}

// A branch holds the slots whose bits are set in bitmap, in their order. At
// lastShift, where the hash is used up, it is a plain list.
type branch[V any] struct {
	bitmap uint32
	slots  []slot[V]
}

// A slot is a name with its value, or a branch.
type slot[V any] struct {
	name  string
	value V
	sub   *branch[V]
}

const (
	bitsPerBranch = 5
	lastShift     = 60
)

// hash is FNV-1a. Names are chosen by owners of APIs, who could only slow
// down themselves.
func hash(name string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return h
}

// find returns the slot of a hash at shift and whether it is there.
func (b *branch[V]) find(h uint64, shift uint, name string) (int, bool) {
	if shift == lastShift {
		i := slices.IndexFunc(b.slots, func(s slot[V]) bool { return s.name == name })
		if i < 0 {
			return len(b.slots), false
		}
		return i, true
	}
	bit := uint32(1) << (h >> shift & 31)
	return bits.OnesCount32(b.bitmap & (bit - 1)), b.bitmap&bit != 0
}

func (x *index[V]) get(name string) (value V, ok bool) {
	h, b := hash(name), &x.root
	for shift := uint(0); ; shift += bitsPerBranch {
		i, found := b.find(h, shift, name)
		if !found {
			return value, false
		}
		s := &b.slots[i]
		if s.sub == nil {
			if s.name != name {
				return value, false
			}
			return s.value, true
		}
		b = s.sub
	}
}

// with returns the index with the value under the name.
func (x *index[V]) with(name string, value V) index[V] {
	root, added := x.root.with(hash(name), 0, slot[V]{name: name, value: value})
	size := x.size
	if added {
		size++
	}
	return index[V]{root, size}
}

func (b *branch[V]) with(h uint64, shift uint, leaf slot[V]) (branch[V], bool) {
	i, found := b.find(h, shift, leaf.name)
	if !found {
		next := branch[V]{b.bitmap | 1<<(h>>shift&31), slices.Insert(slices.Clip(b.slots), i, leaf)}
		return next, true
	}
	next := branch[V]{b.bitmap, slices.Clone(b.slots)}
	s := &next.slots[i]
	if s.sub == nil && s.name == leaf.name {
		*s = leaf
		return next, false
	}
	var sub branch[V]
	if s.sub == nil {
		sub, _ = sub.with(hash(s.name), shift+bitsPerBranch, *s)
	} else {
		sub = *s.sub
	}
	sub, added := sub.with(h, shift+bitsPerBranch, leaf)
	*s = slot[V]{sub: &sub}
	return next, added
}

// without returns the index without the name.
func (x *index[V]) without(name string) index[V] {
	root, removed := x.root.without(hash(name), 0, name)
	if !removed {
		return *x
	}
	return index[V]{root, x.size - 1}
}

func (b *branch[V]) without(h uint64, shift uint, name string) (branch[V], bool) {
	i, found := b.find(h, shift, name)
	if !found {
		return *b, false
	}
	s := b.slots[i]
	if s.sub == nil {
		if s.name != name {
			return *b, false
		}
		next := branch[V]{b.bitmap &^ (1 << (h >> shift & 31)), slices.Delete(slices.Clone(b.slots), i, i+1)}
		return next, true
	}
	sub, removed := s.sub.without(h, shift+bitsPerBranch, name)
	if !removed {
		return *b, false
	}
	next := branch[V]{b.bitmap, slices.Clone(b.slots)}
	// A branch with one name left gives way to it. It is never empty, since it
	// was made for two.
	if len(sub.slots) == 1 && sub.slots[0].sub == nil {
		next.slots[i] = sub.slots[0]
	} else {
		next.slots[i] = slot[V]{sub: &sub}
	}
	return next, true
}

// all yields every value, in no particular order.
func (x *index[V]) all() iter.Seq[V] {
	return func(yield func(V) bool) { x.root.each(yield) }
}

func (b *branch[V]) each(yield func(V) bool) bool {
	for i := range b.slots {
		s := &b.slots[i]
		if s.sub != nil && !s.sub.each(yield) || s.sub == nil && !yield(s.value) {
			return false
		}
	}
	return true
}
