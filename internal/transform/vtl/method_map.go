package vtl

// mapMethod are the methods of Java's Map.
func mapMethod(name string) method {
	switch name {
	case "get":
		return withKey(func(st *state, m *mapObject, key string) value { return m.get(st, key) })
	case "remove":
		return withKey(func(st *state, m *mapObject, key string) value { return m.remove(st, key) })
	case "containsKey":
		return withKey(func(st *state, m *mapObject, key string) value {
			m.load(st)
			_, ok := m.find(key)
			return boolValue(ok)
		})
	case "containsValue":
		return func(st *state, on value, args []value) (value, bool) {
			if len(args) != 1 {
				return value{}, false
			}
			on.dict().load(st)
			return st.search("contains", on.dict().vals, args[0]), true
		}
	case "getOrDefault", "put", "putIfAbsent":
		return func(st *state, on value, args []value) (value, bool) {
			if len(args) != 2 {
				return value{}, false
			}
			return on.dict().withValue(st, name, st.text(args[0]), args[1]), true
		}
	case "putAll":
		return func(st *state, on value, args []value) (value, bool) {
			if len(args) != 1 || args[0].k != dict {
				return value{}, false
			}
			on.dict().putAll(st, args[0].dict())
			return nothing(), true
		}
	case "keySet":
		return whole((*mapObject).keySet)
	case "values":
		return whole((*mapObject).values)
	case "entrySet":
		return whole((*mapObject).entrySet)
	case "size":
		return whole(func(m *mapObject, st *state) value {
			m.load(st)
			return intValue(int64(len(m.keys)))
		})
	case "isEmpty":
		return whole(func(m *mapObject, st *state) value {
			m.load(st)
			return boolValue(len(m.keys) == 0)
		})
	case "clear":
		return whole(func(m *mapObject, st *state) value {
			m.clear(st)
			return nothing()
		})
	}
	return nil
}

func withKey(f func(*state, *mapObject, string) value) method {
	return func(st *state, on value, args []value) (value, bool) {
		if len(args) != 1 {
			return value{}, false
		}
		return f(st, on.dict(), st.text(args[0])), true
	}
}

func whole(f func(*mapObject, *state) value) method {
	return func(st *state, on value, args []value) (value, bool) {
		if len(args) != 0 {
			return value{}, false
		}
		return f(on.dict(), st), true
	}
}

// withValue are the methods that take a key and a value.
func (m *mapObject) withValue(st *state, name, key string, v value) value {
	old := m.get(st, key)
	switch {
	case name == "getOrDefault":
		m.load(st)
		if _, ok := m.find(key); !ok {
			return v
		}
	case name == "put", old.k == null:
		m.put(st, key, v)
	}
	return old
}
