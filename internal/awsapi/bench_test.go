package awsapi_test

import (
	"net/http"
	"testing"
)

// BenchmarkCall is one signed management call without its operation's work.
func BenchmarkCall(b *testing.B) {
	for _, bb := range []struct {
		name, service, method, target, body string
		header                              http.Header
	}{
		{"restJson1", "apigateway", "POST", "/v2/apis", `{"name":"n","protocolType":"HTTP","tags":{"a":"b"}}`, nil},
		{"awsQuery", "iam", "POST", "/", "Action=CreateRole&Version=2010-05-08&RoleName=r&AssumeRolePolicyDocument=%7B%7D", form()},
	} {
		b.Run(bb.name, func(b *testing.B) {
			h := newHandler(nil)
			head := bb.header
			if head == nil {
				head = http.Header{}
			}
			b.ReportAllocs()
			for b.Loop() {
				if w := throw(b, h, bb.service, bb.method, bb.target, head, []byte(bb.body)); w.Code/100 != 2 {
					b.Fatalf("%d %s", w.Code, w.Body)
				}
			}
		})
	}
}
