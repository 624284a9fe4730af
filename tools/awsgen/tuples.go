package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/dop251/goja"
)

// A tuple is one shape of a schema file after normalise.js. Heads: 0 simple,
// 1 list, 2 map, 3 structure, -3 error, 4 union, 9 operation.
type tuple struct {
	Head        int      `json:"head"`
	Namespace   string   `json:"namespace"`
	Name        string   `json:"name"`
	Unit        bool     `json:"unit"`
	Sentinel    int      `json:"sentinel"`
	ShapeTraits traits   `json:"shapeTraits"`
	Traits      traits   `json:"traits"`
	Key         *tuple   `json:"key"`
	Element     *tuple   `json:"element"`
	MemberNames []string `json:"memberNames"`
	Members     []*tuple `json:"members"`
	Required    int      `json:"required"`
	Input       *tuple   `json:"input"`
	Output      *tuple   `json:"output"`
}

// Traits are an object or, for the common valueless ones, a bit mask.
type traits struct {
	mask  int
	named map[string]json.RawMessage
}

// The bits of a trait mask.
const (
	bitLabel = 1 << iota
	bitIdempotent
	bitToken
	bitSensitive
	bitPayload
	bitStatus
	bitQueryMap
)

// maskedNames gives the bits their names in the object form.
var maskedNames = map[string]int{
	"httpLabel": bitLabel, "idempotent": bitIdempotent, "idempotencyToken": bitToken, "sensitive": bitSensitive,
	"httpPayload": bitPayload, "httpResponseCode": bitStatus, "httpQueryParams": bitQueryMap,
}

func (t *traits) UnmarshalJSON(data []byte) error {
	if data[0] != '{' {
		return json.Unmarshal(data, &t.mask)
	}
	if err := json.Unmarshal(data, &t.named); err != nil {
		return err
	}
	for name, bit := range maskedNames {
		if _, ok := t.named[name]; ok {
			t.mask |= bit
			delete(t.named, name)
		}
	}
	return nil
}

// text takes a trait that is a string; the empty string when absent.
func (t traits) text(name string) string {
	var s string
	if raw, ok := t.named[name]; ok {
		if json.Unmarshal(raw, &s) != nil {
			return ""
		}
	}
	return s
}

func (t traits) has(name string) bool {
	_, ok := t.named[name]
	return ok
}

// knownTraits are the ones read here; another one stops the fetch, since it may
// change what travels on the wire.
var knownTraits = map[string]bool{
	"http": true, "httpQuery": true, "httpHeader": true, "httpPrefixHeaders": true, "jsonName": true, "xmlName": true,
	"xmlFlattened": true, "error": true, "httpError": true, "awsQueryError": true, "endpoint": true, "streaming": true,
	"sparse": true, "eventPayload": true,
}

func (t traits) check() error {
	if t.mask >= 1<<7 {
		return fmt.Errorf("unknown bits in trait mask %d", t.mask)
	}
	for name := range t.named {
		if !knownTraits[name] {
			return fmt.Errorf("unknown trait %q", name)
		}
	}
	return nil
}

//go:embed normalise.js
var normaliseJS string

var exportedShape = regexp.MustCompile(`(?m)^export var (\w+\$) = \[`)

// evaluate runs a schema file and returns its shapes in the file's order.
func evaluate(src string) ([]*tuple, error) {
	var names []string
	for _, m := range exportedShape.FindAllStringSubmatch(src, -1) {
		names = append(names, m[1])
	}
	var code strings.Builder
	for line := range strings.Lines(src) {
		if strings.HasPrefix(line, "import ") || strings.Contains(line, "_registry") {
			continue
		}
		code.WriteString(strings.TrimPrefix(line, "export "))
	}
	code.WriteString(";(" + normaliseJS + ")([" + strings.Join(names, ",") + "])")
	// The list of registries spans lines: its entries are dropped with the rest.
	v, err := goja.New().RunString(code.String())
	if err != nil {
		return nil, err
	}
	var shapes []*tuple
	if err := json.Unmarshal([]byte(v.String()), &shapes); err != nil {
		return nil, err
	}
	return shapes, nil
}
