package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"net/netip"
	"slices"
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
		Stage: &plan.Stage{API: api, Name: "dev"}, Route: &plan.Route{Key: "GET /{p}", Path: "/resource/{p}"},
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
		f, err := operatorFormats(name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		line := f.http.Append(nil, x, time.Millisecond)
		if bytes.ContainsAny(line, "\r\n") {
			t.Errorf("%s: more than a line: %q", name, line)
		}
		if id, err := readers[name](line); err != nil || id != "id=" {
			t.Errorf("%s: id %q, %v, in %s", name, id, err, line)
		}
		if line := f.rest.Append(nil, x, time.Millisecond); name != "clf" && !bytes.Contains(line, []byte(x.Route.Path)) {
			t.Errorf("%s for REST APIs: %s", name, line)
		}
		event := *x
		event.Socket = &plan.Socket{Event: plan.SocketMessage, ConnectionID: "R1kmxc2VNjMCFIA="}
		if line := f.socket.Append(nil, &event, time.Millisecond); !bytes.Contains(line, []byte("MESSAGE")) || !bytes.Contains(line, []byte("R1kmxc2VNjMCFIA=")) {
			t.Errorf("%s for WebSocket APIs: %s", name, line)
		}
	}
}

// The operator's log has a format for each kind of API.
func TestOperatorLogByProtocol(t *testing.T) {
	var lines []string
	log := byProtocol{http: lineTo{&lines, "http"}, rest: lineTo{&lines, "rest"}, socket: lineTo{&lines, "socket"}}
	for _, protocol := range []plan.Protocol{plan.HTTP, plan.REST, plan.WebSocket} {
		log.Log(&plan.Exchange{Stage: &plan.Stage{API: &plan.API{Protocol: protocol}}}, 0)
	}
	if !slices.Equal(lines, []string{"http", "rest", "socket"}) {
		t.Errorf("lines: %q", lines)
	}
	for _, format := range []string{"clf", "$context.requestId $context.resourcePath"} {
		if _, err := operatorFormats(format); err != nil {
			t.Errorf("%s: %v", format, err)
		}
	}
	if _, err := operatorFormats("$context.status"); err == nil {
		t.Error("a format without a request id was taken")
	}
}

type lineTo struct {
	lines *[]string
	text  string
}

func (l lineTo) Log(*plan.Exchange, time.Duration) { *l.lines = append(*l.lines, l.text) }
