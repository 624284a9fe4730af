package sdk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"gatehouse/test/harness"
)

// A bookshop is testdata/bookshop.yaml, an OpenAPI document of the size and kind
// that teams have, and what stands around it: a backend that answers with what
// it saw, and an issuer of tokens.
type bookshop struct {
	// document names the issuer that is there.
	document string
	// backend is the value of the stage variable.
	backend string
	calls   []bookshopCall
}

// A bookshopCall is a request of testdata/bookshop_calls.json and what comes
// of it. A refused one never reaches the backend.
type bookshopCall struct {
	Call    string
	Status  int
	Saw     string
	Header  map[string]string
	Refused bool
}

const bookshopRoutes = 106

func newBookshop(t *testing.T) *bookshop {
	t.Helper()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "none") {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = fmt.Fprintf(w, "%s %s", r.Method, r.URL.RequestURI())
	}))
	t.Cleanup(backend.Close)
	mux := http.NewServeMux()
	issuer := httptest.NewServer(mux)
	t.Cleanup(issuer.Close)
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, issuer.URL, issuer.URL+"/keys")
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"keys":[]}`) })

	text := must(os.ReadFile(filepath.Join("testdata", "bookshop.yaml")))(t)
	b := &bookshop{
		document: strings.ReplaceAll(string(text), "https://issuer.bookshop.example", issuer.URL),
		backend:  strings.TrimPrefix(backend.URL, "http://"),
	}
	if err := json.Unmarshal(must(os.ReadFile(filepath.Join("testdata", "bookshop_calls.json")))(t), &b.calls); err != nil {
		t.Fatal(err)
	}
	return b
}

// served sends the requests to an API and compares what comes of them.
func (b *bookshop) served(t *testing.T, gw *harness.Gateway, api string) {
	t.Helper()
	for _, call := range b.calls {
		method, path, _ := strings.Cut(call.Call, " ")
		resp, body := b.send(t, gw, api, method, path, nil)
		if call.Refused {
			if resp.StatusCode < 400 {
				t.Errorf("%s was answered: %d %s", call.Call, resp.StatusCode, body)
			}
			continue
		}
		if resp.StatusCode != call.Status || body != call.Saw {
			t.Errorf("%s: %d %q, want %d %q", call.Call, resp.StatusCode, body, call.Status, call.Saw)
		}
		for name, want := range call.Header {
			if got := resp.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", call.Call, name, got, want)
			}
		}
	}
	resp, _ := b.send(t, gw, api, http.MethodOptions, "/books", map[string]string{"Origin": "https://www.bookshop.example", "Access-Control-Request-Method": "POST"})
	if got := resp.Header.Get("Access-Control-Max-Age"); resp.StatusCode != http.StatusNoContent || got != "600" {
		t.Errorf("the preflight: %d, max age %q", resp.StatusCode, got)
	}
}

func (b *bookshop) send(t *testing.T, gw *harness.Gateway, api, method, path string, header map[string]string) (*http.Response, string) {
	t.Helper()
	req := must(http.NewRequestWithContext(t.Context(), method, gw.URL+path, nil))(t)
	_, port, _ := strings.Cut(gw.Addr, ":")
	req.Host = api + ".execute-api.localhost:" + port
	for name, value := range header {
		req.Header.Set(name, value)
	}
	resp := must(http.DefaultClient.Do(req))(t)
	body := must(io.ReadAll(resp.Body))(t)
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// TestBookshop imports the document with the SDK, deploys and calls the API,
// exports it and imports that again: into itself, where nothing may change, and
// as a new API, where nothing but ids may.
func TestBookshop(t *testing.T) {
	gw := harness.Start(t, "")
	ctx := t.Context()
	shop := newBookshop(t)
	client := apigatewayv2.NewFromConfig(gw.Config())

	imported := must(client.ImportApi(ctx, &apigatewayv2.ImportApiInput{Body: &shop.document, FailOnWarnings: aws.Bool(true)}))(t)
	id := imported.ApiId
	if *imported.Name != "Bookshop" || *imported.Version != "2026.11" || !strings.HasPrefix(*imported.Description, "Books, customers and orders") {
		t.Errorf("name %q, version %q, description %q", *imported.Name, *imported.Version, *imported.Description)
	}
	same(t, "tags", imported.Tags, map[string]string{"team": "platform", "catalogue": "public", "orders": ""})
	same(t, "CORS", imported.CorsConfiguration.AllowOrigins, []string{"https://www.bookshop.example", "https://admin.bookshop.example"})
	if len(imported.Warnings) != 0 || !slices.Contains(imported.ImportInfo, "paths./books.post: key [requestBody] will be ignored by API Gateway") {
		t.Errorf("warnings %q, %d infos", imported.Warnings, len(imported.ImportInfo))
	}
	routes := func(id *string) (all []types.Route) {
		t.Helper()
		in := &apigatewayv2.GetRoutesInput{ApiId: id, MaxResults: aws.String("50")}
		for {
			page := must(client.GetRoutes(ctx, in))(t)
			all = append(all, page.Items...)
			if in.NextToken = page.NextToken; in.NextToken == nil {
				return all
			}
		}
	}
	before := routes(id)
	integrations := must(client.GetIntegrations(ctx, &apigatewayv2.GetIntegrationsInput{ApiId: id}))(t).Items
	authorizers := must(client.GetAuthorizers(ctx, &apigatewayv2.GetAuthorizersInput{ApiId: id}))(t).Items
	if len(before) != bookshopRoutes || len(integrations) != 11 || len(authorizers) != 1 {
		t.Errorf("%d routes, %d integrations, %d authorizers", len(before), len(integrations), len(authorizers))
	}

	must(client.CreateStage(ctx, &apigatewayv2.CreateStageInput{
		ApiId: id, StageName: aws.String("$default"), AutoDeploy: aws.Bool(true), StageVariables: map[string]string{"backend": shop.backend, "index": "titles"},
	}))(t)
	shop.served(t, gw, *id)

	export := func(id *string, kind string, stage *string) string {
		t.Helper()
		return string(must(client.ExportApi(ctx, &apigatewayv2.ExportApiInput{ApiId: id, OutputType: &kind, Specification: aws.String("OAS30"), StageName: stage}))(t).Body)
	}
	asJSON := export(id, "JSON", nil)
	var parsed struct{ Paths map[string]any }
	if err := json.Unmarshal([]byte(asJSON), &parsed); err != nil || len(parsed.Paths) != 67 {
		t.Errorf("the export has %d paths, %v", len(parsed.Paths), err)
	}
	for _, document := range []string{asJSON, export(id, "YAML", nil), export(id, "YAML", aws.String("$default")), shop.document} {
		reimported := must(client.ReimportApi(ctx, &apigatewayv2.ReimportApiInput{ApiId: id, Body: &document, FailOnWarnings: aws.Bool(true)}))(t)
		if *reimported.ApiId != *id || reimported.CreatedDate.Compare(*imported.CreatedDate) != 0 {
			t.Errorf("reimported as %s of %v", *reimported.ApiId, reimported.CreatedDate)
		}
		if again := export(id, "JSON", nil); again != asJSON {
			t.Fatalf("after the reimport:\n%s", diff(again, asJSON))
		}
		same(t, "routes after the reimport", routes(id), before)
		same(t, "integrations after the reimport", must(client.GetIntegrations(ctx, &apigatewayv2.GetIntegrationsInput{ApiId: id}))(t).Items, integrations)
	}
	shop.served(t, gw, *id)

	copied := must(client.ImportApi(ctx, &apigatewayv2.ImportApiInput{Body: &asJSON, FailOnWarnings: aws.Bool(true)}))(t).ApiId
	masked := func(id *string) string {
		t.Helper()
		text := strings.ReplaceAll(export(id, "JSON", nil), *id, "API")
		for _, integration := range must(client.GetIntegrations(ctx, &apigatewayv2.GetIntegrationsInput{ApiId: id}))(t).Items {
			text = strings.ReplaceAll(text, *integration.IntegrationId, "INTEGRATION-"+aws.ToString(integration.IntegrationUri))
		}
		return text
	}
	// Shared integrations stand in the order of their ids.
	got, want := strings.Split(masked(copied), "\n"), strings.Split(masked(id), "\n")
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the copy differs:\n%s", diff(strings.Join(got, "\n"), strings.Join(want, "\n")))
	}

	changed := strings.Replace(shop.document, "  /health:", "  /healthy:", 1)
	must(client.ReimportApi(ctx, &apigatewayv2.ReimportApiInput{ApiId: id, Body: &changed}))(t)
	for path, want := range map[string]string{"/healthy": "GET /health", "/health": "GET /fallback/health"} {
		if _, body := shop.send(t, gw, *id, http.MethodGet, path, nil); body != want {
			t.Errorf("GET %s after the change: %q, want %q", path, body, want)
		}
	}
	_, err := client.ReimportApi(ctx, &apigatewayv2.ReimportApiInput{ApiId: id, Body: aws.String(`{"swagger":"2.0"}`)})
	fails(t, err, "BadRequestException")
	// Too large a call is refused by its length, before it is read.
	_, err = client.ImportApi(ctx, &apigatewayv2.ImportApiInput{Body: aws.String(string(bytes.Repeat([]byte(" "), 100<<20)))})
	fails(t, err, "RequestEntityTooLargeException")
}
