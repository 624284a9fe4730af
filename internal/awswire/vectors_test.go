package awswire

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// A vector is one small model with its cases.
type vector struct {
	Description string
	Metadata    struct{ Protocol, APIVersion, TargetPrefix, JSONVersion string }
	Shapes      map[string]*vectorShape
	Cases       []struct {
		Given struct {
			Name string
			HTTP struct{ Method, RequestURI string }
			Input,
			Output struct{ Shape, Payload string }
		}
		Params, Result any
		Serialized     struct {
			URI, Body string
			Method    string
			Headers   map[string]string
		}
		Response struct {
			StatusCode int `json:"status_code"`
			Headers    map[string]string
			Body       string
		}
	}
}

type vectorShape struct {
	Type                   string
	Members                map[string]*vectorRef
	Member, Key, Value     *vectorRef
	Flattened              bool
	TimestampFormat        string
	Location               string
	Payload                string
	Enum                   []string
	Union                  bool
	JSONValue, Idempotency bool
}

type vectorRef struct {
	Shape, Location, LocationName, TimestampFormat string
	JSONValue                                      bool `json:"jsonvalue"`
	IdempotencyToken                               bool
	Flattened                                      bool
}

func readVectors(t *testing.T, name string) []vector {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata/vectors", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var list []vector
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// errRecursive marks a model that no type made at run time can hold.
var errRecursive = errors.New("recursive shape")

// A modeller makes a Model and Go types out of a vector's shapes.
type modeller struct {
	v       *vector
	m       *Model
	goTypes []reflect.Type // by structure
	index   map[string]int
	open    map[string]bool
}

func (b *modeller) structure(name string) (int, error) {
	if i, ok := b.index[name]; ok {
		return i, nil
	}
	if b.open[name] {
		return 0, errRecursive
	}
	b.open[name] = true
	shape := b.v.Shapes[name]
	st := Structure{Name: name}
	var fields []reflect.StructField
	names := make([]string, 0, len(shape.Members))
	for n := range shape.Members {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		ref := shape.Members[n]
		t, goType, err := b.typeOf(ref)
		if err != nil {
			return 0, err
		}
		mem := Member{Name: n, Wire: ref.LocationName, Type: t}
		location := ref.Location
		if location == "" {
			location = b.v.Shapes[ref.Shape].Location
		}
		switch location {
		case "uri":
			mem.In = InLabel
		case "header":
			mem.In = InHeader
		case "headers":
			mem.In = InPrefixHeaders
		case "statusCode":
			mem.In = InStatus
		case "querystring":
			mem.In = InQuery
			if b.m.Types[t].Kind == KindMap {
				mem.In = InQueryMap
			}
		}
		if n == shape.Payload {
			mem.In = InPayload
		}
		target := b.v.Shapes[ref.Shape]
		if target.Type == "list" && (target.Flattened || ref.Flattened) && target.Member.LocationName != "" {
			mem.Wire = target.Member.LocationName
		}
		st.Members = append(st.Members, mem)
		switch b.m.Types[t].Kind {
		case KindList, KindMap, KindBlob:
		default:
			goType = reflect.PointerTo(goType)
		}
		fields = append(fields, reflect.StructField{Name: strings.ToUpper(n[:1]) + n[1:], Type: goType})
	}
	delete(b.open, name)
	i := len(b.m.Structures)
	b.index[name] = i
	b.m.Structures = append(b.m.Structures, st)
	b.goTypes = append(b.goTypes, reflect.StructOf(fields))
	return i, nil
}

func (b *modeller) typeOf(ref *vectorRef) (uint16, reflect.Type, error) {
	shape := b.v.Shapes[ref.Shape]
	t := Type{Flattened: shape.Flattened || ref.Flattened}
	var goType reflect.Type
	format := shape.TimestampFormat
	if ref.TimestampFormat != "" {
		format = ref.TimestampFormat
	}
	t.Format = map[string]TimeFormat{"iso8601": TimeDate, "rfc822": TimeHTTP, "unixTimestamp": TimeEpoch}[format]
	switch shape.Type {
	case "", "string", "character":
		t.Kind, goType = KindString, reflect.TypeFor[string]()
	case "integer":
		t.Kind, goType = KindInteger, reflect.TypeFor[int32]()
	case "long":
		t.Kind, goType = KindLong, reflect.TypeFor[int64]()
	case "float", "double":
		t.Kind, goType = KindDouble, reflect.TypeFor[float64]()
	case "boolean":
		t.Kind, goType = KindBoolean, reflect.TypeFor[bool]()
	case "timestamp":
		t.Kind, goType = KindTimestamp, reflect.TypeFor[time.Time]()
	case "blob":
		t.Kind, goType = KindBlob, reflect.TypeFor[[]byte]()
	case "structure":
		i, err := b.structure(ref.Shape)
		if err != nil {
			return 0, nil, err
		}
		t.Kind, t.Ref, goType = KindStructure, uint16(i), b.goTypes[i]
	case "list":
		elem, elemType, err := b.typeOf(shape.Member)
		if err != nil {
			return 0, nil, err
		}
		t.Kind, t.Ref, goType, t.Element = KindList, elem, reflect.SliceOf(elemType), shape.Member.LocationName
	case "map":
		key, _, err := b.typeOf(shape.Key)
		if err != nil {
			return 0, nil, err
		}
		elem, elemType, err := b.typeOf(shape.Value)
		if err != nil {
			return 0, nil, err
		}
		t.Kind, t.Key, t.Ref, goType = KindMap, key, elem, reflect.MapOf(reflect.TypeFor[string](), elemType)
	default:
		return 0, nil, errors.New("shape type " + shape.Type)
	}
	b.m.Types = append(b.m.Types, t)
	return uint16(len(b.m.Types) - 1), goType, nil
}

// service makes a one-operation service around a case. got receives the input.
func (v *vector) service(i int, proto Protocol, got *any, out func(*Model, reflect.Type) any) (*Service, error) {
	c := v.Cases[i]
	m := &Model{Name: "vector", SigningName: "vector", Protocols: []Protocol{proto}, APIVersion: v.Metadata.APIVersion,
		TargetPrefix: v.Metadata.TargetPrefix, XMLNamespace: "https://service.amazonaws.com/doc/2010-05-08/"}
	b := &modeller{v: v, m: m, index: map[string]int{}, open: map[string]bool{}}
	op := Operation{Name: c.Given.Name, Method: c.Given.HTTP.Method, Path: c.Given.HTTP.RequestURI, Code: 200, Input: -1, Output: -1, Unsigned: true}
	if proto != RestJSON1 {
		op.Path = ""
	} else if op.Path == "" {
		op.Method, op.Path = "POST", "/"
	}
	bound := Bound{call: func(_ *Call, in any) (any, error) { *got = in; return nil, nil }}
	if name := c.Given.Input.Shape; name != "" {
		if p := c.Given.Input.Payload; p != "" {
			v.Shapes[name].Payload = p
		}
		at, err := b.structure(name)
		if err != nil {
			return nil, err
		}
		op.Input = int16(at)
		bound.newInput = func() any { return reflect.New(b.goTypes[at]).Interface() }
	}
	if name := c.Given.Output.Shape; name != "" {
		at, err := b.structure(name)
		if err != nil {
			return nil, err
		}
		op.Output = int16(at)
		bound.call = func(*Call, any) (any, error) { return out(m, b.goTypes[at]), nil }
	}
	m.Operations = []Operation{op}
	return &Service{Model: m, Handlers: []Bound{bound}}, nil
}

// dump turns a value into what the vectors' params are: blobs as plain text,
// times in seconds, members by name.
func dump(m *Model, t *Type, v reflect.Value) any {
	v = held(v)
	switch t.Kind {
	case KindStructure:
		return dumpStructure(m, &m.Structures[t.Ref], v)
	case KindList:
		list := []any{}
		for i := range v.Len() {
			list = append(list, dump(m, &m.Types[t.Ref], v.Index(i)))
		}
		return list
	case KindMap:
		tree := map[string]any{}
		for _, k := range sortedKeys(v) {
			tree[k] = dump(m, &m.Types[t.Ref], v.MapIndex(reflect.ValueOf(k)))
		}
		return tree
	case KindBlob:
		return string(v.Bytes())
	case KindTimestamp:
		return float64(v.Interface().(time.Time).Unix())
	case KindInteger, KindLong:
		return float64(v.Int())
	case KindDouble:
		return v.Float()
	case KindBoolean:
		return v.Bool()
	}
	return v.String()
}

func dumpStructure(m *Model, st *Structure, v reflect.Value) map[string]any {
	tree := map[string]any{}
	for i := range st.Members {
		if f := v.Field(i); !absent(f) {
			tree[st.Members[i].Name] = dump(m, &m.Types[st.Members[i].Type], f)
		}
	}
	return tree
}

// load is dump backwards.
func load(t *testing.T, m *Model, typ *Type, v reflect.Value, x any) {
	t.Helper()
	if x == nil {
		return
	}
	switch typ.Kind {
	case KindStructure:
		loadStructure(t, m, &m.Structures[typ.Ref], field(v), x)
	case KindList:
		list := reflect.MakeSlice(v.Type(), len(x.([]any)), len(x.([]any)))
		for i, e := range x.([]any) {
			load(t, m, &m.Types[typ.Ref], list.Index(i), e)
		}
		v.Set(list)
	case KindMap:
		tree := reflect.MakeMap(v.Type())
		for k, e := range x.(map[string]any) {
			item := reflect.New(v.Type().Elem()).Elem()
			load(t, m, &m.Types[typ.Ref], item, e)
			tree.SetMapIndex(reflect.ValueOf(k), item)
		}
		v.Set(tree)
	case KindBlob:
		v.SetBytes([]byte(x.(string)))
	case KindTimestamp:
		field(v).Set(reflect.ValueOf(time.Unix(int64(x.(float64)), 0).UTC()))
	case KindInteger, KindLong:
		field(v).SetInt(int64(x.(float64)))
	case KindDouble:
		field(v).SetFloat(x.(float64))
	case KindBoolean:
		field(v).SetBool(x.(bool))
	default:
		field(v).SetString(x.(string))
	}
}

func loadStructure(t *testing.T, m *Model, st *Structure, v reflect.Value, x any) {
	t.Helper()
	tree, _ := x.(map[string]any)
	for i := range st.Members {
		load(t, m, &m.Types[st.Members[i].Type], v.Field(i), tree[st.Members[i].Name])
	}
}

// skippedVectors are cases about what this runtime doesn't have to do.
var skippedVectors = map[string]string{
	"Recursive shapes":                     "the test's types are made at run time and can't recurse; the generated ones do",
	"Idempotency token auto fill":          "clients make tokens, servers read them",
	"JSON value trait":                     "no service here has it",
	"Endpoint host trait":                  "clients prefix hosts",
	"Endpoint host trait static prefix":    "clients prefix hosts",
	"Serialize map type with locationName": "no service here names its maps' keys",
	"Flattened map in shape definition":    "no service here names its maps' keys",
	"Named map":                            "no service here names its maps' keys",
	"Ignores extra data":                   "about clients that read",
	"Ignores undefined output":             "about clients that read",
	"unmodeled non-json response payload":  "about clients that read",
	"Supports header maps":                 "its unprefixed half collects whatever headers there are; no service here has it",
	"rest-json Content-Type and body":      "about what clients send with an empty body",
}

// loose are cases whose params a server sees as another value of equal meaning.
var loose = map[string]bool{
	// A client leaves an empty query parameter out, or sends what means the same.
	"Omits null query params, but serializes empty strings": true,
	// An empty object as payload is an empty structure.
	"Structure payload": true,
}

func TestInputVectors(t *testing.T) {
	for name, proto := range map[string]Protocol{"rest-json": RestJSON1, "json": AWSJSON11, "query": AWSQuery} {
		ran := 0
		for _, v := range readVectors(t, "input-"+name) {
			if skippedVectors[v.Description] != "" {
				continue
			}
			for i, c := range v.Cases {
				ran++
				t.Run(name+"/"+v.Description, func(t *testing.T) {
					var got any
					s, err := v.service(i, proto, &got, nil)
					if err != nil {
						t.Fatal(err)
					}
					method := c.Given.HTTP.Method
					if method == "" {
						method = "POST"
					}
					req := httptest.NewRequest(method, "http://localhost/", strings.NewReader(c.Serialized.Body))
					req.RequestURI = c.Serialized.URI
					for k, value := range c.Serialized.Headers {
						req.Header.Set(k, value)
					}
					switch proto {
					case AWSQuery:
						req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
					case AWSJSON11:
						req.Header.Set("X-Amz-Target", v.Metadata.TargetPrefix+"."+c.Given.Name)
					}
					w := httptest.NewRecorder()
					NewHandler(Options{Services: []*Service{s}}).ServeHTTP(w, req)
					if w.Code != http.StatusOK {
						t.Fatalf("%d %s", w.Code, w.Body)
					}
					if got == nil {
						return // an operation without input
					}
					tree := dumpStructure(s.Model, &s.Structures[s.Operations[0].Input], reflect.ValueOf(got).Elem())
					want, _ := c.Params.(map[string]any)
					for k, x := range want {
						if x == nil {
							delete(want, k)
						}
					}
					if len(tree) == 0 && len(want) == 0 || loose[v.Description] && len(want) == 0 {
						return
					}
					if !reflect.DeepEqual(any(tree), any(want)) {
						t.Errorf("got  %v\nwant %v", tree, want)
					}
				})
			}
		}
		if ran < 5 {
			t.Errorf("%s: only %d cases ran", name, ran)
		}
	}
}

func TestOutputVectors(t *testing.T) {
	for name, proto := range map[string]Protocol{"rest-json": RestJSON1, "json": AWSJSON11, "query": AWSQuery} {
		ran := 0
		for _, v := range readVectors(t, "output-"+name) {
			if skippedVectors[v.Description] != "" {
				continue
			}
			for i, c := range v.Cases {
				ran++
				t.Run(name+"/"+v.Description, func(t *testing.T) {
					if text, err := json.Marshal(c.Result); err != nil || strings.Contains(string(text), "null") {
						t.Skip("a list with nulls: no service here has sparse lists in its answers")
					}
					v.Metadata.TargetPrefix, v.Metadata.APIVersion = "P", "1"
					s, err := v.service(i, proto, new(any), func(m *Model, typ reflect.Type) any {
						out := reflect.New(typ)
						loadStructure(t, m, &m.Structures[m.Operations[0].Output], out.Elem(), c.Result)
						return out.Interface()
					})
					if err != nil {
						t.Fatal(err)
					}
					req := httptest.NewRequest("POST", "http://localhost/", nil)
					if op := s.Operations[0]; op.Path != "" {
						req = httptest.NewRequest(op.Method, "http://localhost"+op.Path, nil)
					}
					switch proto {
					case AWSQuery:
						req = httptest.NewRequest("POST", "http://localhost/", strings.NewReader("Action="+c.Given.Name))
						req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
					case AWSJSON11:
						req.Header.Set("X-Amz-Target", "P."+c.Given.Name)
					}
					w := httptest.NewRecorder()
					NewHandler(Options{Services: []*Service{s}, RequestID: func() string { return "requestid" }}).ServeHTTP(w, req)
					for k, want := range c.Response.Headers {
						if got := w.Header().Get(k); !strings.EqualFold(k, "Content-Type") && got != want {
							t.Errorf("header %s: got %q, want %q", k, got, want)
						}
					}
					compareBodies(t, proto, w.Body.String(), c.Response.Body)
				})
			}
		}
		if ran < 5 {
			t.Errorf("%s: only %d cases ran", name, ran)
		}
	}
}

func compareBodies(t *testing.T, proto Protocol, got, want string) {
	t.Helper()
	var g, w any
	if proto == AWSQuery {
		g, w = readXML(t, got), readXML(t, want)
	} else if json.Unmarshal([]byte(got), &g) != nil || json.Unmarshal([]byte(want), &w) != nil {
		g, w = got, want
	}
	if g, w = plain(g), plain(w); !reflect.DeepEqual(g, w) {
		t.Errorf("got  %v\nwant %v", g, w)
	}
}

// plain takes out what may differ: a client reads any form of a timestamp, and
// maps have no order.
func plain(x any) any {
	switch x := x.(type) {
	case string:
		if at, err := time.Parse(time.RFC3339, x); err == nil {
			return float64(at.Unix())
		}
	case []any:
		for i := range x {
			x[i] = plain(x[i])
		}
		slices.SortStableFunc(x, func(a, b any) int { return strings.Compare(mapKey(a), mapKey(b)) })
	case map[string]any:
		for k := range x {
			x[k] = plain(x[k])
		}
	}
	return x
}

func mapKey(x any) string {
	entry, _ := x.(map[string]any)
	if entry["key"] == nil {
		return ""
	}
	return fmt.Sprint(entry["key"])
}

// readXML reads a result into a tree in which only the order of elements of
// one name counts. The wrappers that older services leave out are unwrapped.
func readXML(t *testing.T, s string) any {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(s))
	var read func() any
	read = func() any {
		tree, text := map[string]any{}, ""
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				return tree
			}
			if err != nil {
				t.Fatalf("%v in %s", err, s)
			}
			switch token := token.(type) {
			case xml.StartElement:
				list, _ := tree[token.Name.Local].([]any)
				tree[token.Name.Local] = append(list, read())
			case xml.CharData:
				text += string(token)
			case xml.EndElement:
				if len(tree) == 0 {
					return strings.TrimSpace(text)
				}
				return tree
			}
		}
	}
	root := read().(map[string]any)
	for name, list := range root {
		inner, _ := list.([]any)[0].(map[string]any)
		delete(inner, "ResponseMetadata")
		delete(inner, "RequestId")
		if result, ok := inner[strings.TrimSuffix(name, "Response")+"Result"]; ok {
			return result.([]any)[0]
		}
		return inner
	}
	return nil
}
