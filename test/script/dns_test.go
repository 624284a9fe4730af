package script

import (
	"fmt"
	"strings"
	"time"

	"github.com/miekg/dns"
	"github.com/rogpeppe/go-internal/testscript"
)

func cmdDNS(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 || dns.StringToType[args[2]] == 0 {
		ts.Fatalf("usage: dns ADDR NAME TYPE")
	}
	client := dns.Client{Timeout: time.Minute}
	answer, _, err := client.Exchange(new(dns.Msg).SetQuestion(dns.Fqdn(args[1]), dns.StringToType[args[2]]), args[0])
	ts.Check(err)
	out := dns.RcodeToString[answer.Rcode] + "\n"
	for _, rr := range answer.Answer {
		out += strings.Join(strings.Fields(rr.String()), " ") + "\n"
	}
	_, err = fmt.Fprint(ts.Stdout(), out)
	ts.Check(err)
}
