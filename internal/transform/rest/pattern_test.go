package rest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/dlclark/regexp2/v2"
)

func TestPattern(t *testing.T) {
	defer regexp2.StopTimeoutClock()
	for _, test := range []struct {
		pattern, text string
		want          bool
	}{
		{`4\d{2}`, "404", true},
		{`4\d{2}`, "4044", false},
		{`.*Bad.*`, "[Bad] input", true},
		{`.*Bad.*`, "Bad\ninput", false},
		{`(\n|.)*Bad(\n|.)*`, "so\nBad\n", true},
		{`(?i)bad`, "BAD", true},
		{`(?!2\d\d)\d+`, "404", true},
		{`(?!2\d\d)\d+`, "204", false},
		{`(?<=a)b|a(?=b)b`, "ab", true},
		{`(\w)\1`, "aa", true},
	} {
		p, err := compilePattern(test.pattern)
		if err != nil {
			t.Errorf("%s: %v", test.pattern, err)
			continue
		}
		if got, err := p.matches(test.text); got != test.want || err != nil {
			t.Errorf("%s on %q: %v %v", test.pattern, test.text, got, err)
		}
	}
	for text, want := range map[string]string{"(": "missing closing", "[a-z&&[^b]]": "intersected"} {
		if _, err := compilePattern(text); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), `\A`) {
			t.Errorf("%s: %v", text, err)
		}
	}
	var bad *PatternError
	if _, err := compilePattern(`(`); !errors.As(err, &bad) || bad.Pattern != "(" {
		t.Error(err)
	}
	// A pattern that would never end gives up in time.
	p, err := compilePattern(`(?=a)(a+)+b`)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if _, err := p.matches(strings.Repeat("a", 5_000)); err == nil || time.Since(start) > time.Minute {
		t.Errorf("%v, took %s", err, time.Since(start))
	}
}
