package access

import (
	"reflect"
	"strconv"
)

// Inputs are structures generated from AWS's models. What concerns policies is
// called the same in hundreds of them, so it is read by name.

// member is a member of an input, the zero Value if it has none of the name or
// it is absent.
func member(in any, name string) reflect.Value {
	v := reflect.ValueOf(in)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return reflect.Value{}
	}
	f := v.Elem().FieldByName(name)
	for f.IsValid() && f.Kind() == reflect.Pointer {
		f = f.Elem() // the zero Value for nil
	}
	return f
}

// has tells whether inputs of the kind of in have a member, present or not.
func has(in any, name string) bool {
	v := reflect.ValueOf(in)
	if v.Kind() != reflect.Pointer || v.Type().Elem().Kind() != reflect.Struct {
		return false
	}
	_, ok := v.Type().Elem().FieldByName(name)
	return ok
}

// text is a text member, "" if it is absent.
func text(in any, name string) string {
	if f := member(in, name); f.IsValid() && f.Kind() == reflect.String {
		return f.String()
	}
	return ""
}

// texts is a member that is a list of texts.
func texts(in any, name string) []string {
	f := member(in, name)
	if !f.IsValid() || f.Kind() != reflect.Slice || f.Type().Elem().Kind() != reflect.String {
		return nil
	}
	out := make([]string, f.Len())
	for i := range out {
		out[i] = f.Index(i).String()
	}
	return out
}

// A tag is one of those a request gives to something.
type tag struct{ key, value string }

// tagsOf are the tags in a request: a map, or a list of keys and values.
func tagsOf(in any) []tag {
	var out []tag
	for _, name := range [...]string{"Tags", "TagList", "UserPoolTags"} {
		f := member(in, name)
		switch {
		case !f.IsValid():
		case f.Kind() == reflect.Map && f.Type().Key().Kind() == reflect.String && f.Type().Elem().Kind() == reflect.String:
			for it := f.MapRange(); it.Next(); {
				out = append(out, tag{it.Key().String(), it.Value().String()})
			}
		case f.Kind() == reflect.Slice && f.Type().Elem().Kind() == reflect.Struct:
			for i := range f.Len() {
				item := f.Index(i).Addr().Interface()
				out = append(out, tag{text(item, "Key"), text(item, "Value")})
			}
		}
	}
	return out
}

// fields calls fn with the name and value of every text member that is present.
func fields(in any, fn func(name, value string)) {
	v := reflect.ValueOf(in)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return
	}
	for _, f := range reflect.VisibleFields(v.Elem().Type()) {
		if s := text(in, f.Name); s != "" {
			fn(f.Name, s)
		}
	}
}

// number is a member that is a whole number, in digits; "" if it is absent.
func number(in any, name string) string {
	if f := member(in, name); f.IsValid() && f.CanInt() {
		return strconv.FormatInt(f.Int(), 10)
	}
	return ""
}
