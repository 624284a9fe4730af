package browser

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"gatehouse/test/harness"
)

// TestHTTP3 has a browser load a page and send a form's worth over HTTP/3. It is told
// to use that at once: by itself it does for public authorities' certificates only.
func TestHTTP3(t *testing.T) {
	browser := findBrowser(t)
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprintf(w, "<!doctype html><title>%s</title>%s took %d %v", r.URL.Path, r.Method, n, err)
	}))
	t.Cleanup(backend.Close)
	g := harness.Start(t, "", "--traffic-tls", "127.0.0.1:0", "--http3")
	api, err := apigatewayv2.NewFromConfig(g.Config()).CreateApi(t.Context(), &apigatewayv2.CreateApiInput{
		Name: aws.String("a"), ProtocolType: types.ProtocolTypeHttp, Target: aws.String(backend.URL + "/{proxy}"), RouteKey: aws.String("ANY /{proxy+}"),
	})
	if err != nil {
		t.Fatal(err)
	}
	endpoint, err := url.Parse(*api.ApiEndpoint)
	if err != nil {
		t.Fatal(err)
	}
	tab := openTab(t, browser, endpoint.String()+"/page",
		"--origin-to-force-quic-on="+endpoint.Host, "--host-resolver-rules=MAP "+endpoint.Hostname()+" 127.0.0.1",
		"--ignore-certificate-errors-spki-list="+keyOf(t, endpoint))
	tab.until(`document.title === "/page" && performance.getEntriesByType("navigation")[0].nextHopProtocol === "h3"`)
	tab.do(`fetch("/form", {method: "POST", body: "x".repeat(300000)}).then((r) => r.text()).then((text) => { window.answer = text; })`)
	tab.until(`window.answer?.endsWith("POST took 300000 <nil>")`)
	tab.until(`performance.getEntriesByType("resource").some((e) => e.name.endsWith("/form") && e.nextHopProtocol === "h3")`)
}

// keyOf is the hash of a gateway's public key, by which a browser may know it.
func keyOf(t *testing.T, endpoint *url.URL) string {
	t.Helper()
	c, err := tls.Dial("tcp", "127.0.0.1:"+endpoint.Port(), &tls.Config{InsecureSkipVerify: true, ServerName: endpoint.Hostname()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close() //nolint:errcheck // nothing was sent
	sum := sha256.Sum256(c.ConnectionState().PeerCertificates[0].RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(sum[:])
}
