package openapi_test

import (
	"path/filepath"
	"testing"

	"golang.org/x/tools/txtar"

	"gatehouse/internal/openapi"
)

// FuzzRead reads anything: it never panics, and what it takes for an API it
// takes for the same API when that is written down.
func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, part := range archive.Files {
			if part.Name != "read" {
				f.Add(string(part.Data))
			}
		}
	}
	f.Add("a: &a [*a]")
	f.Add("<<: [{a: 1}, {a: 2}]\nopenapi: 3.0.1\npaths: {}")
	f.Add(head + `"paths":{"/é\u0085\ud83d\ude00":{"get":{"operationId":"\u007f"}}}}`)
	f.Fuzz(func(t *testing.T, document string) {
		doc, err := openapi.Read(document, options)
		if err != nil {
			return
		}
		storable(doc)
		identify(doc)
		sameAgain(t, doc, openapi.Write(doc, openapi.WriteOptions{}))
		sameAgain(t, doc, openapi.Write(doc, openapi.WriteOptions{YAML: true}))
	})
}
