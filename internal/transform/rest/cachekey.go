package rest

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"

	"gatehouse/internal/plan"
)

// CacheKeyOptions say which requests of a method are answered alike.
type CacheKeyOptions struct {
	// Namespace is cacheNamespace. Methods with the same one, and the same
	// parameters, share responses.
	Namespace string
	// Deployment is the id of the deployment that answers: responses of one aren't
	// those of another.
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/canary-release.html
	Deployment string
	// Parameters are cacheKeyParameters: of the method ("method.request.path.id")
	// or of the integration ("integration.request.header.x"), which Mapped, its
	// requestParameters, says how to make.
	Parameters []string
	Mapped     map[string]string
	// Response is how the method answers, Binary whether the API has media types
	// whose bodies are bytes: what a client accepts may choose a template and the
	// form of the body.
	Response ResponseOptions
	Binary   bool
	// Variables are those of the stage.
	Variables map[string]string
}

// A CacheKey makes the sums of requests. It implements plan.CacheKey.
type CacheKey struct {
	// prefix tells the namespace, the deployment and the names of the parameters.
	prefix     [sha256.Size]byte
	parameters []keyParameter
	readsBody  bool
	// accepts are the media types among which an Accept header chooses, nil where
	// there is no choice; binary tells that it says how bodies are sent, too.
	accepts []string
	binary  bool
}

// A keyParameter is one parameter of a key: all the values that the client sent
// under a name, or what a mapping makes.
type keyParameter struct {
	kind keyKind
	name string
	from source // of keyMapped
}

type keyKind uint8

const (
	keyMapped keyKind = iota
	keyPath
	keyQuery
	keyHeader
)

const ofMethod = "method.request."

// NewCacheKey compiles a key. The error is an *ExpressionError.
//
// UNVERIFIED: that a parameter of the method counts with all of its values, where
// mappings take the last one. What a proxy's backend gets has them all, so a
// response mustn't be found by one of them. Nor do templates run for a key: what
// they override of a parameter of the integration doesn't count.
func NewCacheKey(o CacheKeyOptions) (*CacheKey, error) {
	// One set of parameters is one key, in whatever order it is written.
	names := slices.Compact(slices.Sorted(slices.Values(o.Parameters)))
	k := &CacheKey{}
	bodies := &bodyPaths{body: requestBytes}
	framed := appendFramed(appendFramed(nil, o.Namespace), o.Deployment)
	for _, name := range names {
		framed = appendFramed(framed, name)
		p, err := k.parameter(name, &o, bodies)
		if err != nil {
			return nil, err
		}
		k.parameters = append(k.parameters, p)
	}
	k.prefix = sha256.Sum256(framed)
	k.accepts = acceptable(&o.Response)
	k.binary = o.Binary && o.Response.Kind != Mock && o.Response.Kind != HTTPProxy
	return k, bodies.compile()
}

// acceptable are the media types of response templates, if there are several.
func acceptable(o *ResponseOptions) []string {
	var types []string
	for i := range o.Responses {
		for key := range o.Responses[i].Templates {
			if key != defaultTemplate {
				types = append(types, strings.ToLower(plan.MediaType(key)))
			}
		}
	}
	slices.Sort(types)
	if types = slices.Compact(types); len(types) < 2 {
		return nil
	}
	return types
}

func (k *CacheKey) parameter(name string, o *CacheKeyOptions, bodies *bodyPaths) (keyParameter, error) {
	of := keyParameter{kind: keyMapped, from: nothing{}}
	expression := name
	if !strings.HasPrefix(name, ofMethod) {
		var mapped bool
		if expression, mapped = o.Mapped[name]; !mapped {
			return of, nil // an older release let it pass
		}
	}
	from, err := parseRequestExpression(expression, &RequestOptions{Variables: o.Variables}, bodies)
	if err != nil {
		return of, err
	}
	switch s := from.(type) {
	case pathSource:
		return keyParameter{kind: keyPath, name: string(s)}, nil
	case querySource:
		return keyParameter{kind: keyQuery, name: string(s)}, nil
	case queriesSource:
		return keyParameter{kind: keyQuery, name: string(s)}, nil
	case headerSource:
		if !isGatewayHeader(string(s)) {
			return keyParameter{kind: keyHeader, name: string(s)}, nil
		}
	case headersSource:
		return keyParameter{kind: keyHeader, name: string(s)}, nil
	case requestBody, bodyPath:
		k.readsBody = true
	}
	of.from = from
	return of, nil
}

