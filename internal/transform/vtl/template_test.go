package vtl_test

import (
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"gatehouse/internal/plan"
	"gatehouse/internal/transform/vtl"
)

func mustParse(t *testing.T, text string) *vtl.Template {
	t.Helper()
	compiled, err := vtl.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

func render(t *testing.T, text string, s *vtl.Scope) string {
	t.Helper()
	out, err := mustParse(t, text).Render(nil, s)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// A template of the response reads what one of the request set, as the value it
// was, and may set it itself.
func TestOverridesOutliveATemplate(t *testing.T) {
	overrides := &plan.Overrides{}
	render(t, `#set($context.requestOverride.path.body = $util.parseJson('{"message": ["a", "b"]}'))
#set($context.responseOverride.status = 444)
#set($context.responseOverride.header.foo = "bar")
#set($context.responseOverride.custom = "is also passed around")`, &vtl.Scope{Overrides: overrides})
	got := render(t, `$context.requestOverride.path.body.message[1] $context.responseOverride.status $context.responseOverride.header.foo $context.responseOverride.custom $context.responseOverride.keySet()`+
		`#set($context.responseOverride.status = 200)`, &vtl.Scope{Overrides: overrides})
	if want := "b 444 bar is also passed around [header, status, custom]"; got != want {
		t.Errorf("the response reads %q, want %q", got, want)
	}
	if overrides.Status() != 200 {
		t.Errorf("the status is %d, want the later 200", overrides.Status())
	}
	// What something else set has only a text.
	overrides.Set(plan.RequestHeader, plan.Override{Name: "h", Value: "v"})
	if got := render(t, "$context.requestOverride.header.h", &vtl.Scope{Overrides: overrides}); got != "v" {
		t.Errorf("a header of elsewhere reads %q, want v", got)
	}
}

func TestOverridesThatCantBe(t *testing.T) {
	_, err := mustParse(t, `#set($context.requestOverride.header.a = "b")`).Render(nil, &vtl.Scope{})
	if err == nil {
		t.Error("an override is taken that nobody gets")
	}
	if got := render(t, `[$context.requestOverride.header.a]`, &vtl.Scope{}); got != "[]" {
		t.Errorf("without overrides one reads %q", got)
	}
}

func TestLinesEnds(t *testing.T) {
	for _, c := range []struct{ name, template, want string }{
		{"crlf", "#set($a = 1)\r\n#if($a)\r\nx\r\n#end\r\ny\r\n", "x\r\ny\r\n"},
		{"cr", "#if(true) \rx#end\ry", "xy"},
		{"comment", "a ## c\r\nb##", "a b"},
		{"else", "#if(false)\r\na\r\n#else  \r\nb\r\n#end", "b\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := render(t, c.template, &vtl.Scope{}); got != c.want {
				t.Errorf("it is %q, want %q", got, c.want)
			}
		})
	}
}

