package awswire_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"gatehouse/internal/awsapi/acm"
	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awsapi/apigatewaymanagementapi"
	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/awsapi/iam"
	"gatehouse/internal/awsapi/lambda"
	"gatehouse/internal/awsapi/logs"
	"gatehouse/internal/awsapi/sts"
	"gatehouse/internal/awswire"
)

func services() map[string]*awswire.Service {
	return map[string]*awswire.Service{
		"acm": acm.NewService(acm.Unimplemented{}), "apigateway": apigateway.NewService(apigateway.Unimplemented{}),
		"apigatewaymanagementapi": apigatewaymanagementapi.NewService(apigatewaymanagementapi.Unimplemented{}),
		"apigatewayv2":            apigatewayv2.NewService(apigatewayv2.Unimplemented{}), "iam": iam.NewService(iam.Unimplemented{}),
		"lambda": lambda.NewService(lambda.Unimplemented{}), "logs": logs.NewService(logs.Unimplemented{}), "sts": sts.NewService(sts.Unimplemented{}),
	}
}

func archive(t *testing.T, name string) []txtar.File {
	t.Helper()
	a, err := txtar.ParseFile("testdata/snapshots/" + name + ".txtar")
	if err != nil {
		t.Fatal(err)
	}
	return a.Files
}

// TestRequestSnapshots decodes every operation with every member filled and
// compares the values that arrived with the values that were sent: nothing may
// be lost or made up.
func TestRequestSnapshots(t *testing.T) {
	all := services()
	var list []*awswire.Service
	for _, s := range all {
		list = append(list, s)
	}
	for _, name := range []string{"lambda", "iam", "sts", "acm", "logs"} {
		for _, file := range archive(t, name+".request") {
			t.Run(name+"/"+file.Name, func(t *testing.T) {
				req, sent := readRequest(t, all[name], file)
				d, err := awswire.Decode(req, list)
				if err != nil {
					t.Fatal(err)
				}
				if d.Service != name || d.Operation != file.Name {
					t.Fatalf("placed at %s %s", d.Service, d.Operation)
				}
				data, err := json.Marshal(d.Input)
				if err != nil {
					t.Fatal(err)
				}
				got, err := awswire.Leaves(data)
				if err != nil {
					t.Fatal(err)
				}
				got, sent = normal(got), normal(sent)
				if !slices.Equal(got, sent) {
					t.Errorf("decoded %v\nsent    %v\nof %s", got, sent, file.Data)
				}
			})
		}
	}
}

// normal sorts values and makes all times, and the text forms of numbers and
// booleans, alike.
func normal(list []string) []string {
	out := make([]string, 0, len(list))
	for _, s := range list {
		if bare, err := strconv.Unquote(s); err == nil {
			s = bare
		}
		for _, layout := range []string{time.RFC3339Nano, http.TimeFormat} {
			if at, err := time.Parse(layout, s); err == nil {
				s = strconv.FormatInt(at.Unix(), 10)
			}
		}
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			s = strconv.FormatFloat(f, 'f', -1, 64)
		}
		if s != "" {
			out = append(out, s)
		}
	}
	slices.Sort(out)
	return out
}

// readRequest makes a request of a snapshot and lists the values in it.
func readRequest(t *testing.T, s *awswire.Service, file txtar.File) (*http.Request, []string) {
	t.Helper()
	head, body, _ := strings.Cut(string(file.Data), "\n\n")
	body2 := ""
	if lines, rest, ok := strings.Cut(body, "\n\n"); ok {
		body, body2 = lines, rest
	}
	method, target, _ := strings.Cut(strings.TrimSpace(head), " ")
	body2 = strings.TrimSuffix(body2, "\n")
	req := httptest.NewRequest(method, "http://localhost/", strings.NewReader(body2))
	req.RequestURI = target
	var sent []string
	for line := range strings.Lines(body) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			continue
		}
		req.Header.Set(key, value)
		if strings.HasPrefix(key, "X-Amz-") && key != "X-Amz-Target" {
			sent = append(sent, value)
		}
	}
	path, query, _ := strings.Cut(target, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case req.Header.Get("Content-Type") == "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(body2)
		if err != nil {
			t.Fatal(err)
		}
		form.Del("Action")
		form.Del("Version")
		for key, list := range form {
			if !strings.HasSuffix(key, ".key") { // a map's keys aren't values
				sent = append(sent, list...)
			}
		}
		return req, sent
	case strings.HasPrefix(body2, "{"):
		leaves, err := awswire.Leaves([]byte(body2))
		if err != nil {
			t.Fatal(err)
		}
		sent = append(sent, leaves...)
	case body2 != "":
		sent = append(sent, base64Of(body2))
	}
	// Labels are the path's segments that the template doesn't spell.
	for _, op := range s.Operations {
		if op.Name != file.Name || op.Path == "" {
			continue
		}
		template, literal, _ := strings.Cut(op.Path, "?")
		fixed, err := url.ParseQuery(literal)
		if err != nil {
			t.Fatal(err)
		}
		for key := range fixed {
			values.Del(key)
		}
		names, given := strings.Split(template, "/"), strings.Split(path, "/")
		for i, seg := range names {
			if strings.HasPrefix(seg, "{") && i < len(given) {
				text, err := url.PathUnescape(given[i])
				if err != nil {
					t.Fatal(err)
				}
				sent = append(sent, text)
			}
		}
	}
	for _, list := range values {
		sent = append(sent, list...)
	}
	return req, sent
}

