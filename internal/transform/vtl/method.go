package vtl

import "strings"

// A method is one of Java's on a kind of value. It is not ok if there is none of
// its name that takes these arguments; the call is then without a value, as it
// is when the method returns null. What Java throws is a failure.
type method func(st *state, on value, args []value) (value, bool)

// methods are what a name means on each kind.
type methods struct {
	onText, onList, onMap, onNumber, onBoolean, onEntry, onLoop, onInput, onUtil, onClass, onAny method
}

// methodsNamed finds a name's methods.
func methodsNamed(name string) methods {
	return methods{
		onText: textMethod(name), onList: listMethod(name), onMap: mapMethod(name),
		onNumber: numberMethod(name), onBoolean: booleanMethod(name), onEntry: entryMethod(name),
		onLoop: loopMethod(name), onInput: inputMethod(name), onUtil: utilMethod(name), onClass: classMethod(name), onAny: anyMethod(name),
	}
}

func (m *methods) of(k kind) method {
	var found method
	switch k {
	case text:
		found = m.onText
	case list:
		found = m.onList
	case dict:
		found = m.onMap
	case integer, double, bigInteger:
		found = m.onNumber
	case boolean:
		found = m.onBoolean
	case entry:
		found = m.onEntry
	case loop:
		found = m.onLoop
	case inputObject:
		return m.onInput
	case utilObject:
		return m.onUtil
	case class:
		return m.onClass
	}
	if found == nil {
		return m.onAny
	}
	return found
}

// anyMethod are the methods of every object.
func anyMethod(name string) method {
	switch name {
	case "toString":
		return func(st *state, on value, args []value) (value, bool) {
			if len(args) != 0 {
				return value{}, false
			}
			return textValue(st.text(on)), true
		}
	case "equals":
		return func(st *state, on value, args []value) (value, bool) {
			if len(args) != 1 {
				return value{}, false
			}
			return boolValue(st.same(on, args[0])), true
		}
	case "getClass":
		return property("class")
	}
	return nil
}

// classOf is the class of a value. It has a name, by which templates tell apart
// what they print, and nothing that reflection is done with.
// UNVERIFIED: the class of JSON's lists; others report to have compared lists
// with this one.
func classOf(v value) value {
	name := ""
	switch v.k {
	case text:
		name = "java.lang.String"
	case boolean:
		name = "java.lang.Boolean"
	case integer:
		name = "java.lang.Integer"
		if v.n != int64(int32(v.n)) {
			name = "java.lang.Long"
		}
	case double:
		name = "java.lang.Double"
		if v.s != "" {
			name = "java.math.BigDecimal"
		}
	case bigInteger:
		name = "java.math.BigInteger"
	case list:
		name = "java.util.ArrayList"
	case dict:
		name = "java.util.LinkedHashMap"
	default:
		return value{}
	}
	return value{k: class, s: name}
}

func classMethod(name string) method {
	switch name {
	case "getName", "getCanonicalName", "getTypeName":
		return property("name")
	case "getSimpleName":
		return property("simpleName")
	case "toString":
		return anyMethod(name)
	}
	return nil
}

func entryMethod(name string) method {
	switch name {
	case "getKey":
		return property("key")
	case "getValue":
		return property("value")
	}
	return nil
}

func loopMethod(name string) method {
	switch name {
	case "hasNext", "getHasNext":
		return property("hasNext")
	case "getIndex":
		return property("index")
	case "getCount":
		return property("count")
	case "isFirst", "getFirst":
		return property("first")
	case "isLast", "getLast":
		return property("last")
	case "getParent":
		return property("parent")
	case "getTopmost":
		return property("topmost")
	}
	return nil
}

// property is a method that gives a property.
func property(name string) method {
	return func(st *state, on value, args []value) (value, bool) {
		return st.property(on, name), len(args) == 0
	}
}

func booleanMethod(name string) method {
	switch name {
	case "booleanValue":
		return func(_ *state, on value, args []value) (value, bool) { return on, len(args) == 0 }
	case "parseBoolean", "valueOf":
		return func(st *state, _ value, args []value) (value, bool) {
			if len(args) != 1 {
				return value{}, false
			}
			s := st.text(args[0])
			return boolValue(strings.EqualFold(s, "true")), true
		}
	}
	return nil
}

// throws fails as a method does that Java throws an exception from.
func (st *state) throws(name, why string) (value, bool) {
	st.fail(st.pos, "the method '"+name+"': "+why)
	return value{}, true
}
