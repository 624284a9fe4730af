package tree

import (
	"maps"
	"slices"
	"strconv"
)

// NewObject returns an object without members.
func NewObject() Node { return Node{Kind: Object} }

// NewList returns a list of values.
func NewList(items ...Node) Node {
	n := Node{Kind: List}
	for _, item := range items {
		n.Add("", item)
	}
	return n
}

// NewText returns a string.
func NewText(s string) Node { return Node{Kind: Text, Scalar: s} }

// NewBool returns a boolean.
func NewBool(b bool) Node { return Node{Kind: Boolean, Scalar: strconv.FormatBool(b)} }

// NewTexts returns an object of strings, sorted by key.
func NewTexts(m map[string]string) Node {
	n := NewObject()
	for _, key := range slices.Sorted(maps.Keys(m)) {
		n.Add(key, NewText(m[key]))
	}
	return n
}

// Add puts a value at the end of an object, or with no key of a list.
func (n *Node) Add(key string, value Node) { n.Members = append(n.Members, Member{key, value}) }

// AddText adds a string that is there.
func (n *Node) AddText(key string, s *string) {
	if s != nil {
		n.Add(key, NewText(*s))
	}
}

// AddNumber adds a number that is there.
func (n *Node) AddNumber(key string, i *int32) {
	if i != nil {
		n.Add(key, Node{Kind: Number, Scalar: strconv.Itoa(int(*i))})
	}
}

// AddTexts adds a list of strings that isn't empty.
func (n *Node) AddTexts(key string, all []string) {
	if len(all) == 0 {
		return
	}
	items := NewList()
	for _, s := range all {
		items.Add("", NewText(s))
	}
	n.Add(key, items)
}
