package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"net/netip"
	"testing"
	"time"

	"gatehouse/internal/plan"
)

// Whatever a client sends, a line of a ready-made format stays one line that
// the format's own readers read.
func TestReadyFormats(t *testing.T) {
	api := &plan.API{ID: "abc"}
	x := &plan.Exchange{
		RequestID: "id=", Start: time.Date(2026, 11, 26, 1, 2, 3, 0, time.UTC), API: api, GatewayPath: `/a"b\<c>&%0a'`,
		Stage: &plan.Stage{API: api, Name: "dev"}, Route: &plan.Route{Key: "GET /{p}"},
	}
	x.Request.Method, x.Request.Source = "GET", netip.MustParseAddrPort("192.0.2.1:5")
	x.Request.Headers = plan.Headers{{Name: "User-Agent", Value: `Mozilla "5" <x> \`}}
	x.Response.Status = 200
	readers := map[string]func([]byte) (id string, err error){
		"json": func(line []byte) (string, error) {
			var v struct{ RequestID, Path, UserAgent string }
			err := json.Unmarshal(line, &v)
			if err == nil && (v.UserAgent != `Mozilla "5" <x> \` || v.Path != "/a\"b\\<c>&\n'") {
				t.Errorf("json: %+v", v)
			}
			return v.RequestID, err
		},
		"xml": func(line []byte) (string, error) {
			var v struct {
				ID string `xml:"id,attr"`
			}
			err := xml.Unmarshal(line, &v)
			return v.ID, err
		},
		"csv": func(line []byte) (string, error) {
			fields, err := csv.NewReader(bytes.NewReader(line)).Read()
			if len(fields) != 11 {
				t.Errorf("csv: %d fields in %s", len(fields), line)
			}
			return fields[len(fields)-1], err
		},
		"clf": func([]byte) (string, error) { return "id=", nil },
	}
	for name := range readyFormats {
		f, err := operatorFormat(name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		line := f.Append(nil, x, time.Millisecond)
		if bytes.ContainsAny(line, "\r\n") {
			t.Errorf("%s: more than a line: %q", name, line)
		}
		if id, err := readers[name](line); err != nil || id != "id=" {
			t.Errorf("%s: id %q, %v, in %s", name, id, err, line)
		}
	}
}