// Whatever a template does ends soon and says why.
func TestLimits(t *testing.T) {
	doubling := "#set($x = 'xxxxxxxxxxxxxxxxxxxx')#foreach($i in [1..100])"
	for _, c := range []struct{ name, template, want string }{
		{"output", doubling + "#set($x = \"$x$x\")#end", "longer than 10 MB"},
		{"sum", doubling + "#set($x = $x + $x)#end", "longer than 10 MB"},
		{"concat", doubling + "#set($x = $x.concat($x))#end", "longer than 10 MB"},
		{"replace", doubling + "#set($x = $x.replace('x', $x))#end", "longer than 10 MB"},
		{"replaceAll", doubling + "#set($x = $x.replaceAll('(x)', 'x$1$1$1$1'))#end", "too many steps"},
		{"far-sighted pattern", doubling + "#set($x = $x + $x)#if($i == 12)#break#end#end$x.replaceAll('x(.*y)?', 'z')", "too many steps"},
		{"matches", doubling + "#set($x = $x + $x)#if($i == 11)#break#end#end$x.replaceAll('\\bx|x', 'y')", "too many matches"},
		{"print", "#set($x = 'xxxxxxxxxxxxxxxxxxxx')#foreach($i in [1..9])#set($x = $x + $x)#end#foreach($i in [1..1000])#foreach($i in [1..1000])$x#end#end", "longer than 10 MB"},
		{"list", "#set($l = [1])#foreach($i in [1..100])#set($ok = $l.addAll($l))#end", "too many elements"},
		{"range", "#set($l = [1..9999999])", "too many elements"},
		{"ranges", "#foreach($i in [1..1000])#set($l = [1..100000])#end", "too much data"},
		{"loops", "#foreach($a in [1..1000])#foreach($b in [1..1000])#foreach($c in [1..1000])#end#end#end", "too many steps"},
		{"steps", "#set($l = [1..1000])#foreach($a in $l)#foreach($b in $l)#foreach($c in $l)#end#end#end", "too many steps"},
		{"macros", "#macro(m $a)#m(\"$a$a\")#end#m(\"x\")", "20 deep"},
		{"names", "#macro(m $a $n)#if($n > 0)#set($k = $n - 1)#m(\"$a$a$a$a$a$a$a$a$a$a$a$a\" $k)#else$a#end#end#m(\"xxxxxxxxxx\" 12)", "longer than 10 MB"},
		{"maps", "#set($m = {})#foreach($i in [1..50])#set($n = {'a': $m, 'b': $m})#set($m = $n)#end$m", "longer than 10 MB"},
		{"equality", "#set($a = [])#set($b = [])#foreach($i in [1..60])#set($a = [$a, $a])#set($b = [$b, $b])#end#if($a == $b)x#end", "too many steps"},
		{"self-evaluation", "#set($e = '#evaluate($e)')#evaluate($e)", "nests too deep"},
		{"define", "#define($a)$b#end#define($b)$a#end$a", ""},
		{"big-integers", "#set($n = 9223372036854775807)#foreach($i in [1..1000])#set($n = $n * $n)#end", ""},
		{"join", "#set($l = [1..1000])#set($s = 'x')#foreach($i in [1..13])#set($s = $s + $s)#end$s.join($s, $l).length()$s.join($s.concat($s), $l)", "longer than 10 MB"},
		{"format", "#set($s = '%9999s')#foreach($i in [1..11])#set($s = $s + $s)#end$s.format($s, 1)", "more format specifiers"},
		{"paths", "#set($l = [])#foreach($i in [1..1000])#set($ok = $l.add([1..1000]))#end#set($r = $input.path('$'))#set($r.l = $l)$input.path('$..*').size()$input.path('$..[?(@.x =~ /y/)]').size()$input.path('$..*').size()$input.path('$..*').size()$input.path('$..*').size()", "too many values"},
	} {
		t.Run(c.name, func(t *testing.T) {
			start := time.Now()
			_, err := mustParse(t, c.template).Render(nil, &vtl.Scope{})
			if took := time.Since(start); took > maxRender {
				t.Errorf("it takes %v", took)
			}
			if c.want == "" && err == nil {
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("it fails with %v, want %q", err, c.want)
			}
		})
	}
}

// A message with more values than a rendering may keep is given up before all of
// them were read.
func TestMessagesOfTooManyValues(t *testing.T) {
	for _, message := range []string{
		"[" + strings.Repeat("0,", 5_000_000) + "0]",
		"{" + strings.Repeat("a:0,", 2_500_000) + "a:0}",
		"[" + strings.Repeat("[],", 3_300_000) + "0]",
	} {
		template := mustParse(t, "$input.path('$').size()")
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := template.Render(nil, &vtl.Scope{Body: []byte(message)}); err == nil || !strings.Contains(err.Error(), "too much data") {
			t.Errorf("%.10s: %v", message, err)
		}
		runtime.ReadMemStats(&after)
		// Slices that grow are copied again and again.
		if took := after.TotalAlloc - before.TotalAlloc; took > 1<<30 {
			t.Errorf("%.10s: it took %d MB", message, took>>20)
		}
	}
}

func TestLimitsOfTemplates(t *testing.T) {
	for _, c := range []struct{ name, template, want string }{
		{"length", strings.Repeat("x", vtl.MaxTemplate+1), "longer than 300 KB"},
		{"directives", strings.Repeat("#if(true)", 1000) + strings.Repeat("#end", 1000), "nests too deep"},
		{"parentheses", "#if(" + strings.Repeat("(", 10000), "nests too deep"},
		{"nots", "#if(" + strings.Repeat("!", 10000), "nests too deep"},
		{"lists", "#set($a = " + strings.Repeat("[", 10000), "nests too deep"},
		{"indexes", strings.Repeat("$a[", 10000), "nests too deep"},
		{"methods", strings.Repeat("$a.b(", 10000), "nests too deep"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := vtl.Parse(c.template)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("it fails with %v, want %q", err, c.want)
			}
		})
	}
}

