package apigateway

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"gatehouse/internal/awsapi/apigateway"
)

// A patchOp is one operation of a PATCH, as the rules of its path see it.
type patchOp struct {
	// Op is what to do: one of AWS's words.
	Op string
	// Path is the JSON pointer as it was sent, From that of a copy.
	Path, From string
	// Value is what was sent with it; nil where nothing was.
	Value *string
	// Args are the segments that stand where the rule's path has placeholders,
	// unescaped.
	Args []string
	// strict refuses to replace what isn't there.
	strict bool
}

// patchOps is a set of operations.
type patchOps uint8

const (
	opAdd patchOps = 1 << iota
	opRemove
	opReplace
	opCopy

	opEdit = opAdd | opRemove | opReplace
)

// No entity of this service can be patched with move or test, which the model
// has as well.
var patchOpNames = [...]struct {
	op   patchOps
	name string
}{{opAdd, apigateway.OpAdd}, {opRemove, apigateway.OpRemove}, {opReplace, apigateway.OpReplace}, {opCopy, apigateway.OpCopy}}

// has tells whether the operation of that name is in the set.
func (ops patchOps) has(name string) bool {
	for _, o := range patchOpNames {
		if o.name == name {
			return ops&o.op != 0
		}
	}
	return false
}

// names lists the operations of the set.
func (ops patchOps) names() []string {
	var names []string
	for _, o := range patchOpNames {
		if ops&o.op != 0 {
			names = append(names, o.name)
		}
	}
	return names
}

// A patchRule says what may be done to one path of the shape S.
//
// A segment in braces is a placeholder for any one segment, such as the key of
// a map or an item of a list; one that ends in a plus sign stands for one or
// more, slashes included. Without set, the path is that of a member by its wire
// name: a scalar takes the value (text that isn't "true" is false), the key of
// a map is set or removed, an item of a list is found by its value. A list
// without a placeholder takes or loses the value that was sent.
type patchRule[S any] struct {
	path string
	ops  patchOps
	// check refuses an operation before it is done; nil refuses none.
	check func(shape *S, o patchOp) error
	// set does it in place of what the path alone says.
	set func(shape *S, o patchOp) error
	// invalid is the message for a value that isn't of the member's type.
	// UNVERIFIED: the message where none is given.
	invalid string
	// noKey is the message, with status 404, for a map's key that is to be
	// removed and isn't there; noReplace the same for one that is to be
	// replaced. Without them the one is no error and the other adds the key.
	noKey, noReplace string
}

// patchRules are what may be patched of a shape. The order is that of AWS's
// messages, and the first rule that fits a path and has the operation counts.
type patchRules[S any] struct {
	refuse refusal
	rules  []patchRule[S]
}

// A refusal words why an operation can't be done.
type refusal func(refused) error

// refused is an operation that no rule allows.
type refused struct {
	patchOp
	// allowed are the operations that the path does have; none where the path is
	// unknown.
	allowed []string
	// paths are those that do have the operation.
	paths []string
}

// refuseListing names the paths that can be patched.
func refuseListing(r refused) error {
	if len(r.paths) == 0 {
		return badRequest("Invalid patch path  '%s' specified for op '%s'. Please choose supported operations", r.Path, r.Op)
	}
	return badRequest("Invalid patch path  '%s' specified for op '%s'. Must be one of: [%s]", r.Path, r.Op, strings.Join(r.paths, ", "))
}

// refuseNaming names the operations that a path has.
func refuseNaming(r refused) error {
	if len(r.allowed) == 0 {
		return refusePath(r)
	}
	return badRequest("Invalid patch operation specified. Must be one of: [%s]", strings.Join(r.allowed, ", "))
}

// refusePath names the path, whatever is wrong with the operation.
func refusePath(r refused) error { return badRequest("Invalid patch path %s", r.Path) }

