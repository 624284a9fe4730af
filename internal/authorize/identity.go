package authorize

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"gatehouse/internal/contextvar"
	"gatehouse/internal/plan"
)

// An identitySource is where an authorizer finds a part of what it tells callers
// apart by.
type identitySource struct {
	kind sourceKind
	// name is that of a header or of a parameter, text the value of a stage
	// variable, label the source as logs of REST APIs show it.
	name, text, label string
	variable          contextvar.Variable
	// joins tells that all values count, joined; else the last does.
	joins bool
}

type sourceKind uint8

const (
	fromHeader sourceKind = iota + 1
	fromQuery
	fromStage
	fromContext
	// Headers that the gateway sets itself, whatever the client says.
	fromForwardedFor
	fromForwardedPort
	fromForwardedProto
)

// newIdentitySource compiles a source as it is written for the kind of API:
// method.request.header.{name} on REST APIs, $request.header.{name} on HTTP APIs
// and route.request.header.{name} on WebSocket APIs, likewise querystring, and on
// REST APIs multivalueheader and multivaluequerystring; then stageVariables.{name}
// and context.{name}, with a "$" before them on HTTP APIs.
func newIdentitySource(protocol plan.Protocol, written string, variables map[string]string) (identitySource, error) {
	s := identitySource{label: written, joins: protocol == plan.HTTP}
	text, request := written, ""
	switch protocol {
	case plan.HTTP:
		text, request = strings.TrimPrefix(written, "$"), "request."
	case plan.WebSocket:
		request = "route.request."
	default:
		request = "method.request."
	}
	if name, ok := strings.CutPrefix(text, request+"multivalue"); ok && protocol == plan.REST {
		s.joins, text = true, request+name
	}
	if name, ok := strings.CutPrefix(text, request+"header."); ok {
		s.kind, s.name = headerKind(name), name
	} else if name, ok := strings.CutPrefix(text, request+"querystring."); ok {
		s.kind, s.name = fromQuery, name
	} else if name, ok := strings.CutPrefix(text, "stageVariables."); ok {
		s.kind, s.name, s.text = fromStage, name, variables[name]
	} else if name, ok := strings.CutPrefix(text, "context."); ok {
		s.kind, s.name = fromContext, name
		// What isn't there yet never has a value.
		if v, known := lookupVariable(protocol, name); known && v.Has(contextvar.AtRequest) {
			s.variable = v
		}
	}
	if s.name == "" {
		return s, fmt.Errorf("%q is no identity source", written)
	}
	return s, nil
}

func lookupVariable(protocol plan.Protocol, name string) (contextvar.Variable, bool) {
	switch protocol {
	case plan.HTTP:
		return contextvar.Lookup(name)
	case plan.WebSocket:
		return contextvar.LookupWebSocket(name)
	default:
		return contextvar.LookupREST(name)
	}
}

func headerKind(name string) sourceKind {
	switch {
	case plan.EqualFold(name, "x-forwarded-for"):
		return fromForwardedFor
	case plan.EqualFold(name, "x-forwarded-port"):
		return fromForwardedPort
	case plan.EqualFold(name, "x-forwarded-proto"):
		return fromForwardedProto
	}
	return fromHeader
}

// appendKey appends all values of the source, so framed that two lists of values
// never look alike, and tells whether what counts of them isn't empty. All are
// part of the key since functions see all.
func (s *identitySource) appendKey(dst []byte, x *plan.Exchange) (key []byte, present bool) {
	count := uint32(0)
	// end frames the value that was appended since start.
	end := func(start int) {
		size := len(dst) - start
		dst = binary.BigEndian.AppendUint32(dst, uint32(size))
		present = size > 0 || s.joins && present
		count++
	}
	start := len(dst)
	switch s.kind {
	case fromHeader, fromForwardedFor:
		for i := range x.Request.Headers {
			if h := &x.Request.Headers[i]; plan.EqualFold(h.Name, s.name) {
				start = len(dst)
				dst = append(dst, h.Value...)
				end(start)
			}
		}
		if s.kind == fromForwardedFor {
			start = len(dst)
			dst = appendSourceIP(dst, x)
			end(start)
		}
	case fromQuery:
		for rest := x.Request.Query; rest != ""; {
			var name, value string
			if name, value, rest = nextParameter(x, rest); !s.isParameter(name) {
				continue
			}
			start = len(dst)
			dst = plan.AppendDecodedQuery(dst, value)
			end(start)
		}
	case fromStage:
		dst = append(dst, s.text...)
		end(start)
	case fromContext:
		// Not to dst, which then had to be on the heap.
		from := len(x.Scratch)
		x.Scratch, _ = s.variable.Append(x.Scratch, x, 0, nil)
		dst = append(dst, x.Scratch[from:]...)
		x.Scratch = x.Scratch[:from]
		end(start)
	case fromForwardedPort:
		dst = strconv.AppendUint(dst, uint64(x.Request.LocalPort), 10)
		end(start)
	case fromForwardedProto:
		dst = append(dst, proto(x)...)
		end(start)
	}
	return binary.BigEndian.AppendUint32(dst, count), present
}

// value is the value of the source that counts, "" for none. It lives as long as
// the exchange.
func (s *identitySource) value(x *plan.Exchange) string {
	var all []string
	switch s.kind {
	case fromHeader, fromForwardedFor:
		for _, h := range x.Request.Headers {
			if plan.EqualFold(h.Name, s.name) {
				all = append(all, h.Value)
			}
		}
		if s.kind == fromForwardedFor {
			all = append(all, string(appendSourceIP(nil, x)))
			return strings.Join(all, ", ")
		}
	case fromQuery:
		for rest := x.Request.Query; rest != ""; {
			var name, value string
			if name, value, rest = nextParameter(x, rest); s.isParameter(name) {
				all = append(all, string(plan.AppendDecodedQuery(nil, value)))
			}
		}
	case fromStage:
		return s.text
	case fromContext:
		text, _ := s.variable.Append(nil, x, 0, nil)
		return string(text)
	case fromForwardedPort:
		return strconv.FormatUint(uint64(x.Request.LocalPort), 10)
	case fromForwardedProto:
		return proto(x)
	}
	switch {
	case len(all) == 0:
		return ""
	case s.joins:
		return strings.Join(all, ",")
	}
	return all[len(all)-1]
}

// isParameter tells whether an encoded name is the source's.
func (s *identitySource) isParameter(encoded string) bool {
	if strings.IndexByte(encoded, '%') < 0 && strings.IndexByte(encoded, '+') < 0 {
		return encoded == s.name
	}
	return string(plan.AppendDecodedQuery(nil, encoded)) == s.name
}

// nextParameter cuts the first parameter off a query, still encoded. A semicolon
// separates, too, on REST APIs.
func nextParameter(x *plan.Exchange, query string) (name, value, rest string) {
	separators := "&"
	if x.Stage.API.Protocol == plan.REST {
		separators = "&;"
	}
	piece := query
	if end := strings.IndexAny(query, separators); end >= 0 {
		piece, rest = query[:end], query[end+1:]
	}
	name, value, _ = strings.Cut(piece, "=")
	return name, value, rest
}

func appendSourceIP(dst []byte, x *plan.Exchange) []byte {
	address := x.Request.Source.Addr()
	if !address.IsValid() {
		return append(dst, x.Request.SourceName...)
	}
	return address.Unmap().AppendTo(dst)
}

func proto(x *plan.Exchange) string {
	if x.Request.Secure {
		return "https"
	}
	return "http"
}
