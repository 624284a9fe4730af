package rest

import (
	"strconv"
	"strings"

	"gatehouse/internal/openapi/tree"
)

// is tells whether a value is of a type, and notes the error when it is of
// another; one that isn't there, or null, is no error.
func (r *reader) is(n *tree.Node, want tree.Kind, where ...string) bool {
	if n == nil || n.Kind == tree.Null {
		return false
	}
	if n.Kind != want {
		r.issue(append(where, " is not of type `", want.String(), "`")...)
		return false
	}
	return true
}

// string returns a member that is any scalar, nil when it isn't there.
func (r *reader) string(n *tree.Node, key, where string) *string {
	m := n.Get(key)
	if m == nil || m.Kind == tree.Null {
		return nil
	}
	s, ok := m.Str()
	if !ok {
		r.issue(where, ".", key, " is not of type `string`")
		return nil
	}
	return &s
}

// upper is string for a name that AWS spells in capitals and exports in small
// letters.
func (r *reader) upper(n *tree.Node, key, where string) *string {
	s := r.string(n, key, where)
	if s == nil {
		return nil
	}
	return new(strings.ToUpper(*s))
}

func (r *reader) bool(n *tree.Node, key, where string) *bool {
	s := r.string(n, key, where)
	if s == nil {
		return nil
	}
	b, err := strconv.ParseBool(*s)
	if err != nil {
		r.issue(where, ".", key, " is not of type `boolean`")
		return nil
	}
	return &b
}

func (r *reader) int(n *tree.Node, key, where string) *int32 {
	s := r.string(n, key, where)
	if s == nil {
		return nil
	}
	i, err := strconv.ParseInt(*s, 10, 32)
	if err != nil {
		r.issue(where, ".", key, " is not of type `integer`")
		return nil
	}
	return new(int32(i))
}

func (r *reader) strings(n *tree.Node, key, where string) []string {
	m := n.Get(key)
	if m == nil || m.Kind == tree.Null {
		return nil
	}
	all, ok := m.Strings()
	if !ok {
		r.issue(where, ".", key, " is not of type `array`")
	}
	if len(all) == 0 {
		return nil
	}
	return all
}

// compact is a value as JSON without a blank.
func compact(n *tree.Node) string { return string(tree.AppendCompact(nil, n)) }
