package policy

import (
	"strings"
	"testing"
)

func TestBegins(t *testing.T) {
	const roles = "arn:aws:iam::123456789012:role/"
	for _, test := range []struct {
		pattern, begins string
		all, some       bool
	}{
		{"*", "app-", true, true},
		{"role/app-*", "app-", true, true},
		{"role/a*", "app-", true, true},
		{"role/*-*", "app-", true, true},
		{"role/app-x*", "app-", false, true},
		{"role/app-admin", "app-", false, true},
		{"role/app-", "app-", false, true},
		{"role/app-?", "app-", false, true},
		{"role/ap?-?", "app-", false, true},
		{"role/*-admin", "app-", false, true},
		{"role/*/app-*", "app-", false, true},
		{"role/b*", "app-", false, false},
		{"role/app_*", "app-", false, false},
		{"role/a?p", "app-", false, false},
		{"role/app", "app-", false, false},
		{"role/?", "", false, true},
		{"role/x", "", false, true},
		{"role/*", "", true, true},
		{"user/*", "", false, false},
		{"role/??-*", "äö-", true, true},
		{"role/???-x", "äö", false, true},
		{"role/?-x", "äö", false, false},
	} {
		text := "arn:aws:iam::123456789012:" + test.pattern
		if test.pattern == "*" {
			text = "*"
		}
		p := compilePattern(text, segmented, true)
		if all, some := p.fitsAll(roles+test.begins), p.fitsSome(roles+test.begins); all != test.all || some != test.some {
			t.Errorf("%s of %s...: all %v, some %v, want %v, %v", test.pattern, test.begins, all, some, test.all, test.some)
		}
	}
	for text, some := range map[string]bool{"arn:aws:iam::*:role/x": true, "arn:*:role/x": true, "arn:aws:iam::1*9:role/x": false, "arn:aws:i?m::123456789012:role/x": true, "arn:aws:*": true} {
		p := compilePattern(text, segmented, true)
		if got := p.fitsSome(roles); got != some {
			t.Errorf("%s: some %v", text, got)
		}
		if all := p.fitsAll(roles); all != (text == "arn:aws:*") {
			t.Errorf("%s: all %v", text, all)
		}
	}
}

func TestDecideBegins(t *testing.T) {
	const allow = `{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::1:role/app-*"}`
	for statements, want := range map[string]Decision{
		allow: Allowed,
		`{"Effect":"Allow","Action":"iam:PassRole","Resource":["arn:aws:iam::1:role/app-a","arn:aws:iam::1:role/app-?"]}`: Silent,
		`{"Effect":"Allow","Action":"iam:PassRole","NotResource":"arn:aws:iam::1:role/admin"}`:                            Allowed,
		`{"Effect":"Allow","Action":"iam:PassRole","NotResource":"arn:aws:iam::1:role/app-admin"}`:                        Silent,
		allow + `,{"Effect":"Deny","Action":"iam:PassRole","Resource":"arn:aws:iam::1:role/app-admin"}`:                   Denied,
		allow + `,{"Effect":"Deny","Action":"iam:PassRole","Resource":"arn:aws:iam::1:role/*admin"}`:                      Denied,
		allow + `,{"Effect":"Deny","Action":"iam:PassRole","Resource":"arn:aws:iam::1:role/admin"}`:                       Allowed,
		allow + `,{"Effect":"Deny","Action":"iam:PassRole","NotResource":"arn:aws:iam::1:role/app-*"}`:                    Allowed,
		allow + `,{"Effect":"Deny","Action":"iam:PassRole","NotResource":["arn:aws:iam::1:role/app-a","arn:aws:s3:::x"]}`: Denied,
		allow + `,{"Effect":"Deny","Action":"iam:GetRole","Resource":"arn:aws:iam::1:role/app-admin"}`:                    Allowed,
	} {
		d, err := Parse(Inline, `{"Version":"2012-10-17","Statement":[`+statements+`]}`)
		if err != nil {
			t.Fatal(err)
		}
		r := Request{Action: "iam:PassRole", Resource: "arn:aws:iam::1:role/app-", Begins: true, Caller: Caller{Account: "1", ARN: "arn:aws:iam::1:user/u"}}
		if got := d.Decide(&r); got != want {
			t.Errorf("%s: %v, want %v", strings.TrimPrefix(statements, allow), got, want)
		}
	}
}
