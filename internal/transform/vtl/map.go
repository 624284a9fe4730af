package vtl

import "slices"

// A mapObject is a Java LinkedHashMap with texts for keys. A key that isn't a
// text is kept as its text; in Java it would be another key than that.
type mapObject struct {
	keys []string
	vals []value
	// index finds keys once there are many.
	index map[string]int
	// source is where a map of AWS's gets its members; nil for all others and
	// once they were read.
	source source
	// quiet maps are those of $context: they print as nothing.
	quiet bool
	// writes is told of what templates put into the maps of overrides.
	writes *overrideMap
}

// A source gives a map its members when they are asked for.
type source interface {
	// member is one of them, without reading the others.
	member(st *state, name string) value
	// fill puts all into the map.
	fill(st *state, m *mapObject)
}

// indexed is from how many keys on an index pays.
const indexed = 12

// load reads the members of a map that has a source.
func (m *mapObject) load(st *state) {
	if m.source == nil {
		return
	}
	from := m.source
	m.source = nil
	from.fill(st, m)
}

// get is the value of a key, null if there is none.
func (m *mapObject) get(st *state, key string) value {
	if m.source != nil {
		return m.source.member(st, key)
	}
	if i, ok := m.find(key); ok {
		return m.vals[i]
	}
	return value{}
}

// find is where a key of a loaded map stands.
func (m *mapObject) find(key string) (int, bool) {
	if m.index != nil {
		i, ok := m.index[key]
		return i, ok
	}
	if len(m.keys) >= indexed {
		m.buildIndex()
		i, ok := m.index[key]
		return i, ok
	}
	for i := range m.keys {
		if m.keys[i] == key {
			return i, true
		}
	}
	return 0, false
}

func (m *mapObject) buildIndex() {
	m.index = make(map[string]int, len(m.keys))
	for i, k := range m.keys {
		m.index[k] = i
	}
}

// set puts a value into a loaded map; a key it has keeps its place.
func (m *mapObject) set(key string, v value) {
	if i, ok := m.find(key); ok {
		m.vals[i] = v
		return
	}
	if m.index != nil {
		m.index[key] = len(m.keys)
	}
	m.keys = append(m.keys, key)
	m.vals = append(m.vals, v)
}

// put is set as templates call it: overrides are told, and what a template
// keeps in memory is counted.
func (m *mapObject) put(st *state, key string, v value) {
	m.load(st)
	st.made(32)
	if m.writes != nil {
		if !m.writes.put(st, key, v) {
			return
		}
	}
	m.set(key, v)
}

// putAll puts all of another map into a map.
func (m *mapObject) putAll(st *state, from *mapObject) {
	from.load(st)
	for i, key := range from.keys {
		if st.err != nil || i >= len(from.keys) {
			return
		}
		m.put(st, key, from.vals[i])
	}
}

// remove takes a key out of a map and returns what it had.
func (m *mapObject) remove(st *state, key string) value {
	m.load(st)
	i, ok := m.find(key)
	if !ok {
		return value{}
	}
	if m.writes != nil {
		m.writes.remove(st, key)
	}
	v := m.vals[i]
	st.charge(len(m.keys))
	m.keys = slices.Delete(m.keys, i, i+1)
	m.vals = slices.Delete(m.vals, i, i+1)
	m.index = nil
	return v
}

// clear empties a map.
func (m *mapObject) clear(st *state) {
	m.load(st)
	if m.writes != nil {
		for _, key := range m.keys {
			m.writes.remove(st, key)
		}
	}
	m.keys, m.vals, m.index = nil, nil, nil
}

// keySet are the keys as a list of their own.
func (m *mapObject) keySet(st *state) value {
	m.load(st)
	st.made(32 * len(m.keys))
	items := make([]value, len(m.keys))
	for i, key := range m.keys {
		items[i] = textValue(key)
	}
	return listValue(&listObject{items: items})
}

// values are the values as a list of their own.
func (m *mapObject) values(st *state) value {
	m.load(st)
	st.made(32 * len(m.keys))
	return listValue(&listObject{items: slices.Clone(m.vals)})
}

// entrySet are the entries as a list.
func (m *mapObject) entrySet(st *state) value {
	m.load(st)
	st.made(64 * len(m.keys))
	items := make([]value, len(m.keys))
	room := make([]entryObject, len(m.keys))
	for i, key := range m.keys {
		room[i] = entryObject{m, key}
		items[i] = value{k: entry, o: &room[i]}
	}
	return listValue(&listObject{items: items})
}
