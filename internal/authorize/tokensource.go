package authorize

import (
	"errors"
	"strings"
	"unsafe"

	"gatehouse/internal/plan"
)

// A tokenSource is where a request has its token.
type tokenSource struct {
	header, query string
}

// parseTokenSource reads an identity source that is a header or a query
// parameter, after its prefixes.
func parseTokenSource(expression, header, query string) (tokenSource, error) {
	if name, ok := strings.CutPrefix(expression, header); ok && name != "" {
		return tokenSource{header: name}, nil
	}
	if name, ok := strings.CutPrefix(expression, query); ok && name != "" && query != "" {
		return tokenSource{query: name}, nil
	}
	return tokenSource{}, errors.New("the identity source " + expression + " isn't one that tokens come in")
}

// read returns what a request has there, "" for nothing. A header or parameter
// that is there more than once is one with commas between, as functions get it,
// and so no token: what is checked is what a backend would see.
func (s tokenSource) read(x *plan.Exchange) string {
	if s.header != "" {
		return s.readHeader(x)
	}
	return s.readQuery(x)
}

func (s tokenSource) readHeader(x *plan.Exchange) string {
	value, found := "", false
	for i := range x.Request.Headers {
		h := &x.Request.Headers[i]
		if len(h.Name) != len(s.header) || !plan.EqualFold(h.Name, s.header) {
			continue
		}
		if found {
			return value + "," + h.Value
		}
		value, found = h.Value, true
	}
	return value
}

func (s tokenSource) readQuery(x *plan.Exchange) string {
	value, found := "", false
	rest := x.Request.Query
	for rest != "" {
		var piece string
		piece, rest, _ = strings.Cut(rest, "&")
		name, text, _ := strings.Cut(piece, "=")
		if decodedQuery(x, name) != s.query {
			continue
		}
		if text = decodedQuery(x, text); found {
			return value + "," + text
		}
		value, found = text, true
	}
	return value
}

// decodedQuery is a part of a query as text. It lives as long as the exchange.
func decodedQuery(x *plan.Exchange, text string) string {
	if !strings.ContainsAny(text, "%+") {
		return text
	}
	start := len(x.Scratch)
	x.Scratch = plan.AppendDecodedQuery(x.Scratch, text)
	b := x.Scratch[start:]
	return unsafe.String(unsafe.SliceData(b), len(b))
}

const bearer = "bearer "

// bareToken is a token without "Bearer " before it. UNVERIFIED: that AWS minds
// the case of the scheme as little as HTTP does.
func bareToken(value string) string {
	if len(value) >= len(bearer) && plan.EqualFold(value[:len(bearer)], bearer) {
		return strings.TrimSpace(value[len(bearer):])
	}
	return value
}
