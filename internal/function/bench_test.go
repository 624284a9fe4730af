package function

import (
	"os/exec"
	"testing"
)

func BenchmarkInvoke(b *testing.B) {
	b.Run("node warm", func(b *testing.B) {
		m := newManager(b, Options{})
		s := nodeSpec(b, "index.js", helloNode)
		benchmarkWarm(b, m, s)
	})
	b.Run("node warm parallel", func(b *testing.B) {
		m := newManager(b, Options{})
		s := nodeSpec(b, "index.js", helloNode)
		invoke(b, m, s, helloEvent)
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := m.Invoke(b.Context(), s, &Invocation{Payload: []byte(helloEvent), RequestID: testRequestID}); err != nil {
					b.Error(err)
				}
			}
		})
	})
	b.Run("python warm", func(b *testing.B) {
		m := newManager(b, Options{})
		s := pythonSpec(b, "app.py", "def handler(event, context):\n    return {'statusCode': 200, 'body': 'hello'}\n")
		benchmarkWarm(b, m, s)
	})
	b.Run("node cold", func(b *testing.B) {
		m := newManager(b, Options{Isolation: IsolationNone})
		benchmarkCold(b, m, nodeSpec(b, "index.js", helloNode))
	})
	b.Run("node cold isolated", func(b *testing.B) {
		m := newManager(b, Options{})
		benchmarkCold(b, m, nodeSpec(b, "index.js", helloNode))
	})
	b.Run("node -e 0", func(b *testing.B) {
		for b.Loop() {
			if err := exec.Command("node", "-e", "0").Run(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

const (
	helloNode = `exports.handler = async (event) => ({ statusCode: 200, body: JSON.stringify({ hello: event.rawPath }) })`
	// helloEvent is about as long as an HTTP API's event.
	helloEvent = `{"version":"2.0","routeKey":"GET /hello","rawPath":"/hello","rawQueryString":"","headers":{"accept":"*/*","host":"abc.execute-api.localhost","user-agent":"curl/8.5.0","x-amzn-trace-id":"Root=1-67891233-abcdef012345678912345678","x-forwarded-for":"127.0.0.1","x-forwarded-port":"4566","x-forwarded-proto":"http"},"requestContext":{"accountId":"anonymous","apiId":"abc","domainName":"abc.execute-api.localhost","domainPrefix":"abc","http":{"method":"GET","path":"/hello","protocol":"HTTP/1.1","sourceIp":"127.0.0.1","userAgent":"curl/8.5.0"},"requestId":"JKJaXmPLvHcESHA=","routeKey":"GET /hello","stage":"$default","time":"10/Mar/2026:05:16:23 +0000","timeEpoch":1583817383220},"isBase64Encoded":false}`
)

func benchmarkWarm(b *testing.B, m *Manager, s *Spec) {
	invoke(b, m, s, helloEvent)
	b.ReportAllocs()
	for b.Loop() {
		r, err := m.Invoke(b.Context(), s, &Invocation{Payload: []byte(helloEvent), RequestID: testRequestID})
		if err != nil || r.FunctionError != "" {
			b.Fatal(err, r)
		}
	}
}

func benchmarkCold(b *testing.B, m *Manager, s *Spec) {
	invoke(b, m, s, helloEvent) // finds the interpreter
	for i := 0; b.Loop(); i++ {
		m.Retire(s.ID)
		cold := *s
		cold.ID += string(rune('a' + i%26))
		m.Retire(cold.ID)
		if _, err := m.Invoke(b.Context(), &cold, &Invocation{Payload: []byte(helloEvent)}); err != nil {
			b.Fatal(err)
		}
	}
}
