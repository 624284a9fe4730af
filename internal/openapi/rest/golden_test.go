package rest_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"gatehouse/internal/openapi/rest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Each archive in testdata holds a document and what is read from it: "read" is
// the API or the error, "oas30.json" and "swagger.yaml" are the API written
// again, "plain.json" is that without extensions. The comment before the files
// may hold the lines "basepath: ..." and "ignore: documentation".
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

const apiID = "abcdefghij"

var (
	options = rest.Options{Partition: "aws", Region: "us-east-2", Account: "123456789012", URLSuffix: "amazonaws.com"}
	whole   = rest.WriteOptions{
		All: true, Documentation: true, Version: "2026-03-04T05:06:07Z", Stage: "prod", Endpoint: "https://abcdefghij.execute-api.us-east-2.amazonaws.com",
	}
)

// forms are the four ways in which everything of an API is written.
func forms() map[string]rest.WriteOptions {
	all := map[string]rest.WriteOptions{}
	for _, swagger := range [...]bool{false, true} {
		for _, yaml := range [...]bool{false, true} {
			o := whole
			o.Swagger, o.YAML = swagger, yaml
			all[fmt.Sprintf("swagger=%t,yaml=%t", swagger, yaml)] = o
		}
	}
	return all
}

func golden(t *testing.T, comment, document string) []txtar.File {
	t.Helper()
	o := options
	for line := range strings.Lines(comment) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "basepath: "); ok {
			o.BasePath = value
		}
		o.NoDocumentation = o.NoDocumentation || strings.TrimSpace(line) == "ignore: documentation"
	}
	api, err := rest.Read(document, o)
	if err != nil {
		return []txtar.File{{Name: "read", Data: []byte(err.Error() + "\n")}}
	}
	api.SetID(apiID)
	read := describe(t, api)
	sameAgain(t, api)
	oas, swagger, plain := whole, whole, rest.WriteOptions{Version: whole.Version, Stage: whole.Stage, Endpoint: whole.Endpoint}
	swagger.Swagger, swagger.YAML = true, true
	return []txtar.File{
		{Name: "read", Data: []byte(read)},
		{Name: "oas30.json", Data: rest.Write(api, oas)},
		{Name: "swagger.yaml", Data: rest.Write(api, swagger)},
		{Name: "plain.json", Data: rest.Write(api, plain)},
	}
}

// sameAgain writes an API in every form, reads that, and wants the same API.
func sameAgain(t *testing.T, api *rest.API) {
	t.Helper()
	if api.Version == nil {
		api.Version = new(whole.Version)
	}
	want := describe(t, api)
	// Warnings are of the document, not of the API.
	want, _, _ = strings.Cut(want, "warning: ")
	for name, o := range forms() {
		written := rest.Write(api, o)
		again, err := rest.Read(string(written), options)
		if err != nil {
			t.Errorf("%s: an export can't be imported: %v\n%s", name, err, written)
			continue
		}
		again.SetID(apiID)
		if got := describe(t, again); got != want {
			t.Errorf("%s: imported again:\n%s\nwas\n%s\nwritten as\n%s", name, got, want, written)
		}
		if !bytes.Equal(rest.Write(again, o), written) {
			t.Errorf("%s: exported again it is not the same", name)
		}
	}
}

// describe prints an API, a line for each thing.
func describe(t *testing.T, api *rest.API) string {
	t.Helper()
	var b strings.Builder
	line := func(name string, shape any) {
		text, err := json.Marshal(shape)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %s\n", name, text)
	}
	about := api.RestApi
	about.Warnings = nil
	line("api", about)
	for _, v := range api.Validators {
		line("validator", v)
	}
	for _, a := range api.Authorizers {
		line("authorizer", a)
	}
	for _, m := range api.Models {
		line("model", m.Model)
	}
	for _, g := range api.GatewayResponses {
		line("gateway response", g)
	}
	resources := slices.Clone(api.Resources)
	slices.SortFunc(resources, func(a, b *rest.Resource) int { return strings.Compare(a.Path, b.Path) })
	for _, r := range resources {
		fmt.Fprintf(&b, "resource %s\n", r.Path)
		methods := slices.Clone(r.Methods)
		slices.SortFunc(methods, func(a, b *rest.Method) int { return strings.Compare(*a.HttpMethod, *b.HttpMethod) })
		for _, m := range methods {
			name := "method"
			if m.Authorizer != "" {
				name += " by " + m.Authorizer
			}
			if m.Validator != "" {
				name += " validated by " + m.Validator
			}
			line(name, m.Method)
		}
	}
	if api.DocumentationVersion != "" {
		fmt.Fprintf(&b, "documentation version %s\n", api.DocumentationVersion)
	}
	for _, p := range api.Parts {
		line("part", p)
	}
	for _, warning := range api.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", warning)
	}
	return b.String()
}
