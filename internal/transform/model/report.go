package model

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// maxReport is about how many bytes of complaints are collected.
// UNVERIFIED: AWS's bound.
const maxReport = 64 << 10

// A report collects what is wrong with a body. Where there is none, nobody wants
// to know.
type report struct {
	complaints []string
	size       int
}

// add adds a complaint. It returns false, what the failed check returns.
func (r *report) add(complaint string) bool {
	if !r.full() {
		// Some complaints quote what they are about, and are as long as the body.
		if len(complaint) > maxReport {
			complaint = strings.ToValidUTF8(complaint[:maxReport], "")
		}
		r.complaints = append(r.complaints, complaint)
		r.size += len(complaint)
	}
	return false
}

// addf is add of a text with numbers in it.
func (r *report) addf(format string, args ...any) bool { return r.add(fmt.Sprintf(format, args...)) }

// failed tells whether something was wrong so far.
func (r *report) failed() bool { return r != nil && len(r.complaints) > 0 }

// full tells that nothing more is collected; a nil report is full at once.
func (r *report) full() bool { return r == nil || r.size >= maxReport }

// String is the list as AWS shows it.
// UNVERIFIED: that AWS sorts it; the one list of several that was recorded is
// sorted, and isn't in the order in which the validator finds things.
func (r *report) String() string {
	slices.Sort(r.complaints)
	return "[" + strings.Join(r.complaints, ", ") + "]"
}

// reportNames reports properties that are missing or may not be there.
func (c *check) reportNames(o *objectRules, i int, r *report) bool {
	ok := true
	var missing []string
	for _, name := range o.required {
		if _, found := c.document.member(i, []byte(name)); !found {
			missing = append(missing, name)
		}
	}
	if missing != nil {
		ok = r.add("object has missing required properties (" + list(missing) + ")")
	}
	var unwanted []string
	for k := i + 1; k < int(c.values[i].next); k = int(c.values[k+1].next) {
		if name := c.str(k); !o.allows(name) {
			unwanted = append(unwanted, string(name))
		}
	}
	if unwanted == nil {
		return ok
	}
	slices.Sort(unwanted)
	return r.add("object instance has properties which are not allowed by the schema: " + list(slices.Compact(unwanted)))
}

// reportMembers holds the members against their schemas in the order of their
// names, as AWS's validator does: what is inside a value is looked at only if
// nothing before it was wrong.
func (c *check) reportMembers(o *objectRules, i int, r *report) bool {
	members := make([]int, 0, c.values[i].count)
	for k := i + 1; k < int(c.values[i].next); k = int(c.values[k+1].next) {
		members = append(members, k)
	}
	slices.SortStableFunc(members, func(a, b int) int { return bytes.Compare(c.str(a), c.str(b)) })
	ok := true
	for _, k := range members {
		name := c.str(k)
		if !c.member(o, o.properties[string(name)], name, k+1, r) {
			ok = false
		}
		if r.full() {
			break
		}
	}
	return ok
}

// quoted is text as a string of JSON.
func quoted(text string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(text) != nil {
		return `""` // strings always encode
	}
	return strings.TrimSuffix(b.String(), "\n")
}
