package compile

import (
	"strings"
	"testing"

	"gatehouse/internal/arn"
)

// What is taken for a function has an ARN that names it, and every variable in
// a text is replaced.
func FuzzParseFunction(f *testing.F) {
	for _, uri := range []string{
		"arn:aws:lambda:us-east-1:000000000000:function:hello", "arn:aws:lambda:us-east-1:000000000000:function:hello:live",
		"arn:aws:lambda:us-east-1:000000000000:function:hello:$LATEST",
		"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:hello/invocations",
		"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions//invocations", "arn:aws:lambda:::function:", "https://h",
	} {
		f.Add(uri)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		ref, err := parseFunction(uri)
		if err != nil {
			return
		}
		a, err := arn.Parse(ref.ARN)
		if err != nil || a.Resource != "function:"+ref.Name || a.Region != ref.Region || a.Account != ref.Account {
			t.Errorf("%q became %+v", uri, ref)
		}
		if !strings.Contains(uri, ref.ARN) {
			t.Errorf("%q doesn't contain %s", uri, ref.ARN)
		}
		// The plain form of what was found is found again.
		plain := ref.ARN
		if ref.Qualifier != "" {
			plain += ":" + ref.Qualifier
		}
		if again, err := parseFunction(plain); err != nil || again != ref {
			t.Errorf("%q became %+v, and that %+v, %v", uri, ref, again, err)
		}
	})
}

func FuzzExpand(f *testing.F) {
	for _, text := range []string{"${stageVariables.a}", "x${stageVariables.a}${stageVariables.b}y", "${stageVariables.", "${stageVariables.}", "${stageVariables.a-b}", "${other}", "$${stageVariables.a}}"} {
		f.Add(text, "v")
	}
	f.Fuzz(func(t *testing.T, text, v string) {
		expanded, err := anyVariables(text, "v")
		if err == nil && strings.Contains(expanded, variablePrefix) {
			t.Errorf("%q expanded to %q", text, expanded)
		}
		if !strings.Contains(text, variablePrefix) && (err != nil || expanded != text) {
			t.Errorf("%q without variables became %q, %v", text, expanded, err)
		}
		// Values aren't read again.
		if got, err := expand("<${stageVariables.a}>", map[string]string{"a": v}); err != nil || got != "<"+v+">" {
			t.Errorf("the value %q became %q, %v", v, got, err)
		}
	})
}