// apply does the operations in their order. When one can't be done the shape
// has those before it: the caller is in a transaction that it gives up. Maps
// and lists are replaced, not written into.
func (p *patchRules[S]) apply(shape *S, ops []apigateway.PatchOperation) error {
	for _, sent := range ops {
		o := patchOp{Op: value(sent.Op), Path: "null", From: value(sent.From), Value: sent.Value}
		if sent.Path != nil {
			o.Path = *sent.Path
		}
		if err := p.applyOne(shape, o); err != nil {
			return err
		}
	}
	return nil
}

func (p *patchRules[S]) applyOne(shape *S, o patchOp) error {
	var allowed patchOps
	for i := range p.rules {
		rule := &p.rules[i]
		segments, args, ok := matchPatch(rule.path, o.Path)
		if !ok {
			continue
		}
		if !rule.ops.has(o.Op) {
			allowed |= rule.ops
			continue
		}
		o.Args, o.strict = args, rule.noReplace != ""
		if rule.check != nil {
			if err := rule.check(shape, o); err != nil {
				return err
			}
		}
		if rule.set != nil {
			return rule.set(shape, o)
		}
		return rule.word(o, edit(reflect.ValueOf(shape).Elem(), segments, o))
	}
	r := refused{patchOp: o, allowed: allowed.names()}
	for i := range p.rules {
		if p.rules[i].ops.has(o.Op) {
			r.paths = append(r.paths, p.rules[i].path)
		}
	}
	return p.refuse(r)
}

// What can go wrong with an operation that is allowed.
var (
	errPatchValue = errors.New("the value isn't of the member's type")
	errNoKey      = errors.New("there is no such key")
)

// word says what went wrong as AWS does.
func (rule *patchRule[S]) word(o patchOp, err error) error {
	switch {
	case errors.Is(err, errPatchValue):
		if rule.invalid != "" {
			return badRequest("%s", rule.invalid)
		}
		return badRequest("Invalid value '%s' specified for patch path '%s'", value(o.Value), o.Path)
	case errors.Is(err, errNoKey):
		message := rule.noKey
		if o.Op == apigateway.OpReplace {
			message = rule.noReplace
		}
		if message == "" {
			return nil
		}
		return notFound("%s", message)
	}
	return err
}

// matchPatch compares a path with that of a rule. segments are those of the
// path, unescaped, args those in the place of placeholders.
func matchPatch(rule, path string) (segments, args []string, ok bool) {
	if !strings.HasPrefix(path, "/") {
		return nil, nil, false
	}
	want, got := strings.Split(rule[1:], "/"), strings.Split(path[1:], "/")
	for i, w := range want {
		rest := len(want) - i - 1
		n := 1
		if strings.HasSuffix(w, "+}") {
			n = len(got) - rest
		}
		if n < 1 || len(got) < n+rest {
			return nil, nil, false
		}
		segment := unescapePointer(strings.Join(got[:n], "/"))
		got = got[n:]
		if strings.HasPrefix(w, "{") {
			if segment == "" {
				return nil, nil, false
			}
			args = append(args, segment)
		} else if segment != w {
			return nil, nil, false
		}
		segments = append(segments, segment)
	}
	return segments, args, len(got) == 0
}

// unescapePointer reads a segment of a JSON pointer.
func unescapePointer(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "~1", "/"), "~0", "~")
}

// edit does an operation to what segments name below v.
func edit(v reflect.Value, segments []string, o patchOp) error {
	switch v.Kind() {
	case reflect.Pointer:
		if v.Type().Elem().Kind() == reflect.Struct && len(segments) > 0 {
			return editInner(v, segments, o)
		}
		if o.Op == apigateway.OpRemove {
			v.SetZero()
			return nil
		}
		return editPointer(v, o)
	case reflect.Struct:
		return edit(member(v, segments[0]), segments[1:], o)
	case reflect.Map:
		return editMap(v, segments, o)
	case reflect.Slice:
		return editList(v, segments, o)
	default:
		return setScalar(v, value(o.Value))
	}
}

