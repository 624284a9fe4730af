package apigatewayv2

import (
	"fmt"
	"reflect"
	"slices"
)

// apply sets what is present in a request on a stored shape, member by member
// of the same name. Absent (nil) means unchanged, the empty string and an empty
// list clear, an empty structure resets. Maps are merged: a key with an empty
// value is removed, a key that isn't named stays.
//
// What the request has and the shape lacks (path labels, Target of a quick
// create) is left to the operation, and so are the names in skip.
func apply(shape, request any, skip ...string) {
	to, from := reflect.ValueOf(shape).Elem(), reflect.ValueOf(request).Elem()
	for i := range from.NumField() {
		field := from.Type().Field(i)
		if !field.IsExported() || slices.Contains(skip, field.Name) {
			continue
		}
		dst := to.FieldByName(field.Name)
		if !dst.IsValid() || dst.Type() != field.Type {
			continue
		}
		set(dst, from.Field(i))
	}
}

func set(dst, src reflect.Value) {
	switch src.Kind() {
	case reflect.Pointer:
		if src.IsNil() {
			return
		}
		if empty(src.Elem()) {
			dst.SetZero()
			return
		}
		dst.Set(src)
	case reflect.Slice:
		if src.IsNil() {
			return
		}
		if src.Len() == 0 {
			dst.SetZero()
			return
		}
		dst.Set(src)
	case reflect.Map:
		mergeMap(dst, src)
	default:
		panic(fmt.Sprintf("apigatewayv2: a shape has a member of type %s", src.Type()))
	}
}

// mergeMap writes a new map: the stored one may be shared.
func mergeMap(dst, src reflect.Value) {
	if src.IsNil() {
		return
	}
	merged := reflect.MakeMap(dst.Type())
	for it := dst.MapRange(); it.Next(); {
		merged.SetMapIndex(it.Key(), it.Value())
	}
	for it := src.MapRange(); it.Next(); {
		if empty(indirect(it.Value())) {
			merged.SetMapIndex(it.Key(), reflect.Value{})
			continue
		}
		merged.SetMapIndex(it.Key(), it.Value())
	}
	if merged.Len() == 0 {
		dst.SetZero()
		return
	}
	dst.Set(merged)
}

// empty tells what clears a member: "" or a structure with nothing in it. A
// number or boolean is a value even when it is zero.
func empty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Invalid:
		return true
	case reflect.String, reflect.Map, reflect.Slice:
		return v.Len() == 0
	case reflect.Struct:
		return v.IsZero()
	default:
		return false
	}
}

func indirect(v reflect.Value) reflect.Value {
	if v.Kind() == reflect.Pointer {
		return v.Elem()
	}
	return v
}

// answer writes a stored shape as the response of an operation: the members of
// the same name and type. The result shares the shape's maps and lists.
func answer[Response any](shape any) *Response {
	response := new(Response)
	to, from := reflect.ValueOf(response).Elem(), reflect.ValueOf(shape)
	if from.Kind() == reflect.Pointer {
		from = from.Elem()
	}
	for i := range to.NumField() {
		field := to.Type().Field(i)
		if src := from.FieldByName(field.Name); field.IsExported() && src.IsValid() && src.Type() == field.Type {
			to.Field(i).Set(src)
		}
	}
	return response
}

// present returns the first of the named members that a request carries with a
// value of its own, or "".
func present(request any, members ...string) string {
	from := reflect.ValueOf(request).Elem()
	for _, name := range members {
		v := from.FieldByName(name)
		if v.IsValid() && !empty(indirect(v)) {
			return name
		}
	}
	return ""
}

// value returns what a pointer points to, or the zero value.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
