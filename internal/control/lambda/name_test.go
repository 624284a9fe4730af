package lambda

import (
	"regexp"
	"strings"
	"testing"
)

func TestParseName(t *testing.T) {
	tests := []struct {
		in   string
		want Name
		ok   bool
	}{
		{"hello", Name{Function: "hello"}, true},
		{"hello:1", Name{Function: "hello", Qualifier: "1"}, true},
		{"hello:live", Name{Function: "hello", Qualifier: "live"}, true},
		{"hello:$LATEST", Name{Function: "hello", Qualifier: "$LATEST"}, true},
		{"function:hello", Name{Function: "hello"}, true},
		{"function", Name{Function: "function"}, true},
		{"function:$LATEST", Name{Function: "function", Qualifier: "$LATEST"}, true},
		{"123456789012:function:hello:1", Name{Account: "123456789012", Function: "hello", Qualifier: "1"}, true},
		{"123456789012:hello", Name{Account: "123456789012", Function: "hello"}, true},
		{"123456789012:$LATEST", Name{Function: "123456789012", Qualifier: "$LATEST"}, true},
		{"us-east-1:$LATEST", Name{Function: "us-east-1", Qualifier: "$LATEST"}, true},
		{"us-east-1:123456789012:hello", Name{Region: "us-east-1", Account: "123456789012", Function: "hello"}, true},
		{"arn:aws:lambda:us-east-1:123456789012:function:hello", Name{"us-east-1", "123456789012", "hello", ""}, true},
		{"arn:aws:lambda:us-gov-west-1:123456789012:function:hello:live", Name{"us-gov-west-1", "123456789012", "hello", "live"}, true},
		{"arn:aws-cn:lambda:cn-north-1:123456789012:function:a_b-C", Name{"cn-north-1", "123456789012", "a_b-C", ""}, true},
		{"arn:aws-eusc:lambda:eusc-de-east-1:123456789012:function:f", Name{"eusc-de-east-1", "123456789012", "f", ""}, true},
		{"arn:aws:lambda:us-east-1:123456789012:function", Name{"us-east-1", "123456789012", "function", ""}, true},
		{in: "*"},
		{in: ""},
		{in: "my-function!"},
		{in: "invalid-account:function:my-function"},
		{in: "arn:aws:lambda:invalid-region:123456789012:function:hello"},
		{in: "arn:aws:ec2:us-east-1:123456789012:instance:i-1"},
		{in: "arn:aws:lambda:us-east-1:123456789012:function:hello:1:2"},
		{in: "function:my-function:$LATEST:extra"},
		{in: "arn:aws:lambda::123456789012:function:hello"},
		{in: "arn:aws:lambda:us-east-1::function:hello"},
		{in: "arn:aws:lambda:us-east-1:123456789012:function:hello:$LATES"},
		{in: "hello:"},
		{in: "hello\n"},
	}
	for _, tt := range tests {
		got, ok := ParseName(tt.in)
		if ok != tt.ok || got != tt.want {
			t.Errorf("ParseName(%q) = %+v, %v, want %+v, %v", tt.in, got, ok, tt.want, tt.ok)
		}
	}
}

// FuzzParseName compares the parser with AWS's own patterns.
func FuzzParseName(f *testing.F) {
	for _, s := range []string{
		"hello", "hello:1", "function:$LATEST", "us-east-1:$LATEST", "123456789012:$LATEST.PUBLISHED", "a.b", "eusc-aa-gov-x-1:f",
		"arn:aws:lambda:us-iso-east-1:123456789012:function:a.b:$LATEST.PUBLISHED", "arn::lambda:us-isob-b-1:f:1", "arn:aws-:lambda:f",
		"us-iso-1:f", "us-isoa-a-1:f", "aa-gov-1:f", "123456789012:123456789012:1",
	} {
		f.Add(s)
	}
	existing := regexp.MustCompile(`^(?:` + functionNamePattern + `)$`)
	create := regexp.MustCompile(`^(?:` + createNamePattern + `)$`)
	f.Fuzz(func(t *testing.T, s string) {
		if strings.HasSuffix(s, "\n") {
			return // $ would let it pass
		}
		for _, form := range []struct {
			existing bool
			pattern  *regexp.Regexp
		}{{true, existing}, {false, create}} {
			m := form.pattern.FindStringSubmatch(s)
			got, ok := parseName(s, form.existing)
			if ok != (m != nil) {
				t.Fatalf("parseName(%q, %v) = %+v, %v; AWS's pattern gives %q", s, form.existing, got, ok, m)
			}
			if !ok {
				continue
			}
			// Counted by their opening parentheses.
			group := func(i int) string { return m[i] }
			region, account := strings.TrimSuffix(group(3), ":"), strings.TrimSuffix(group(9), ":")
			function := group(11)
			qualifier := strings.TrimPrefix(group(12), ":")
			if want := (Name{region, account, function, qualifier}); got != want {
				t.Fatalf("parseName(%q, %v) = %+v, AWS's pattern gives %+v", s, form.existing, got, want)
			}
		}
	})
}

func TestSplitARN(t *testing.T) {
	tests := []struct{ in, function, qualifier string }{
		{"arn:aws:lambda:us-east-1:123456789012:function:f", "arn:aws:lambda:us-east-1:123456789012:function:f", ""},
		{"arn:aws:lambda:us-east-1:123456789012:function:f:live", "arn:aws:lambda:us-east-1:123456789012:function:f", "live"},
		{"", "", ""},
		{":::::::", "::::::", ""},
	}
	for _, tt := range tests {
		function, qualifier := splitARN(tt.in)
		if function != tt.function || qualifier != tt.qualifier {
			t.Errorf("splitARN(%q) = %q, %q, want %q, %q", tt.in, function, qualifier, tt.function, tt.qualifier)
		}
	}
}

func TestIsRoleARN(t *testing.T) {
	pattern := regexp.MustCompile(`^(?:` + rolePattern + `)$`)
	for _, s := range []string{
		"arn:aws:iam::123456789012:role/r", "arn:aws:iam::123456789012:role/service/r", "arn::iam::123456789012:roler",
		"arn:aws:iam::123456789012:role/", "arn:aws:iam::123456789012:role", "r1", "", "arn:aws:iam::12345678901:role/r",
		"arn:aws:iam::123456789012:role/r!", "arn:aws:iam::123456789012:user/r", "arn:aws:iam::123456789012:role//",
	} {
		if got, want := isRoleARN(s), pattern.MatchString(s); got != want {
			t.Errorf("isRoleARN(%q) = %v, want %v", s, got, want)
		}
	}
}
