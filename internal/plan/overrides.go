package plan

import "slices"

// Overrides are what the mapping templates of one exchange set on $context:
// requestOverride and responseOverride. They live as long as the exchange, so
// that a template of the response reads what one of the request set, and what a
// request's template set on the response takes effect even if the response has
// no template. They win over parameter mapping.
type Overrides struct {
	groups [overrideGroups][]Override
}

// An OverrideGroup is one map of $context.requestOverride or responseOverride.
type OverrideGroup uint8

// RequestMembers and ResponseMembers are what templates put on requestOverride
// and responseOverride themselves, beside their maps. The only one among them
// that means anything to the gateway is the response's "status".
const (
	RequestHeader OverrideGroup = iota
	RequestPath
	RequestQuery
	RequestMembers
	ResponseHeader
	ResponseMembers
	overrideGroups
)

// An Override is one member that a template set.
type Override struct {
	Name string
	// Value is its text, that of a list's elements joined by ",".
	Value string
	// Held is the value as the template language has it, for a later template to
	// read.
	Held any
}

// All are the overrides of a group in the order in which they were first set.
func (o *Overrides) All(g OverrideGroup) []Override { return o.groups[g] }

// Get is what a group has under a name.
func (o *Overrides) Get(g OverrideGroup, name string) (Override, bool) {
	i := o.index(g, name)
	if i < 0 {
		return Override{}, false
	}
	return o.groups[g][i], true
}

// Set puts an override into a group, in place of one of the same name.
func (o *Overrides) Set(g OverrideGroup, v Override) {
	if i := o.index(g, v.Name); i >= 0 {
		o.groups[g][i] = v
		return
	}
	o.groups[g] = append(o.groups[g], v)
}

// Remove takes an override out of a group.
func (o *Overrides) Remove(g OverrideGroup, name string) {
	if i := o.index(g, name); i >= 0 {
		o.groups[g] = slices.Delete(o.groups[g], i, i+1)
	}
}

func (o *Overrides) index(g OverrideGroup, name string) int {
	return slices.IndexFunc(o.groups[g], func(v Override) bool { return v.Name == name })
}

// Status is what takes the place of the response's status, 0 if that stays.
// What isn't an integer from 100 to 599 overrides nothing.
func (o *Overrides) Status() int {
	v, _ := o.Get(ResponseMembers, "status")
	if len(v.Value) != 3 || v.Value[0] < '1' || v.Value[0] > '5' {
		return 0
	}
	status := 0
	for i := range len(v.Value) {
		if v.Value[i] < '0' || v.Value[i] > '9' {
			return 0
		}
		status = 10*status + int(v.Value[i]-'0')
	}
	return status
}
