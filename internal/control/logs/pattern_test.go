package logs

import "testing"

func TestPattern(t *testing.T) {
	const json = `{"eventType":"UpdateTrail","n":123,"f":1.5,"ok":true,"no":false,"nil":null,"ip":"10.1.2.3",
		"user":{"name":"Ann B","tags":["a","b"]},"list":[{"x":1},{"x":2}],"odd key":"v"}`
	const line = `127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534`
	for _, test := range []struct {
		pattern, message string
		want             bool
	}{
		{"", "anything", true},
		{"  ", "anything", true},
		{"ERROR", "an ERROR here", true},
		{"ERROR", "[ERROR] here", true},
		{"ERROR", "an error here", false},
		{"ERROR", "ERRORS here", false},
		{"ERROR", "ERRORS and ERROR", true},
		{"ERROR", "MY_ERROR", false},
		{"ERROR timeout", "timeout after ERROR", true},
		{"ERROR timeout", "ERROR", false},
		{`"out of memory"`, "it ran out of memory.", true},
		{`"out of memory"`, "memory out of", false},
		{`"say \"hi\""`, `they say "hi"`, true},
		{"ERROR -EXIT", "ERROR", true},
		{"ERROR -EXIT", "ERROR on EXIT", false},
		{`-"not this"`, "that", true},
		{`-"not this"`, "not this", false},
		{"?ERROR ?WARN", "WARN", true},
		{"?ERROR ?WARN", "INFO", false},
		{"?ERROR INFO", "INFO", true},
		{"%err[a-z]+%", "some errors", true},
		{"%^x%", "yx", false},
		{"10.0.0.1", "from 10.0.0.1:80", true},

		{`{ $.eventType = "UpdateTrail" }`, json, true},
		{`{ $.eventType = UpdateTrail }`, json, true},
		{`{$.eventType="Update*"}`, json, true},
		{`{ $.eventType = "Other" }`, json, false},
		{`{ $.eventType != "Other" }`, json, true},
		{`{ $.missing != "Other" }`, json, false},
		{`{ $.ip = %10\.1\.2\..% }`, json, true},
		{`{ $.ip != 10.2.* }`, json, true},
		{`{ $.n = 123 }`, json, true},
		{`{ $.n > 122.5 && $.n <= 123 }`, json, true},
		{`{ $.n < 1.2e2 }`, json, false},
		{`{ $.f = 1.50 }`, json, true},
		{`{ $.n = 1 || ($.f > 1 && $.ok IS TRUE) }`, json, true},
		{`{ $.ok IS FALSE }`, json, false},
		{`{ $.no is false }`, json, true},
		{`{ $.nil IS NULL }`, json, true},
		{`{ $.n IS NULL }`, json, false},
		{`{ $.gone NOT EXISTS }`, json, true},
		{`{ $.n NOT EXISTS }`, json, false},
		{`{ $.user.name = "Ann*" }`, json, true},
		{`{ $.user.tags[1] = b }`, json, true},
		{`{ $.user.tags[2] = b }`, json, false},
		{`{ $.user.tags[*] = a }`, json, true},
		{`{ $.list[*].x = 2 }`, json, true},
		{`{ $['odd key'] = v }`, json, true},
		{`{ $["odd key"] = v }`, json, true},
		{`{ $.user = x }`, json, false},
		{`{ $.a = 1 }`, "not json", false},
		{`{ $.a = 1 }`, `{"a":`, false},
		{`{ $.a = 1 }`, "{\"a\":1}\n", true},

		{"[ip, id, user, time, request, status, bytes]", line, true},
		{"[ip, id, user, time, request, status=4*, bytes]", line, true},
		{"[ip, id, user, time, request, status=404, bytes>1000]", line, true},
		{"[ip, id, user, time, request, status=404, bytes<1000]", line, false},
		{"[ip, ..., status=404, bytes]", line, true},
		{"[..., status=200, bytes]", line, false},
		{`[ip, id, user, time, request="*.html *", ...]`, line, true},
		{"[ip, id, user=frank || user=ann, ...]", line, true},
		{"[ip, id, user!=frank && user!=ann, ...]", line, false},
		{"[..., size, bytes = %^1[0-9]+$%]", line, true},
		{"[a, b]", line, false},
		{"[a]", "one", true},
	} {
		p, err := ParsePattern(test.pattern)
		if err != nil {
			t.Errorf("%s: %v", test.pattern, err)
			continue
		}
		if got := p.Match(test.message); got != test.want {
			t.Errorf("%s on %s = %v, want %v", test.pattern, test.message, got, test.want)
		}
	}
}

func TestPatternRefused(t *testing.T) {
	for _, pattern := range []string{
		`"open`, "%open", "%[%", "-", "?", "a ?", "(x)",
		"{", "{}", "{ $ }", "{ $.a }", "{ $.a = }", "{ $.a = 1", "{ $.a = 1 } x", "{ $.a > x }", "{ a = 1 }",
		"{ $.a[x] = 1 }", "{ $.a[99999999999999999999] = 1 }", "{ ($.a = 1 }", "{ $.a = 1 && }", "{ $..a = 1 }",
		"[", "[]", "[a", "[a] b", "[..., ...]", "[a=]", "[a=1 || b=2]", "[a,]",
	} {
		if p, err := ParsePattern(pattern); err == nil {
			t.Errorf("ParsePattern(%s) = %v", pattern, p)
		}
	}
}

func FuzzPattern(f *testing.F) {
	f.Add(`{ ($.a[0].b = "x*" || $.c IS NULL) && $.d != %y% }`, `{"a":[{"b":"xy"}]}`)
	f.Add(`[a, b=1 && b<2, ..., c=%x%]`, `x "y z" [w]`)
	f.Add(`ERROR -"not this" ?maybe %re%`, "ERROR")
	f.Fuzz(func(t *testing.T, pattern, message string) {
		if p, err := ParsePattern(pattern); err == nil {
			p.Match(message)
			p.Match("")
		}
	})
}
