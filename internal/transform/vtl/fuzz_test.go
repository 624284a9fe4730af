package vtl_test

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"gatehouse/internal/plan"
	"gatehouse/internal/transform/vtl"
)

// maxRender is more than any rendering may take, on a busy machine too.
const maxRender = 5 * time.Minute

// A template of any text, rendered for any body, ends, in bounds, without a
// panic, and is the same when it is rendered again.
func FuzzRender(f *testing.F) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, part := range archive.Files {
			if strings.HasSuffix(part.Name, "/template") {
				f.Add(string(part.Data), typicalBody)
			}
		}
	}
	f.Add("$input.json('$')", `{"a":1,"a":2,"\ud800":[null,-0,1e999]}`)
	f.Fuzz(func(t *testing.T, template, body string) {
		start := time.Now()
		compiled, err := vtl.Parse(template)
		if err != nil {
			wantPlace(t, err, template)
			return
		}
		render := func() ([]byte, error) {
			s := typicalScope()
			s.Body = []byte(body)
			s.Overrides = &plan.Overrides{}
			return compiled.Render(nil, s)
		}
		first, err := render()
		if took := time.Since(start); took > maxRender {
			t.Errorf("it takes %v", took)
		}
		second, errAgain := render()
		if fmt.Sprint(err) != fmt.Sprint(errAgain) || err == nil && !bytes.Equal(first, second) {
			t.Errorf("rendered again it gives %q, %v, not %q, %v", second, errAgain, first, err)
		}
		if err != nil {
			wantPlace(t, err, template)
			return
		}
		if len(first) > 11<<20 {
			t.Errorf("%d bytes come out", len(first))
		}
	})
}

func wantPlace(t *testing.T, err error, template string) {
	t.Helper()
	var e *vtl.Error
	if !errors.As(err, &e) || e.Line < 1 || e.Column < 1 || e.Reason == "" || e.Line > 1+strings.Count(template, "\n") {
		t.Errorf("%v says nothing of where", err)
	}
}

// A path of any text ends the same way.
func FuzzPath(f *testing.F) {
	for _, path := range []string{
		"$", "$.a.b", "$['a','b']", "$..a[?(@.b == 'c' && !(@.d) || @.e =~ /x/i)]", "$.a[1:2:3]", "$.a[-1,2]",
		"$.tags.concat('x', 1)", "$..*", "$[?(@.a in ['b', 1, null])]", "$.a[?($.b.length() > 1)]",
	} {
		f.Add(path, typicalBody)
	}
	compiled, err := vtl.Parse("#set($p = $input.params('p'))$input.json($p)")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, path, body string) {
		out, err := compiled.Render(nil, &vtl.Scope{Body: []byte(body), Params: paramData{{{"p", path}}}})
		if err != nil {
			wantPlace(t, err, "")
		} else if len(out) == 0 {
			t.Error("JSON is never empty")
		}
	})
}
