package vtl_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"gatehouse/internal/plan"
	"gatehouse/internal/transform/vtl"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Each archive in testdata holds cases on one subject. A case is a template and
// what it makes of the scope before it: "name/template", then "name/output" or,
// if it fails, "name/error", and if it overrides anything "name/overrides". A
// "scope" or "name/scope" is JSON with body, params, stageVariables and context; the
// latter is for its case alone. A line's end that closes a template or an output
// is the archive's, not theirs.
func TestTemplates(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { runArchive(t, file) })
	}
}

func runArchive(t *testing.T, file string) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got := &txtar.Archive{Comment: archive.Comment}
	shared := scopeData{}
	own := map[string]scopeData{}
	for _, f := range archive.Files {
		name, part, isCase := strings.Cut(f.Name, "/")
		switch {
		case f.Name == "scope":
			shared = readScope(t, f)
			got.Files = append(got.Files, f)
		case part == "scope" && isCase:
			own[name] = readScope(t, f)
			got.Files = append(got.Files, f)
		case part == "template":
			data, ok := own[name]
			if !ok {
				data = shared
			}
			got.Files = append(got.Files, f)
			t.Run(name, func(t *testing.T) {
				results := runCase(t, name, strings.TrimSuffix(string(f.Data), "\n"), data)
				got.Files = append(got.Files, results...)
				if !*update {
					compare(t, archive, name, results)
				}
			})
		}
	}
	if *update {
		if err := os.WriteFile(file, txtar.Format(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// runCase renders twice: a template and a state that were used are like new.
func runCase(t *testing.T, name, template string, data scopeData) []txtar.File {
	compiled, err := vtl.Parse(template)
	if err != nil {
		return []txtar.File{errorFile(t, name, err)}
	}
	scope := data.scope()
	out, err := compiled.Render([]byte("before"), scope)
	again, errAgain := compiled.Render(nil, data.scope())
	if fmt.Sprint(err) != fmt.Sprint(errAgain) {
		t.Errorf("rendered again it fails with %v, not %v", errAgain, err)
	}
	if err != nil {
		return []txtar.File{errorFile(t, name, err)}
	}
	out, ok := bytes.CutPrefix(out, []byte("before"))
	if !ok || !bytes.Equal(out, again) {
		t.Errorf("rendered again it is %q, not %q", again, out)
	}
	results := []txtar.File{{Name: name + "/output", Data: append(out, '\n')}}
	if text := printOverrides(scope.Overrides); text != "" {
		results = append(results, txtar.File{Name: name + "/overrides", Data: []byte(text)})
	}
	return results
}

func errorFile(t *testing.T, name string, err error) txtar.File {
	var where *vtl.Error
	if !errors.As(err, &where) || where.Line < 1 || where.Column < 1 || where.Reason == "" {
		t.Errorf("%v doesn't say where the template is wrong", err)
	}
	return txtar.File{Name: name + "/error", Data: []byte(err.Error() + "\n")}
}

func compare(t *testing.T, archive *txtar.Archive, name string, results []txtar.File) {
	t.Helper()
	for _, part := range []string{"/output", "/overrides", "/error"} {
		same := func(f txtar.File) bool { return f.Name == name+part }
		var got, want []byte
		if i := slices.IndexFunc(results, same); i >= 0 {
			got = results[i].Data
		}
		if i := slices.IndexFunc(archive.Files, same); i >= 0 {
			want = archive.Files[i].Data
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is\n%s\nwant\n%s", part[1:], got, want)
		}
	}
}

func printOverrides(o *plan.Overrides) string {
	var b strings.Builder
	for g, name := range []string{"request header", "request path", "request querystring", "request", "response header", "response"} {
		for _, v := range o.All(plan.OverrideGroup(g)) {
			fmt.Fprintf(&b, "%s %s = %s\n", name, v.Name, v.Value)
		}
	}
	if s := o.Status(); s != 0 {
		fmt.Fprintf(&b, "status %d\n", s)
	}
	return b.String()
}

// scopeData is a scope as JSON. Objects keep the order they are written in.
type scopeData struct {
	Body           *string
	JSON           json.RawMessage // a body that is JSON
	Path           pairs
	Query          pairs
	Header         pairs
	StageVariables map[string]string
	Context        contextData
}

func readScope(t *testing.T, f txtar.File) scopeData {
	t.Helper()
	var s scopeData
	d := json.NewDecoder(bytes.NewReader(f.Data))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		t.Fatalf("%s: %v", f.Name, err)
	}
	return s
}

func (s scopeData) scope() *vtl.Scope {
	body := []byte(s.JSON)
	if s.Body != nil {
		body = []byte(*s.Body)
	}
	return &vtl.Scope{
		Body:           body,
		Params:         paramData{s.Path, s.Query, s.Header},
		StageVariables: s.StageVariables,
		Context:        s.Context,
		Overrides:      &plan.Overrides{},
	}
}

type pairs [][2]string

func (p *pairs) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if _, err := d.Token(); err != nil {
		return err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var v string
		if err := d.Decode(&v); err != nil {
			return err
		}
		*p = append(*p, [2]string{name.(string), v})
	}
	return nil
}

type paramData [3]pairs

func (p paramData) Param(place vtl.Place, name string) (string, bool) {
	for _, pair := range p[place] {
		if pair[0] == name || place == vtl.HeaderParams && strings.EqualFold(pair[0], name) {
			return pair[1], true
		}
	}
	return "", false
}

func (p paramData) Params(place vtl.Place) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, pair := range p[place] {
			if !yield(pair[0], pair[1]) {
				return
			}
		}
	}
}

// contextData is $context as a tree; the two overrides stand where AWS has them,
// behind what is written.
type contextData struct {
	names  map[string][]string
	values map[string]string
}

func (c *contextData) UnmarshalJSON(data []byte) error {
	c.names, c.values = map[string][]string{}, map[string]string{}
	return c.read(json.NewDecoder(bytes.NewReader(data)), "")
}

func (c *contextData) read(d *json.Decoder, at string) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	if s, ok := token.(string); ok {
		c.values[at] = s
		return nil
	}
	c.names[at] = []string{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		c.names[at] = append(c.names[at], name.(string))
		if err := c.read(d, strings.TrimPrefix(at+"."+name.(string), ".")); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

func (c contextData) Get(name string) (string, bool) {
	v, ok := c.values[name]
	return v, ok
}

func (c contextData) Keys(name string) []string {
	if name == "" {
		return append(slices.Clone(c.names[""]), "requestOverride", "responseOverride")
	}
	return c.names[name]
}
