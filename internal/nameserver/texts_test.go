package nameserver

import (
	"context"
	"net"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

func TestTexts(t *testing.T) {
	zone := NewZone("example.test.").With(map[string][]Set{
		"example.test.":                    {values("SOA", 900, "ns-1.test. admin.test. 1 7200 900 1209600 300")},
		"*.example.test.":                  {values("A", 30, "192.0.2.9"), values("TXT", 30, `"wild"`)},
		"own.example.test.":                {values("TXT", 30, `"kept"`)},
		"_acme-challenge.on.example.test.": {values("CNAME", 30, "on.acme.test.")},
		"*.star.example.test.":             {values("CNAME", 30, "elsewhere.invalid.")},
		"sub.example.test.":                {values("NS", 300, "ns.sub.example.test.")},
	})
	acme := NewZone("acme.test.").With(map[string][]Set{"acme.test.": {values("SOA", 900, "ns-1.test. admin.test. 1 7200 900 1209600 300")}})
	texts := &Texts{}
	s := &Server{o: Options{Zones: table{"example.test.": zone, "acme.test.": acme}, Texts: texts}}
	ask := func(name, rrtype string) string {
		reply, _ := s.answer(new(dns.Msg).SetQuestion(name, dns.StringToType[rrtype]))
		return told(reply)
	}
	before := map[[2]string]string{}
	rows := []struct{ name, rrtype, want string }{
		{"_acme-challenge.a.example.test.", "TXT", `NOERROR aa; _acme-challenge.a.example.test. 1 IN TXT "one"; _acme-challenge.a.example.test. 1 IN TXT "two"`},
		{"_ACME-challenge.A.example.test.", "TXT", `NOERROR aa; _ACME-challenge.A.example.test. 1 IN TXT "one"; _ACME-challenge.A.example.test. 1 IN TXT "two"`},
		{"a.example.test.", "A", "NOERROR aa; a.example.test. 30 IN A 192.0.2.9"}, // the wildcard stands for it all the same
		{"_acme-challenge.a.example.test.", "A", "NOERROR aa; _acme-challenge.a.example.test. 30 IN A 192.0.2.9"},
		{"own.example.test.", "TXT", `NOERROR aa; own.example.test. 1 IN TXT "mine"; own.example.test. 1 IN TXT "kept"`},
		{"_acme-challenge.q.star.example.test.", "TXT", `NOERROR aa; _acme-challenge.q.star.example.test. 1 IN TXT "star"`},
		{"_acme-challenge.on.example.test.", "TXT", `NOERROR aa; _acme-challenge.on.example.test. 30 IN CNAME on.acme.test.; on.acme.test. 1 IN TXT "on"`},
		{"on.acme.test.", "TXT", `NOERROR aa; on.acme.test. 1 IN TXT "on"`},
		{"below.acme.test.", "A", "NOERROR aa" + strings.ReplaceAll(soa, "example.test. 300", "acme.test. 300")},
		{"on.acme.test.", "A", "NOERROR aa" + strings.ReplaceAll(soa, "example.test. 300", "acme.test. 300")},
	}
	for _, tt := range rows {
		before[[2]string{tt.name, tt.rrtype}] = ask(tt.name, tt.rrtype)
	}
	put := [][2]string{
		{"_acme-challenge.a.example.test.", "one"}, {"_Acme-Challenge.a.example.test.", "two"}, {"own.example.test.", "mine"},
		{"_acme-challenge.q.star.example.test.", "star"}, {"_acme-challenge.on.example.test.", "never answered"}, {"on.acme.test.", "on"}, {"x.below.acme.test.", "x"},
	}
	for _, p := range put {
		texts.Put(p[0], p[1])
	}
	for _, tt := range rows {
		if got := ask(tt.name, tt.rrtype); got != tt.want {
			t.Errorf("%s %s\n got %s\nwant %s", tt.name, tt.rrtype, got, tt.want)
		}
	}
	texts.Remove("_acme-challenge.a.example.test.", "none")
	texts.Remove("_acme-challenge.a.example.test.", "one")
	if got := ask("_acme-challenge.a.example.test.", "TXT"); got != `NOERROR aa; _acme-challenge.a.example.test. 1 IN TXT "two"` {
		t.Error(got)
	}
	for _, p := range put {
		texts.Remove(p[0], p[1])
	}
	for _, tt := range rows {
		if got := ask(tt.name, tt.rrtype); got != before[[2]string{tt.name, tt.rrtype}] {
			t.Errorf("%s %s isn't as it was: %s", tt.name, tt.rrtype, got)
		}
	}

	for name, want := range map[string]string{
		"_acme-challenge.a.example.test.":      "_acme-challenge.a.example.test. here",
		"_acme-challenge.on.example.test.":     "on.acme.test. here",
		"_acme-challenge.q.star.example.test.": "_acme-challenge.q.star.example.test. here",
		"_acme-challenge.sub.example.test.":    "_acme-challenge.sub.example.test.",
		"_acme-challenge.elsewhere.test.":      "_acme-challenge.elsewhere.test.",
	} {
		end, here := Follow(s.o.Zones, name)
		if here {
			end += " here"
		}
		if end != want {
			t.Errorf("%s leads to %s, want %s", name, end, want)
		}
	}
}

func TestLookupCNAME(t *testing.T) {
	addr := startServer(t)
	for name, want := range map[string]string{"www.example.test": "a.example.test.", "a.example.test.": "", "none.example.test.": ""} {
		got, err := LookupCNAME(t.Context(), addr, name)
		if err != nil || got != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if _, err := LookupCNAME(t.Context(), addr, "refused.invalid."); err == nil || !strings.Contains(err.Error(), "REFUSED") {
		t.Errorf("error %v", err)
	}
	l, err := net.ListenPacket("udp", "127.0.0.1:0") // never answers
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := LookupCNAME(ctx, l.LocalAddr().String(), "a.test."); err == nil {
		t.Error("no error without an answer")
	}
}
