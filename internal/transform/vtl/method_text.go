package vtl

import "strings"

// textMethod are the methods of Java's String. Lengths and indexes count UTF-16
// units, as Java's do.
func textMethod(name string) method {
	switch name {
	case "length":
		return func(st *state, on value, args []value) (value, bool) {
			st.charge(len(on.s) >> 5)
			return intValue(int64(unitCount(on.s))), len(args) == 0
		}
	case "isEmpty":
		return func(_ *state, on value, args []value) (value, bool) {
			return boolValue(on.s == ""), len(args) == 0
		}
	case "charAt", "substring", "subSequence":
		return func(st *state, on value, args []value) (value, bool) { return st.substring(name, on.s, args) }
	case "indexOf", "lastIndexOf":
		return func(st *state, on value, args []value) (value, bool) { return st.textIndex(name, on.s, args) }
	case "startsWith":
		return textStartsWith
	case "endsWith", "contains", "equalsIgnoreCase", "compareTo", "compareToIgnoreCase", "concat":
		return func(st *state, on value, args []value) (value, bool) { return st.withText(name, on.s, args) }
	case "toLowerCase":
		return changed(strings.ToLower)
	case "toUpperCase":
		return changed(strings.ToUpper)
	case "trim":
		return changed(trim)
	case "intern":
		return changed(func(s string) string { return s })
	case "replace":
		return textReplace
	case "replaceAll", "replaceFirst":
		return func(st *state, on value, args []value) (value, bool) { return st.replacePattern(name, on.s, args) }
	case "matches":
		return textMatches
	case "split":
		return textSplit
	case "join":
		return textJoin
	case "valueOf":
		return textValueOf
	case "format":
		return textFormat
	}
	return nil
}

// trim is Java's: blanks and all control characters go.
func trim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
}

func changed(f func(string) string) method {
	return func(st *state, on value, args []value) (value, bool) {
		if len(args) != 0 || !st.fits(len(on.s)) {
			return value{}, len(args) == 0
		}
		return textValue(f(on.s)), true
	}
}

// substring is charAt(i), substring(from), substring(from, to).
func (st *state) substring(name, s string, args []value) (value, bool) {
	if len(args) == 0 || len(args) > 2 || args[0].k != integer || args[len(args)-1].k != integer {
		return value{}, false
	}
	st.charge(len(s) >> 5)
	n := int64(unitCount(s))
	from, to := args[0].n, n
	switch {
	case name == "charAt":
		if len(args) == 2 {
			return value{}, false
		}
		to = from + 1
	case len(args) == 2:
		to = args[1].n
	}
	if from < 0 || to > n || from > to {
		return st.throws(name, "the index is out of range")
	}
	return textValue(cutUnits(s, int(from), int(to))), true
}

// textIndex is indexOf(text), indexOf(text, from), and lastIndexOf so.
func (st *state) textIndex(name, s string, args []value) (value, bool) {
	if len(args) == 0 || len(args) > 2 || len(args) == 2 && args[1].k != integer {
		return value{}, false
	}
	needle := args[0].s
	if args[0].k == integer {
		needle = string(rune(args[0].n))
	} else if args[0].k != text {
		return value{}, false
	}
	st.charge(len(s) >> 4)
	n := int64(unitCount(s))
	if name == "indexOf" {
		from := int64(0)
		if len(args) == 2 {
			from = min(max(args[1].n, 0), n)
		}
		start := byteOffset(s, int(from))
		i := strings.Index(s[start:], needle)
		if i < 0 {
			return intValue(-1), true
		}
		return intValue(int64(unitCount(s[:start+i]))), true
	}
	end := len(s)
	if len(args) == 2 {
		if args[1].n < 0 {
			return intValue(-1), true
		}
		end = min(byteOffset(s, int(min(args[1].n, n)))+len(needle), len(s))
	}
	i := strings.LastIndex(s[:end], needle)
	if i < 0 {
		return intValue(-1), true
	}
	return intValue(int64(unitCount(s[:i]))), true
}

func textStartsWith(st *state, on value, args []value) (value, bool) {
	s := on.s
	switch {
	case len(args) == 2 && args[1].k == integer:
		if args[1].n < 0 || args[1].n > int64(unitCount(s)) {
			return boolValue(false), true
		}
		s = s[byteOffset(s, int(args[1].n)):]
	case len(args) != 1:
		return value{}, false
	}
	if args[0].k != text {
		return value{}, false
	}
	st.charge(len(args[0].s) >> 5)
	return boolValue(strings.HasPrefix(s, args[0].s)), true
}

// withText are the methods that take one other text.
func (st *state) withText(name, s string, args []value) (value, bool) {
	if len(args) != 1 || args[0].k != text {
		return value{}, false
	}
	other := args[0].s
	st.charge((len(s) + len(other)) >> 4)
	switch name {
	case "endsWith":
		return boolValue(strings.HasSuffix(s, other)), true
	case "contains":
		return boolValue(strings.Contains(s, other)), true
	case "equalsIgnoreCase":
		return boolValue(strings.EqualFold(s, other)), true
	case "compareTo":
		return intValue(compareUnits(s, other)), true
	case "compareToIgnoreCase":
		return intValue(compareUnits(strings.ToLower(s), strings.ToLower(other))), true
	}
	if !st.fits(len(s) + len(other)) {
		return value{}, true
	}
	return textValue(s + other), true
}

func textReplace(st *state, on value, args []value) (value, bool) {
	if len(args) != 2 || args[0].k != text || args[1].k != text {
		return value{}, false
	}
	return st.replaceText(on.s, args[0].s, args[1].s, -1), true
}

// replaceText replaces up to n times, all for -1.
func (st *state) replaceText(s, old, with string, n int) value {
	count := strings.Count(s, old)
	if n >= 0 {
		count = min(count, n)
	}
	st.charge(len(s) >> 4)
	if count == 0 {
		return textValue(s)
	}
	if len(with) > 0 && count > (maxOutput+len(s))/len(with)+1 || !st.fits(len(s)+count*(len(with)-len(old))) {
		st.fits(maxOutput + 1)
		return value{}
	}
	return textValue(strings.Replace(s, old, with, n))
}

// textJoin is String.join(separator, list) or join(separator, a, b, ...).
func textJoin(st *state, _ value, args []value) (value, bool) {
	if len(args) < 2 || args[0].k != text {
		return value{}, false
	}
	items := args[1:]
	if len(items) == 1 && items[0].k == list {
		items = items[0].list().items
	}
	var b []byte
	for i, item := range items {
		if i > 0 {
			b = append(b, args[0].s...)
		}
		b = append(b, st.text(item)...)
		if len(b) > maxOutput {
			break
		}
	}
	if !st.fits(len(b)) {
		return value{}, true
	}
	return textValue(string(b)), true
}

func textValueOf(st *state, _ value, args []value) (value, bool) {
	if len(args) != 1 {
		return value{}, false
	}
	return textValue(st.text(args[0])), true
}