// isGatewayHeader tells whether a header's value is what the gateway makes of it.
func isGatewayHeader(name string) bool {
	return plan.EqualFold(name, traceID) || plan.EqualFold(name, forwardedFor) || plan.EqualFold(name, forwardedPort) || plan.EqualFold(name, forwardedProto)
}

// Sum implements plan.CacheKey. What is asked of a namespace by one HTTP method
// isn't the answer to another.
//
// UNVERIFIED: that methods of a resource, whose namespace is the same by default,
// don't share responses; and that what the gateway itself makes of Accept counts.
// Else whoever asks first would choose everyone's media type.
func (k *CacheKey) Sum(x *plan.Exchange) (plan.CacheSum, bool, error) {
	if k.readsBody {
		if err := x.ReadBody(); err != nil {
			return plan.CacheSum{}, false, &plan.Fault{Kind: plan.BadRequest, Reason: "the request's body can't be read: " + err.Error(), Cause: err}
		}
		if !readable(x.Request.Body) {
			return plan.CacheSum{}, false, nil // the mapping refuses it
		}
	}
	// Most keys fit.
	var stack [512]byte
	framed := appendFramed(append(stack[:0], k.prefix[:]...), x.Request.Method)
	for i := range k.parameters {
		framed = k.parameters[i].append(framed, x)
	}
	if k.accepts != nil || k.binary {
		framed = k.appendAccepted(framed, x)
	}
	return sha256.Sum256(framed), true, nil
}

// appendAccepted appends what responses make of the Accept header. Who accepts what
// nothing is made of gets JSON.
func (k *CacheKey) appendAccepted(dst []byte, x *plan.Exchange) []byte {
	accept, chosen := plan.MediaType(x.Request.Headers.Get("accept")), ""
	for _, t := range k.accepts {
		if t != jsonType && plan.EqualFold(t, accept) {
			chosen = t
		}
	}
	dst = appendFramed(dst, chosen)
	if k.binary && x.AcceptsBinary() {
		return append(dst, 1)
	}
	return append(dst, 0)
}

// append appends the values of a parameter so that their number and their ends
// can be told: a one before each, a zero behind the last.
func (p *keyParameter) append(dst []byte, x *plan.Exchange) []byte {
	const value, end = 1, 0
	switch p.kind {
	case keyPath:
		// As it came: who knows what else the backend takes it for.
		if v, ok := pathParameter(x, p.name, true); ok {
			dst = appendFramed(append(dst, value), v)
		}
	case keyQuery:
		for rest := x.Request.Query; rest != ""; {
			var piece string
			piece, rest = cutParameter(rest)
			name, v, _ := strings.Cut(piece, "=")
			if piece != "" && decodedQuery(x, name) == p.name {
				dst = appendFramed(append(dst, value), decodedQuery(x, v))
			}
		}
		if strings.IndexByte(x.Request.Query, ';') >= 0 {
			// Where a parameter ends there, who knows what the backend does.
			dst = appendFramed(append(dst, value), x.Request.Query)
		}
	case keyHeader:
		for i := range x.Request.Headers {
			if h := &x.Request.Headers[i]; plan.EqualFold(h.Name, p.name) {
				dst = appendFramed(append(dst, value), h.Value)
			}
		}
	default:
		if v, ok := p.from.value(x); ok {
			dst = appendFramed(append(dst, value), v)
		}
	}
	return append(dst, end)
}

// appendFramed appends a text behind its length.
func appendFramed(dst []byte, text string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}
