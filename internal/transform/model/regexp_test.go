package model

import (
	"math/big"
	"strings"
	"testing"
)

// A rational is two numbers as fractions.
type rational struct{ a, b big.Rat }

// of reads numbers that aren't too large for fractions.
func (r *rational) of(a, b string) (*rational, bool) {
	for _, text := range []string{a, b} {
		if i := strings.IndexAny(text, "eE"); i >= 0 && len(text)-i > 4 {
			return nil, false
		}
	}
	_, first := r.a.SetString(strings.TrimSpace(a))
	_, second := r.b.SetString(strings.TrimSpace(b))
	return r, first && second
}

func TestPatterns(t *testing.T) {
	for _, test := range []struct {
		source, text string
		want         bool
	}{
		{`^\d{3}-\w+$`, "123-abc", true},
		{`\/a\-b\_c\.d`, "/a-b_c.d", true},
		{`a.b`, "a\nb", false},
		{`a.b`, "a\u2028b", false},
		{`a[^]b`, "a\nb", true},
		{`a[]b`, "ab", false},
		{`^a{,2}$`, "a{,2}", true},
		{`^{a}$`, "{a}", true},
		{`^x{0,2048}$`, strings.Repeat("x", 2048), true},
		{`^x{0,2048}$`, strings.Repeat("x", 2049), false},
		{`^(ab|c){1500}$`, strings.Repeat("ab", 1499) + "c", true},
		{`^(ab|c){1500}$`, strings.Repeat("c", 1499), false},
		{`^[a-c]{1001,}?$`, strings.Repeat("b", 3000), true},
		{`^[a-c]{1001,}?$`, strings.Repeat("b", 1000), false},
		{`\u0041\x42\cJ\0`, "AB\n\x00", true},
		{`^\ud83d\ude00$`, "\U0001F600", true},
		{`[\b]`, "\b", true},
		{`a\bb`, "ab", false},
		{`^[[:alpha:]]$`, "a]", true},
		{`^[\w.+-]+@[\w-]+\.[\w.-]+$`, "a.b+c@d-e.example", true},
		{`^[a&&b]$`, "&", true},
		{`^\ö\q$`, "öq", true},
		{`(?<year>\d)`, "1", true},
		{`^(?=.*[A-Z])(?=.*\d)(?!.*pass).{8,}$`, "Abcdefg1", true},
		{`^(?=.*[A-Z])(?=.*\d)(?!.*pass).{8,}$`, "abcdefg1", false},
		{`^(?=.*[A-Z])(?=.*\d)(?!.*pass).{8,}$`, "Abcdefgh", false},
		{`^(?=.*[A-Z])(?=.*\d)(?!.*pass).{8,}$`, "Abcpass1", false},
		{`^(?=.*[A-Z])(?=.*\d)(?!.*pass).{8,}$`, "Abcdef1", false},
		{`^(?!(?:a|b)$)`, "a", false},
		{`^(?!(?:a|b)$)`, "ab", true},
		{`^(?=a|b)(c|b)$`, "b", true},
		{`^(?=a|b)(c|b)$`, "c", false},
		{`^(?=[)|(]\))[^x]*$`, "|)", true},
	} {
		p, err := newPattern(test.source)
		if err != nil {
			t.Errorf("%s: %v", test.source, err)
			continue
		}
		if got := p.matches([]byte(test.text)); got != test.want {
			t.Errorf("%s (%s): %.40q %v", test.source, p.re, test.text, got)
		}
	}
	for _, source := range []string{`(?=a)`, `(?!a)`, `^(?=a)b|c`, `^(?=a)*b`, `^(?=(a`, `^(?=(?=a)b)c`, `^a(?=b)`, `^(?=(a)\1)a`, `(?<=a)b`, `(?<!a)b`, `(a)\1`, `(?<n>a)\k<n>`, `a{2,1}{`, `x{20000}`, `(x{5000}){5000}`, `\ud83d`, `[a`, `a\`, `(?i)a`, `*`} {
		if p, err := newPattern(source); err == nil {
			t.Errorf("%s is taken as %.100s", source, p.re)
		}
	}
}

// An expression that takes exponential time elsewhere takes none of note.
func TestPathologicalPattern(t *testing.T) {
	p, err := newPattern(`^(([a-z])+.)+[A-Z]([a-z])+$`)
	if err != nil {
		t.Fatal(err)
	}
	if p.matches([]byte(strings.Repeat("a", 100_000))) {
		t.Error("it matches")
	}
}

func TestFormats(t *testing.T) {
	for name, texts := range map[string][2][]string{
		"date-time": {{"2020-02-29T23:59:59Z", "2020-01-01T00:00:00.1+01:00"}, {"2021-02-29T00:00:00Z", "2020-01-01T00:00:00", "2020-01-01T00:00:00.Z", "2020-01-01 00:00:00Z", strings.Repeat("2", 100)}},
		"email":     {{"a@b", "a.b+c@d-e.example"}, {"", "a@", "@b", "a b@c", "a@b..c", ".a@b", "a..b@c", "a@b@c", "a@-b"}},
		"hostname":  {{"a", "a.b-c.example", "localhost."}, {"", "a..b", "-a.b", "a_b.1", strings.Repeat("a", 64), strings.Repeat("a.", 200)}},
		"ipv4":      {{"1.2.3.4"}, {"1.2.3", "1.2.3.256", "::1", "01.2.3.4"}},
		"ipv6":      {{"::1", "fe80::1"}, {"1.2.3.4", "fe80::1%eth0", ":::"}},
		"uri":       {{"http://a/b?c=%20#d", "urn:a", "/relative"}, {"a b", "http://a/%2", "a{b}", ":a", "a\"b"}},
		"uuid":      {{"a1b2c3d4-0000-1111-2222-ABCDEF123456"}, {"a1b2c3d4000011112222ABCDEF123456", "g1b2c3d4-0000-1111-2222-ABCDEF123456", "a1b2c3d4-0000-1111-2222-ABCDEF1234567"}},
		"regex":     {{"a{2000}", `\d`}, {"(", strings.Repeat("a", 1000)}},
	} {
		f := parseFormat(name)
		for _, text := range texts[0] {
			if !f.holds(text) {
				t.Errorf("%q is no %s", text, name)
			}
		}
		for _, text := range texts[1] {
			if f.holds(text) {
				t.Errorf("%q is a %s", text, name)
			}
		}
	}
}
