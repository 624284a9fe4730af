// Package sdk drives the real program with AWS's own SDKs and command line.
//
// For each resource it replays the calls that Terraform's AWS provider (5.46)
// makes to create, refresh, update and delete it, and compares whole answers: a
// member that wasn't written must be absent or AWS's default, or the next plan
// would show a difference.
package sdk

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"

	"gatehouse/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// account and region are what a gateway gives calls that name none.
const (
	account = "000000000000"
	region  = "us-east-1"
)

// must fails the test for an error.
func must[T any](out T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// present is a member that the test can't know but that must be there.
func present[T any](t testing.TB, name string, p *T) *T {
	t.Helper()
	if p == nil {
		t.Errorf("%s is absent", name)
	}
	return p
}

// recent is a time that must lie around now.
func recent(t testing.TB, name string, at *time.Time) *time.Time {
	t.Helper()
	if present(t, name, at) == nil {
		return nil
	}
	if d := time.Since(*at); d < -time.Minute || d > time.Hour {
		t.Errorf("%s is %v, which is %v ago", name, at, d)
	}
	return at
}

// same compares an answer with what is wanted, member by member; it tells an
// absent member from an empty one.
func same(t testing.TB, what string, got, want any) {
	t.Helper()
	g, w := lines(t, got), lines(t, want)
	if g == w {
		return
	}
	t.Errorf("%s:\n%s", what, diff(g, w))
}

func lines(t testing.TB, v any) string {
	t.Helper()
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// diff shows the lines that only one side has.
func diff(got, want string) string {
	var out strings.Builder
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	in := func(line string, all []string) bool {
		for _, l := range all {
			if l == line {
				return true
			}
		}
		return false
	}
	for _, l := range g {
		if !in(l, w) {
			out.WriteString("got  " + l + "\n")
		}
	}
	for _, l := range w {
		if !in(l, g) {
			out.WriteString("want " + l + "\n")
		}
	}
	return out.String()
}

// fails wants an error with a code.
func fails(t testing.TB, err error, code string) {
	t.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code {
		t.Errorf("error %v, want %s", err, code)
	}
}

// zipOf packs one file.
func zipOf(t testing.TB, name, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
