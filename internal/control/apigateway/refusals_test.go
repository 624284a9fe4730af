package apigateway_test

import (
	"strings"
	"testing"
)

// A refusal is an error and what it must say; want may be its beginning.
type refusal struct {
	name string
	err  error
	want string
}

func checkRefusals(t *testing.T, all []refusal) {
	t.Helper()
	for _, test := range all {
		if got := describeError(test.err); got != test.want && !(strings.HasSuffix(test.want, "…") && strings.HasPrefix(got, strings.TrimSuffix(test.want, "…"))) {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
	}
}
