package terraform

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// TestCustomDomain applies a zone, a certificate that waits for its record, a
// domain with it, and the alias to it; asks the name servers; changes; destroys.
func TestCustomDomain(t *testing.T) {
	tf := newTerraform(t, filepath.Join("testdata", "customdomain"), "--dns", "127.0.0.1:0", "--acm-dns-validation")
	tf.run("apply", "-auto-approve", "-input=false", "-no-color")
	if out, code := tf.try("plan", "-detailed-exitcode", "-input=false", "-no-color"); code != 0 {
		t.Fatalf("the plan after apply isn't empty (exit code %d):\n%s", code, out)
	}
	at := regexp.MustCompile(`answering DNS queries" address=(\S+)`).FindStringSubmatch(tf.gateway.Logs())
	if at == nil {
		t.Fatal(tf.gateway.Logs())
	}
	ask := func(name string, rrtype uint16) string {
		client := dns.Client{Timeout: time.Minute}
		answer, _, err := client.ExchangeContext(t.Context(), new(dns.Msg).SetQuestion(name, rrtype), at[1])
		if err != nil {
			t.Fatal(err)
		}
		out := dns.RcodeToString[answer.Rcode]
		for _, rr := range answer.Answer {
			out += " " + strings.Join(strings.Fields(rr.String()), " ")
		}
		return out
	}
	for _, tt := range []struct {
		name   string
		rrtype uint16
		want   string
	}{
		{"api.example.test.", dns.TypeA, "NOERROR api.example.test. 60 IN A 127.0.0.1"},
		{"text.example.test.", dns.TypeTXT, `NOERROR text.example.test. 300 IN TXT "second" text.example.test. 300 IN TXT "v=spf1 -all"`},
		{"a.wild.example.test.", dns.TypeA, "NOERROR a.wild.example.test. 300 IN A 192.0.2.1"},
		{"inner.test.", dns.TypeSOA, "REFUSED"},
	} {
		if got := ask(tt.name, tt.rrtype); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	if got := ask("share.example.test.", dns.TypeA); !strings.Contains(got, "CNAME blue.") && !strings.Contains(got, "CNAME green.") {
		t.Errorf("share: %s", got)
	}
	tf.run("apply", "-auto-approve", "-input=false", "-no-color", "-var", "comment=changed")
	tf.run("destroy", "-auto-approve", "-input=false", "-no-color")
	if got := ask("api.example.test.", dns.TypeA); got != "REFUSED" {
		t.Errorf("after destroy: %s", got)
	}
}
