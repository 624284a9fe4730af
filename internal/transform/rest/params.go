package rest

import (
	"iter"
	"slices"
	"strings"
	"unsafe"

	"gatehouse/internal/plan"
	"gatehouse/internal/transform/vtl"
)

// What a request's parameters are to mapping expressions and templates. Of
// several values of one name the last counts.

const (
	forwardedFor   = "X-Forwarded-For"
	forwardedPort  = "X-Forwarded-Port"
	forwardedProto = "X-Forwarded-Proto"
	traceID        = "X-Amzn-Trace-Id"
)

// since returns what was appended to the exchange's scratch memory from start
// on. It stays as it is until the exchange ends, so it can be seen as a string.
func since(x *plan.Exchange, start int) string {
	return unsafe.String(unsafe.SliceData(x.Scratch[start:]), len(x.Scratch)-start)
}

// header returns the last value of a request header.
func header(x *plan.Exchange, name string) (string, bool) {
	if ruleOf(name)&hidden != 0 || isFrame(x) {
		return "", false
	}
	switch {
	case plan.EqualFold(name, traceID):
		return x.TraceHeader, true
	case isTest(x):
	case plan.EqualFold(name, forwardedFor):
		return forwarded(x), true
	case plan.EqualFold(name, forwardedPort):
		return port(x), true
	case plan.EqualFold(name, forwardedProto):
		return proto(x), true
	}
	for _, h := range slices.Backward(x.Request.Headers) {
		if plan.EqualFold(h.Name, name) {
			return h.Value, true
		}
	}
	return "", false
}

// isFrame tells whether a request is an event of a WebSocket connection that
// came without headers: only the handshake has some.
func isFrame(x *plan.Exchange) bool {
	return x.Socket != nil && x.Socket.Event != plan.SocketConnect
}

// isTest tells whether a request is that of a test, which came over no network:
// there is no client to name, and only what the test itself says of one.
// UNVERIFIED: that backends get no X-Forwarded headers then.
func isTest(x *plan.Exchange) bool { return x.Request.SourceName != "" }

// forwarded is X-Forwarded-For with the client at its end.
func forwarded(x *plan.Exchange) string {
	start := len(x.Scratch)
	for _, h := range x.Request.Headers {
		if plan.EqualFold(h.Name, forwardedFor) {
			x.Scratch = append(append(x.Scratch, h.Value...), ", "...)
		}
	}
	if a := x.Request.Source.Addr(); a.IsValid() {
		x.Scratch = a.Unmap().AppendTo(x.Scratch)
	}
	return since(x, start)
}

func port(x *plan.Exchange) string {
	// AWS is reached by TLS alone; here a port is what the client used.
	start := len(x.Scratch)
	x.Scratch = appendInt(x.Scratch, int64(x.Request.LocalPort))
	return since(x, start)
}

func proto(x *plan.Exchange) string {
	if x.Request.Secure {
		return "https"
	}
	return "http"
}

// query yields the parameters of an encoded query in their order, decoded.
func query(x *plan.Exchange, encoded string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for rest := encoded; rest != ""; {
			var piece string
			piece, rest = cutParameter(rest)
			if piece == "" {
				continue
			}
			name, value, _ := strings.Cut(piece, "=")
			if !yield(decodedQuery(x, name), decodedQuery(x, value)) {
				return
			}
		}
	}
}

// cutParameter cuts the first parameter off a query: "&" and ";" part them.
func cutParameter(query string) (piece, rest string) {
	i := strings.IndexAny(query, "&;")
	if i < 0 {
		return query, ""
	}
	return query[:i], query[i+1:]
}

// decodedQuery is a name or value of a query, decoded.
func decodedQuery(x *plan.Exchange, text string) string {
	if strings.IndexByte(text, '%') < 0 && strings.IndexByte(text, '+') < 0 {
		return text
	}
	start := len(x.Scratch)
	x.Scratch = plan.AppendDecodedQuery(x.Scratch, text)
	return since(x, start)
}

// queryParameter returns the last value of a parameter.
func queryParameter(x *plan.Exchange, name string) (value string, ok bool) {
	for n, v := range query(x, x.Request.Query) {
		if n == name {
			value, ok = v, true
		}
	}
	return value, ok
}

// pathParameter returns the value of a variable of the resource's path: raw is
// as it came, else it is decoded. A greedy variable's is as it came in any case.
func pathParameter(x *plan.Exchange, name string, raw bool) (string, bool) {
	if x.Route == nil {
		// A gateway response to a request that no method is for.
		return "", false
	}
	for i, n := range x.Route.ParamNames {
		if n != name {
			continue
		}
		if i >= len(x.Params) {
			// A test that gave no path.
			return "", false
		}
		value := x.Params[i]
		if raw || strings.IndexByte(value, '%') < 0 || x.Route.Greedy && i == len(x.Params)-1 {
			return value, true
		}
		start := len(x.Scratch)
		x.Scratch = plan.AppendDecoded(x.Scratch, value)
		return since(x, start), true
	}
	return "", false
}

// parameters are $input.params.
type parameters struct{ x *plan.Exchange }

// Param implements vtl.Params.
func (p parameters) Param(place vtl.Place, name string) (string, bool) {
	switch place {
	case vtl.PathParams:
		return pathParameter(p.x, name, false)
	case vtl.QueryString:
		return queryParameter(p.x, name)
	default:
		return header(p.x, name)
	}
}

// Params implements vtl.Params.
func (p parameters) Params(place vtl.Place) iter.Seq2[string, string] {
	x := p.x
	return func(yield func(string, string) bool) {
		switch place {
		case vtl.PathParams:
			for _, name := range x.Route.ParamNames {
				if value, ok := pathParameter(x, name, false); ok && !yield(name, value) {
					return
				}
			}
		case vtl.QueryString:
			unique(func(name string) (string, bool) { return queryParameter(x, name) }, keys(query(x, x.Request.Query)), yield)
		default:
			unique(func(name string) (string, bool) { return header(x, name) }, headerNames(x), yield)
		}
	}
}

func keys(pairs iter.Seq2[string, string]) iter.Seq[string] {
	return func(yield func(string) bool) {
		for name := range pairs {
			if !yield(name) {
				return
			}
		}
	}
}

// headerNames yields the names of the request's headers and of those the
// gateway adds.
func headerNames(x *plan.Exchange) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, h := range x.Request.Headers {
			if ruleOf(h.Name)&hidden == 0 && !yield(h.Name) {
				return
			}
		}
		for _, name := range [...]string{traceID, forwardedFor, forwardedPort, forwardedProto} {
			if !yield(name) {
				return
			}
		}
	}
}

// unique yields each name once with its value, sorted as AWS sorts them.
func unique(value func(string) (string, bool), names iter.Seq[string], yield func(string, string) bool) {
	sorted := slices.Sorted(names)
	for i, name := range sorted {
		if i > 0 && plan.EqualFold(name, sorted[i-1]) && name == sorted[i-1] {
			continue
		}
		if v, ok := value(name); ok && !yield(name, v) {
			return
		}
	}
}
