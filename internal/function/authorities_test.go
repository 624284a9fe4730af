package function

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gatehouse/internal/localcert"
)

// Functions call APIs on this gateway by the hosts that their events name: names
// below localhost, with a certificate of the gateway's own authority.
func TestCallingBack(t *testing.T) {
	authority, err := localcert.Open(localcert.Options{Dir: filepath.Join(t.TempDir(), "tls")})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("heard " + r.URL.Path)) })}
	server.TLSConfig = &tls.Config{GetCertificate: authority.Certificate}
	ended := make(chan error, 1)
	go func() { ended <- server.ServeTLS(l, "", "") }()
	t.Cleanup(func() { _ = server.Shutdown(context.Background()); <-ended })
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	event := `"https://abc.execute-api.localhost:` + port + `/prod"`

	for _, isolation := range []Isolation{IsolationNone, IsolationAuto} {
		t.Run(string(isolation), func(t *testing.T) {
			m := newManager(t, Options{Isolation: isolation, Authority: authority.File()})
			if isolation == IsolationAuto {
				needIsolation(t, m)
			}
			t.Run("node", func(t *testing.T) {
				s := nodeSpec(t, "index.js", `
const https = require('node:https');
const { promisify } = require('node:util');
exports.handler = (url) => new Promise((resolve, reject) => {
  https.get(url, { agent: new https.Agent({ keepAlive: false }) }, async (res) => {
    let body = '';
    for await (const chunk of res) body += chunk;
    const { address } = await promisify(require('node:dns').lookup)('x.localhost');
    resolve([body, address, process.env.NODE_EXTRA_CA_CERTS.endsWith('/ca.pem')]);
  }).on('error', reject);
});`)
				answers(t, invoke(t, m, s, event), `["heard /prod","127.0.0.1",true]`)
			})
			t.Run("python", func(t *testing.T) {
				s := pythonSpec(t, "index.py", `
import os, socket, urllib.request
def handler(url, context):
    with urllib.request.urlopen(url) as answer:
        body = answer.read().decode()
    return [body, socket.gethostbyname("localhost"), socket.getaddrinfo("a.B.LocalHost.", 80, socket.AF_INET6)[0][4][0], os.environ["AWS_CA_BUNDLE"] == os.environ["SSL_CERT_FILE"]]
`)
				s.Handler = "index.handler"
				answers(t, invoke(t, m, s, event), `["heard /prod", "127.0.0.1", "::1", true]`)
			})
		})
	}
}

// What a function's own environment says of authorities outranks ours.
func TestAuthoritiesOfTheUser(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "own.pem")
	if err := os.WriteFile(file, []byte("own\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m := newManager(t, Options{Isolation: IsolationNone, Authority: file})
	at := m.foldersOf(&program{spec: &Spec{}})
	for runtime, want := range map[string]string{"nodejs22.x": "NODE_EXTRA_CA_CERTS=mine", "python3.13": "AWS_CA_BUNDLE=mine"} {
		name, _, _ := strings.Cut(want, "=")
		env := variables(&Spec{Runtime: runtime, Environment: map[string]string{name: "mine"}}, at, &LogSource{}, Credentials{}, nil, "")
		if !slices.Contains(env, want) {
			t.Errorf("%s: %v", runtime, env)
		}
	}
	if bundle, err := os.ReadFile(filepath.Join(m.runtimeDir(), bundleFile)); err == nil && !strings.HasSuffix(string(bundle), "\nown\n") {
		t.Errorf("the bundle ends with %q", bundle[len(bundle)-20:])
	}
	if _, err := New(Options{Authority: filepath.Join(dir, "missing.pem"), TempDir: dir}); err == nil {
		t.Error("an authority that isn't there was taken")
	}
}