// editInner edits a structure below a pointer. One that has nothing left isn't
// kept.
func editInner(v reflect.Value, segments []string, o patchOp) error {
	inner := reflect.New(v.Type().Elem())
	if !v.IsNil() {
		inner.Elem().Set(v.Elem())
	}
	if err := edit(inner.Elem(), segments, o); err != nil {
		return err
	}
	if inner.Elem().IsZero() {
		v.SetZero()
		return nil
	}
	v.Set(inner)
	return nil
}

// editPointer sets an optional scalar. No value, and the empty text, unset it,
// except that a boolean is false then.
func editPointer(v reflect.Value, o patchOp) error {
	if v.Type().Elem().Kind() != reflect.Bool && value(o.Value) == "" {
		v.SetZero()
		return nil
	}
	scalar := reflect.New(v.Type().Elem())
	if err := setScalar(scalar.Elem(), value(o.Value)); err != nil {
		return err
	}
	v.Set(scalar)
	return nil
}

func setScalar(v reflect.Value, text string) error {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		v.SetBool(strings.EqualFold(text, "true"))
	case reflect.Int32:
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return fmt.Errorf("%w: %w", errPatchValue, err)
		}
		v.SetInt(n)
	case reflect.Float64:
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || n != n || n-n != 0 {
			return fmt.Errorf("%w: %q", errPatchValue, text)
		}
		v.SetFloat(n)
	default:
		panic(fmt.Sprintf("apigateway: a patch rule names a member of type %s", v.Type()))
	}
	return nil
}

// editMap edits a map, or what one of its keys has.
func editMap(v reflect.Value, segments []string, o patchOp) error {
	if len(segments) == 0 {
		if o.Op != apigateway.OpRemove {
			panic("apigateway: a patch rule sets a whole map")
		}
		v.SetZero()
		return nil
	}
	key := reflect.ValueOf(segments[0])
	old := v.MapIndex(key)
	if !old.IsValid() && (o.Op == apigateway.OpRemove || o.Op == apigateway.OpReplace && o.strict) {
		return errNoKey
	}
	edited := reflect.MakeMap(v.Type())
	for it := v.MapRange(); it.Next(); {
		edited.SetMapIndex(it.Key(), it.Value())
	}
	if o.Op == apigateway.OpRemove && len(segments) == 1 {
		edited.SetMapIndex(key, reflect.Value{})
	} else {
		item := reflect.New(v.Type().Elem()).Elem()
		if old.IsValid() {
			item.Set(old)
		}
		if err := edit(item, segments[1:], o); err != nil {
			return err
		}
		edited.SetMapIndex(key, item)
	}
	if edited.Len() == 0 {
		v.SetZero()
		return nil
	}
	v.Set(edited)
	return nil
}

// editList edits a list of texts, whose items are found by their value. An
// item that is named by the path is what is added, and what a replacement
// takes the place of, at the end.
func editList(v reflect.Value, segments []string, o patchOp) error {
	list, ok := v.Interface().([]string)
	if !ok {
		panic(fmt.Sprintf("apigateway: a patch rule names a list of type %s", v.Type()))
	}
	item, replacement := value(o.Value), value(o.Value)
	if len(segments) > 0 {
		item = segments[0]
	}
	if o.Op == apigateway.OpAdd {
		replacement = item
	}
	list = slices.DeleteFunc(slices.Clone(list), func(have string) bool {
		return o.Op != apigateway.OpAdd && have == item
	})
	if o.Op != apigateway.OpRemove && replacement != "" && !slices.Contains(list, replacement) {
		list = append(list, replacement)
	}
	if len(list) == 0 {
		list = nil
	}
	v.Set(reflect.ValueOf(list))
	return nil
}

// member finds a structure's member by its name on the wire.
func member(v reflect.Value, name string) reflect.Value {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if field.Anonymous && field.Type.Kind() == reflect.Struct {
			if inner := member(v.Field(i), name); inner.IsValid() {
				return inner
			}
			continue
		}
		if tag, _, _ := strings.Cut(field.Tag.Get("json"), ","); tag == name {
			return v.Field(i)
		}
	}
	return reflect.Value{}
}