func TestDeepMessages(t *testing.T) {
	deep := func(n int) []byte { return []byte(strings.Repeat("[", n) + strings.Repeat("]", n)) }
	if got := render(t, "$input.json('$')", &vtl.Scope{Body: deep(400)}); got != string(deep(400)) {
		t.Errorf("a body 400 deep comes out %d bytes long", len(got))
	}
	_, err := mustParse(t, "$input.json('$')").Render(nil, &vtl.Scope{Body: deep(401)})
	var e *vtl.Error
	if !errors.As(err, &e) || !e.Body {
		t.Errorf("a body 401 deep fails with %v, want the body to blame", err)
	}
	if got := render(t, "$input.body.length()", &vtl.Scope{Body: deep(100000)}); got != "200000" {
		t.Errorf("a body that nobody reads is %s long", got)
	}
}

func TestWhoIsToBlame(t *testing.T) {
	for _, c := range []struct {
		template, body string
		want           bool
	}{
		{"$input.path('$.a')", "{", true},
		{"$util.parseJson('{')", "{}", false},
		{"$input.path('$.[')", "{}", false},
	} {
		_, err := mustParse(t, c.template).Render(nil, &vtl.Scope{Body: []byte(c.body)})
		var e *vtl.Error
		if !errors.As(err, &e) || e.Body != c.want {
			t.Errorf("%s of %s blames the body: %v, want %v", c.template, c.body, !c.want, c.want)
		}
	}
}

func TestTemplatesAreShared(t *testing.T) {
	compiled := mustParse(t, typicalTemplate)
	want, err := compiled.Render(nil, typicalScope())
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 50 {
				if got, err := compiled.Render(nil, typicalScope()); err != nil || string(got) != string(want) {
					t.Errorf("it is %q, %v", got, err)
				}
			}
		})
	}
	wait.Wait()
}

// The body's memory is the caller's again when Render returns.
func TestRenderKeepsNoBody(t *testing.T) {
	overrides := &plan.Overrides{}
	body := []byte(`{"a": "kept"}`)
	render(t, `#set($context.requestOverride.header.a = $input.path('$.a'))`, &vtl.Scope{Body: body, Overrides: overrides})
	clear(body)
	if got := render(t, "$context.requestOverride.header.a", &vtl.Scope{Overrides: overrides}); got != "kept" {
		t.Errorf("an override reads %q after the body is gone", got)
	}
}

// Paths and patterns made at run time are kept, but not the memory they were
// made in.
func TestKeptPathsAreCopies(t *testing.T) {
	compiled := mustParse(t, "#set($p = $input.params('p'))$input.path($p) $input.body.replaceAll($p, '-')")
	memory := []byte("xxx")
	scope := &vtl.Scope{
		Body:   []byte(`{"$.a":1,"a":"A","b":"B"}`),
		Params: paramData{{{"p", unsafe.String(&memory[0], len(memory))}}},
	}
	for range 50 {
		for _, c := range [][2]string{{"$.a", "A"}, {"$.b", "B"}, {"[a]", ""}} {
			copy(memory, c[0])
			out, err := compiled.Render(nil, scope)
			if c[1] != "" && (err != nil || !strings.HasPrefix(string(out), c[1]+" ")) {
				t.Fatalf("%s gives %q, %v, want %s", c[0], out, err, c[1])
			}
		}
	}
}

func TestTypicalRenderingAllocatesLittle(t *testing.T) {
	compiled := mustParse(t, typicalTemplate)
	scope := typicalScope()
	var out []byte
	if got := testing.AllocsPerRun(100, func() { out, _ = compiled.Render(out[:0], scope) }); got > 14 {
		t.Errorf("a typical rendering makes %v allocations, want at most 14", got)
	}
}

// Replacing in a long text is no offence, if the pattern looks no further than
// it must.
func TestLongTextsCanBeReplaced(t *testing.T) {
	row := `{"name": "value",  "b": 12}, `
	body := strings.Repeat(row, 8000)
	for _, c := range []struct{ name, method, want string }{
		{"blanks", `replaceAll("\s+", " ")`, `{"name": "value", "b": 12}, `},
		{"quoted", `replaceAll('"([^"]*)"', '$1')`, `{name: value,  b: 12}, `},
		{"members", `replaceAll('"([a-z]+)": ', '$1=')`, `{name="value",  b=12}, `},
		{"plain", `replaceAll("\{", "[")`, `["name": "value",  "b": 12}, `},
		{"split", `split("[,:]").size()`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := render(t, "$input.body."+c.method, &vtl.Scope{Body: []byte(body)})
			if want := strings.Repeat(c.want, 8000); c.want != "" && got != want {
				t.Errorf("it begins %.80q, want %.80q", got, want)
			}
		})
	}
}
