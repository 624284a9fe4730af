package openapi_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"gatehouse/internal/openapi"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Each archive in testdata holds a document and what is read from it: "read" is
// the description or the error, "export.json" and "export.yaml" are the
// description written again. The comment before the files may hold a line
// "basepath: ...".
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want := archive.Files[1:]
			got := golden(t, string(archive.Comment), string(archive.Files[0].Data))
			if *update {
				archive.Files = append(archive.Files[:1:1], got...)
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if !slices.EqualFunc(got, want, func(a, b txtar.File) bool { return a.Name == b.Name && bytes.Equal(a.Data, b.Data) }) {
				t.Errorf("got\n%s\nwant\n%s", txtar.Format(&txtar.Archive{Files: got}), txtar.Format(&txtar.Archive{Files: want}))
			}
		})
	}
}

var options = openapi.Options{Partition: "aws", Region: "us-east-2", Account: "123456789012"}

func golden(t *testing.T, comment, document string) []txtar.File {
	t.Helper()
	o := options
	for line := range strings.Lines(comment) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "basepath: "); ok {
			o.BasePath = value
		}
	}
	doc, err := openapi.Read(document, o)
	if err != nil {
		return []txtar.File{{Name: "read", Data: []byte(err.Error() + "\n")}}
	}
	read := describe(t, doc)
	storable(doc)
	identify(doc)
	asJSON, asYAML := openapi.Write(doc, openapi.WriteOptions{}), openapi.Write(doc, openapi.WriteOptions{YAML: true, BasePath: "prod"})
	for _, written := range [][]byte{asJSON, asYAML} {
		sameAgain(t, doc, written)
	}
	return []txtar.File{{Name: "read", Data: []byte(read)}, {Name: "export.json", Data: asJSON}, {Name: "export.yaml", Data: asYAML}}
}

// identify gives a description what it has once it was stored.
func identify(doc *openapi.Document) {
	doc.API.ApiEndpoint = new("https://abcdefghij.execute-api.us-east-2.amazonaws.com")
	doc.API.CreatedDate = new(time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC))
	if doc.API.Name == nil {
		doc.API.Name = new("stored")
	}
	for i, integration := range doc.Integrations {
		integration.IntegrationId = new(fmt.Sprintf("int%04d", i))
	}
}

var routeKey = regexp.MustCompile(`^[A-Z]+ (/|(/(\{[\w.:-]+\+?\}|[a-zA-Z0-9.:_-]+))+)$`)

// storable takes away what control wouldn't store.
func storable(doc *openapi.Document) {
	doc.Integrations = slices.DeleteFunc(doc.Integrations, func(i *openapi.Integration) bool {
		return i.IntegrationType == nil || *i.IntegrationType != "AWS_PROXY" && *i.IntegrationType != "HTTP_PROXY"
	})
	doc.Authorizers = slices.DeleteFunc(doc.Authorizers, func(a *openapi.Authorizer) bool {
		return a.AuthorizerType == nil || *a.AuthorizerType != "JWT" && *a.AuthorizerType != "REQUEST"
	})
	seen := map[string]bool{}
	doc.Routes = slices.DeleteFunc(doc.Routes, func(r *openapi.Route) bool {
		if !slices.Contains(doc.Integrations, r.Integration) {
			r.Integration = nil
		}
		if r.AuthorizationType == nil || *r.AuthorizationType != "JWT" {
			r.AuthorizationScopes = nil
		}
		twice := seen[*r.RouteKey]
		seen[*r.RouteKey] = true
		return twice || *r.RouteKey != "$default" && !routeKey.MatchString(*r.RouteKey) ||
			r.Authorizer != nil && !slices.Contains(doc.Authorizers, r.Authorizer)
	})
}

// sameAgain reads what was written and wants it to say the same.
func sameAgain(t *testing.T, doc *openapi.Document, written []byte) {
	t.Helper()
	again, err := openapi.Read(string(written), options)
	if err != nil {
		t.Errorf("an export can't be imported: %v\n%s", err, written)
		return
	}
	if len(again.Warnings) > 0 {
		t.Errorf("the import of an export warns: %q\n%s", again.Warnings, written)
	}
	identify(again)
	for i, integration := range again.Integrations {
		integration.IntegrationId = new(fmt.Sprintf("int%04d", i))
		if integration.ExportedID != "" {
			integration.IntegrationId = &integration.ExportedID
		}
	}
	if got, want := openapi.Write(again, openapi.WriteOptions{}), openapi.Write(doc, openapi.WriteOptions{}); !bytes.Equal(got, want) {
		t.Errorf("exported, imported and exported again:\n%s\nwas\n%s", got, want)
	}
}

// describe prints a description, a line for each thing.
func describe(t *testing.T, doc *openapi.Document) string {
	t.Helper()
	var b strings.Builder
	line := func(name string, shape any) {
		text, err := json.Marshal(shape)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %s\n", name, text)
	}
	line("api", doc.API)
	for _, a := range doc.Authorizers {
		line("authorizer", a.Authorizer)
	}
	for i, in := range doc.Integrations {
		line(fmt.Sprintf("integration %d %q %q", i, in.Name, in.RouteKey), in.Integration)
	}
	for _, r := range doc.Routes {
		name := "route"
		if r.Integration != nil {
			name += fmt.Sprintf(" to %d", slices.Index(doc.Integrations, r.Integration))
		}
		if r.Authorizer != nil {
			name += " by " + *r.Authorizer.Name
		}
		line(name, r.Route)
	}
	for _, info := range doc.Info {
		fmt.Fprintf(&b, "info: %s\n", info)
	}
	for _, warning := range doc.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", warning)
	}
	return b.String()
}