func base64Of(s string) string {
	text, err := json.Marshal([]byte(s))
	if err != nil {
		return ""
	}
	return string(text)
}

// TestResponseSnapshots reads what AWS answers, with every member filled, and
// writes it again.
func TestResponseSnapshots(t *testing.T) {
	all := services()
	for _, name := range []string{"lambda", "sts", "acm", "logs"} {
		s := all[name]
		for _, file := range archive(t, name+".response") {
			t.Run(name+"/"+file.Name, func(t *testing.T) {
				i := slices.IndexFunc(s.Operations, func(op awswire.Operation) bool { return op.Name == file.Name })
				if i < 0 {
					t.Skip("the model here is older or newer than the snapshot")
				}
				head, body, _ := bytes.Cut(file.Data, []byte("\n\n"))
				body = bytes.TrimSuffix(body, []byte("\n"))
				header := http.Header{}
				for line := range strings.Lines(string(head)) {
					if key, value, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
						header.Set(key, value)
					}
				}
				out := awswire.NewOutput(s, i)
				if out == nil {
					return
				}
				var form map[string]any
				if s.Protocols[0] == awswire.AWSQuery {
					form = result(t, body, file.Name)
				}
				if err := awswire.ReadAnswer(s, i, out, header, body, form); err != nil {
					t.Fatal(err)
				}
				_, gotHeader, got, err := awswire.Encode(s, i, out)
				if err != nil {
					t.Fatal(err)
				}
				for key := range header {
					if strings.HasPrefix(key, "X-Amz-") && key != "X-Amz-Target" && gotHeader.Get(key) != header.Get(key) {
						t.Errorf("%s: got %q, want %q", key, gotHeader.Get(key), header.Get(key))
					}
				}
				if form != nil {
					if again := result(t, got, file.Name); !reflect.DeepEqual(again, form) {
						t.Errorf("got  %v\nwant %v", again, form)
					}
					return
				}
				var g, w any
				if len(body) == 0 && string(got) == "{}" || statusOnly[file.Name] {
					return
				}
				if json.Unmarshal(body, &w) != nil {
					if !bytes.Equal(got, body) {
						t.Errorf("got %q, want %q", got, body)
					}
					return
				}
				if err := json.Unmarshal(got, &g); err != nil {
					t.Fatalf("%v in %s", err, got)
				}
				if !reflect.DeepEqual(g, w) {
					t.Errorf("got  %s\nwant %s", got, body)
				}
			})
		}
	}
}

// statusOnly are answers whose one member is the HTTP status; the snapshots put
// it into the body.
var statusOnly = map[string]bool{"DeleteFunction": true, "InvokeAsync": true}

// result is the tree below an answer's Result element; every name has a list.
func result(t *testing.T, body []byte, op string) map[string]any {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(body))
	var read func() any
	read = func() any {
		tree, text := map[string]any{}, ""
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				return tree
			}
			if err != nil {
				t.Fatal(err)
			}
			switch token := token.(type) {
			case xml.StartElement:
				list, _ := tree[token.Name.Local].([]any)
				tree[token.Name.Local] = append(list, read())
			case xml.CharData:
				text += string(token)
			case xml.EndElement:
				if len(tree) == 0 && strings.TrimSpace(text) != "" {
					return strings.TrimSpace(text)
				}
				return tree
			}
		}
	}
	root := read().(map[string]any)[op+"Response"].([]any)[0].(map[string]any)
	list, ok := root[op+"Result"].([]any)
	if !ok {
		return map[string]any{}
	}
	return list[0].(map[string]any)
}

// TestPatterns compiles every pattern of every model: one that Go can't
// express would check nothing.
func TestPatterns(t *testing.T) {
	for name, s := range services() {
		for _, typ := range s.Types {
			if typ.Pattern == "" {
				continue
			}
			if _, err := regexp.Compile(awswire.Translate(typ.Pattern)); err != nil {
				t.Errorf("%s: %s: %v", name, typ.Pattern, err)
			}
		}
	}
}

func TestTranslate(t *testing.T) {
	tests := []struct {
		pattern, text string
		want          bool
	}{
		{`[\w+=,.@-]+`, "a@b", true},
		{`[\w+=,.@-]+`, "a b", false},
		{`a`, "ba", false},
		{`[\u0020-\u00FF]+`, "é", true},
		{`[\u0020-\u00FF]+`, "\u1234", false},
		{`[\p{Alnum}_]+`, "a_1", true},
		{`\p{Print}{1,2048}`, strings.Repeat("x", 3000), true}, // the bound is the length constraint's
		{`[a]{2,1500}`, "a", false},
		{`(?!-)[a-z-]+`, "ab", true},
		{`.*`, "a\nb", true},
		{`[[a]+`, "[a", true},
		{`[a-z]{3}`, "abcd", false},
	}
	for _, tt := range tests {
		re, err := regexp.Compile(awswire.Translate(tt.pattern))
		if err != nil {
			t.Errorf("%s: %v", tt.pattern, err)
			continue
		}
		if got := re.MatchString(tt.text); got != tt.want {
			t.Errorf("%s against %q: %v", tt.pattern, tt.text, got)
		}
	}
}
