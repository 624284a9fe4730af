package vtl

import (
	"maps"
	"slices"

	"gatehouse/internal/plan"
)

// A contextMap is a map of $context, by its dotted name; "" is $context itself.
type contextMap string

func (c contextMap) member(st *state, name string) value {
	if c == "" {
		switch name {
		case "requestOverride":
			return dictValue(st.requestOverride())
		case "responseOverride":
			return dictValue(st.responseOverride())
		}
		return st.contextValue(name)
	}
	return st.contextValue(string(c) + "." + name)
}

// contextValue is a variable or a map of $context by its dotted name.
func (st *state) contextValue(name string) value {
	if st.scope.Context == nil {
		return value{}
	}
	if s, ok := st.scope.Context.Get(name); ok {
		return textValue(s)
	}
	if st.scope.Context.Keys(name) != nil {
		return dictValue(&mapObject{source: contextMap(name), quiet: true})
	}
	return value{}
}

func (c contextMap) fill(st *state, m *mapObject) {
	if st.scope.Context == nil {
		return
	}
	for _, name := range st.scope.Context.Keys(string(c)) {
		m.set(name, c.member(st, name))
	}
	st.made(64 * len(m.keys))
}

// stageVariables are the members of $stageVariables, sorted by name.
// UNVERIFIED: AWS's order.
type stageVariables struct{}

func (stageVariables) member(st *state, name string) value {
	if s, ok := st.scope.StageVariables[name]; ok {
		return textValue(s)
	}
	return value{}
}

func (stageVariables) fill(st *state, m *mapObject) {
	for _, name := range slices.Sorted(maps.Keys(st.scope.StageVariables)) {
		m.set(name, textValue(st.scope.StageVariables[name]))
	}
	st.made(64 * len(m.keys))
}

// requestOverride is $context.requestOverride.
func (st *state) requestOverride() *mapObject {
	if st.request == nil {
		st.request = st.overrideRoot(plan.RequestMembers, []overrideMap{
			{group: plan.RequestPath, name: "path"},
			{group: plan.RequestHeader, name: "header"},
			{group: plan.RequestQuery, name: "querystring"},
		})
	}
	return st.request
}

// responseOverride is $context.responseOverride.
func (st *state) responseOverride() *mapObject {
	if st.response == nil {
		st.response = st.overrideRoot(plan.ResponseMembers, []overrideMap{{group: plan.ResponseHeader, name: "header"}})
	}
	return st.response
}

// overrideRoot makes the map of one direction, with its maps in AWS's order and
// behind them what templates put beside.
func (st *state) overrideRoot(group plan.OverrideGroup, inner []overrideMap) *mapObject {
	root := &mapObject{quiet: true}
	for i := range inner {
		m := &mapObject{quiet: true, writes: &inner[i]}
		st.fillOverrides(m, inner[i].group)
		root.set(inner[i].name, dictValue(m))
	}
	st.fillOverrides(root, group)
	root.writes = &overrideMap{group: group, inner: root}
	return root
}

func (st *state) fillOverrides(m *mapObject, group plan.OverrideGroup) {
	if st.scope.Overrides == nil {
		return
	}
	for _, o := range st.scope.Overrides.All(group) {
		if held, ok := o.Held.(value); ok {
			m.set(o.Name, held)
		} else {
			m.set(o.Name, textValue(o.Value))
		}
	}
}

// An overrideMap tells the exchange's overrides what templates put into a map.
type overrideMap struct {
	group plan.OverrideGroup
	name  string
	// inner is the map of the direction, if that is what this is; its maps stay
	// when a template puts another in their place, and take what is in it.
	inner *mapObject
}

// put sets an override. It is false if the map isn't to keep the value itself.
func (o *overrideMap) put(st *state, name string, v value) bool {
	if st.scope.Overrides == nil {
		st.fail(st.pos, "nothing can be overridden here")
		return false
	}
	if o.inner != nil {
		if at, ok := o.inner.find(name); ok && o.inner.vals[at].k == dict && o.inner.vals[at].dict().writes != nil {
			if v.k == dict {
				o.inner.vals[at].dict().putAll(st, v.dict())
			}
			return false
		}
	}
	if o.inner == nil || o.group == plan.ResponseMembers && name == "status" {
		st.once(o.group, name)
	}
	if v.k == block {
		v = textValue(st.text(v))
	}
	st.scope.Overrides.Set(o.group, plan.Override{Name: name, Value: st.overrideText(v), Held: v})
	return true
}

// once fails when a template overrides the same thing again.
// UNVERIFIED: that templates of the request and of the response may each do it.
func (st *state) once(group plan.OverrideGroup, name string) {
	this := overrideName{group, name}
	if slices.Contains(st.overrides, this) {
		st.fail(st.pos, "'"+name+"' is overridden a second time")
		return
	}
	st.charge(len(st.overrides))
	st.overrides = append(st.overrides, this)
}

func (o *overrideMap) remove(st *state, name string) {
	if st.scope.Overrides != nil {
		st.scope.Overrides.Remove(o.group, name)
	}
}

// overrideText is the text of an override; that of a list is its elements joined
// by commas.
func (st *state) overrideText(v value) string {
	if v.k != list {
		return st.text(v)
	}
	var joined []byte
	for i, item := range v.list().items {
		if i > 0 {
			joined = append(joined, ',')
		}
		joined = append(joined, st.text(item)...)
		if !st.fits(len(joined)) {
			break
		}
	}
	return string(joined)
}
