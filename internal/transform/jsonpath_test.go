package transform

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestJSONPath(t *testing.T) {
	const doc = ` { "a" : {"b c":"x y","d.e":[10, {"f":"\"\\\/\b\f\n\r\t\u00e4\ud83d\ude00\ud83d\u0041\ud83d"}, [true, false, null], "s"]},
		"n":-1.5e3, "t":true, "z":null, "o": {"k" : [1 , "2}"] } , "empty":"", "\u0061\u0022":"escaped", "a":"second", "ä":"utf-8", "":"no name" } trailing`
	for _, test := range []struct{ path, want string }{
		{".n", "-1.5e3"},
		{".t", "true"},
		{".z", ""},
		{".o", `{"k" : [1 , "2}"] }`},
		{".o.k", `[1 , "2}"]`},
		{".o.k[0]", "1"},
		{".o.k[1]", "2}"},
		{".o.k[2]", ""},
		{".empty", ""},
		{"['a']['b c']", "x y"},
		{`["a"]["b c"]`, "x y"},
		{".a.b c", "refused"},
		{".a['d.e'][0]", "10"},
		{".a['d.e'][1].f", "\"\\/\b\f\n\r\tä😀\ufffdA\ufffd"},
		{".a['d.e'][2]", "[true, false, null]"},
		{".a['d.e'][2][1]", "false"},
		{".a['d.e'][2][2]", ""},
		{".a['d.e'][3]", "s"},
		{".a['d.e'][3][0]", ""},
		{".a['d.e'][3].x", ""},
		{".a['d.e'][4]", ""},
		{".a['d.e'][999999999]", ""},
		{".a['d.e'].x", ""},
		{".a[0]", ""},
		{".none", ""},
		{".n.x", ""},
		{`['a"']`, "escaped"},
		{".ä", "utf-8"},
		{"['']", "no name"},
		{"", "refused"},
		{".", "refused"},
		{"..a", "refused"},
		{".a.", "refused"},
		{".a..b", "refused"},
		{".*", "refused"},
		{"[*]", "refused"},
		{"[]", "refused"},
		{"[-1]", "refused"},
		{"[1:2]", "refused"},
		{"[0", "refused"},
		{"[1234567890]", "refused"},
		{"['a'", "refused"},
		{"['a", "refused"},
		{"['a','b']", "refused"},
		{"[a]", "refused"},
		{"[?(@.a)]", "refused"},
		{".length()", "refused"},
		{".a]", "refused"},
		{"a", "refused"},
		{".a x", "refused"},
	} {
		got := "refused"
		if path, ok := parseJSONPath(test.path); ok {
			got = string(path.append(nil, []byte(doc)))
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.path, got, test.want)
		}
	}
}

// A body is looked at in its first 100 KB, whatever becomes of it behind them.
func TestJSONPathOfLongBody(t *testing.T) {
	path, _ := parseJSONPath(".a")
	for _, test := range []struct {
		name string
		doc  string
		want string
	}{
		{"before the cut", `{"a":"x","b":"` + strings.Repeat("y", maxPathBody), "x"},
		{"ends at the cut", `{"b":"` + strings.Repeat("y", maxPathBody-16) + `","a":"x"}`, "x"},
		{"ends behind the cut", `{"b":"` + strings.Repeat("y", maxPathBody-14) + `","a":"x"}`, ""},
		{"behind the cut", `{"b":"` + strings.Repeat("y", maxPathBody) + `","a":"x"}`, ""},
		{"number cut off", `{"b":"` + strings.Repeat("y", maxPathBody-15) + `","a":12345}`, ""},
		{"object cut off", `{"a":{"b":"` + strings.Repeat("y", maxPathBody) + `"}}`, ""},
	} {
		if got := string(path.append(nil, []byte(test.doc))); got != test.want {
			t.Errorf("%s: %.20q, want %q", test.name, got, test.want)
		}
	}
}

// naive is what a path leads to according to encoding/json.
func naive(path jsonPath, doc []byte) string {
	for _, s := range path {
		found := false
		d := json.NewDecoder(bytes.NewReader(doc))
		open, err := d.Token()
		for i := 0; err == nil && d.More() && !found; i++ {
			if s.index >= 0 {
				found = open == json.Delim('[') && i == s.index
			} else if name, _ := d.Token(); open == json.Delim('{') {
				found = name == s.name
			} else {
				break
			}
			var value json.RawMessage
			err = d.Decode(&value)
			if found {
				doc = value
			}
		}
		if !found {
			return ""
		}
	}
	if string(doc) == "null" {
		return ""
	}
	var text string
	if json.Unmarshal(doc, &text) == nil {
		return text
	}
	return string(doc)
}

// A scan finds in a document what encoding/json finds, in a document that is
// cut off the same or nothing, and in what is no document it comes to an end.
func FuzzJSONPath(f *testing.F) {
	f.Add(".a[1].b", []byte(`{"a":[0,{"b":"\u00e4\ud83d\ude00"}]}`), 12)
	f.Add("['a b'].c", []byte(`{"a b":{"c":{"d":[1,2]}}}`), 20)
	f.Add(".a", []byte(`{"\u0061":1.5e3,"a":2}`), 0)
	f.Add("[0]", []byte(`["\\\""`), 5)
	f.Fuzz(func(t *testing.T, text string, doc []byte, cut int) {
		path, ok := parseJSONPath(text)
		if !ok {
			return
		}
		before := bytes.Clone(doc)
		got := string(path.append(nil, doc))
		if !bytes.Equal(doc, before) {
			t.Fatal("the document was written to")
		}
		if cut >= 0 && cut < len(doc) && json.Valid(doc) {
			if short := string(path.append(nil, doc[:cut])); short != "" && short != got {
				t.Errorf("%q in %q: %q, want %q or nothing", text, doc[:cut], short, got)
			}
		}
		if json.Valid(doc) && utf8.Valid(doc) && utf8.ValidString(text) {
			if want := naive(path, doc); got != want {
				t.Errorf("%q in %q: %q, want %q", text, doc, got, want)
			}
		}
	})
}
