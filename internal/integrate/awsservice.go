package integrate

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unsafe"

	"gatehouse/internal/awsendpoint"
	"gatehouse/internal/awswire/sigv4"
	"gatehouse/internal/http1"
	"gatehouse/internal/plan"
)

// AWSServiceOptions describe an integration with an AWS service.
type AWSServiceOptions struct {
	// URI is what is called.
	URI awsendpoint.URI
	// Method is the method to call with; "ANY" passes the client's on.
	Method string
	// Endpoint is the URL of an endpoint that has the service in every region, ""
	// for AWS's own. Paths are appended to its path.
	Endpoint string
	// Timeout bounds the call; 0 is MaxTimeout.
	Timeout time.Duration
	// Proxy tells that an error of the service isn't passed on: the client gets a
	// failure of the gateway, as on HTTP APIs.
	Proxy bool
	// Keys returns what a request is signed with; keys without an id leave it
	// unsigned. Its error is a *RoleError, or for the operator.
	Keys func(x *plan.Exchange) (sigv4.Keys, error)
	// Upstreams has the connections, Signer the keys that are derived.
	Upstreams *Upstreams
	Signer    *sigv4.Signer
}

// An AWSService is an integration that calls a service of AWS, or one like it, and
// signs what it sends. It sends what mappings made and nothing else: of the
// client's own headers none.
type AWSService struct {
	uri       awsendpoint.URI
	method    string
	timeout   time.Duration
	proxy     bool
	keys      func(*plan.Exchange) (sigv4.Keys, error)
	upstreams *Upstreams
	signer    *sigv4.Signer

	// path and query are what the URI has, below the endpoint's own path.
	path, query template
	// target is the X-Amz-Target of the URI's action, nil for none.
	target template
	// hashed tells that the service wants the body's hash in a header.
	hashed bool
	rule   sigv4.PathRule
	// place is where the service is in the URI's region. Mappings may choose
	// another region; endpoint is that of all, nil for AWS's own.
	place    *servicePlace
	endpoint *servicePlace
}

// A servicePlace is where a service is, for one region.
type servicePlace struct {
	tls     bool
	host    string // as sent in the Host header
	base    string // path before all others, without a slash at its end
	backend *backend
	region  string // of signatures
}

// NewAWSService makes an integration with a service. The error says what is wrong
// with its options.
func NewAWSService(o AWSServiceOptions) (*AWSService, error) {
	s := &AWSService{
		uri: o.URI, method: o.Method, timeout: o.Timeout, proxy: o.Proxy, keys: o.Keys, upstreams: o.Upstreams, signer: o.Signer,
	}
	if s.timeout == 0 {
		s.timeout = MaxTimeout
	}
	if s.method == plan.AnyMethod {
		s.method = ""
	}
	if s.method != "" && !http1.ValidName(s.method) || s.method == "CONNECT" {
		return nil, fmt.Errorf("integration method %q", o.Method)
	}
	if s.uri.Service.SigningName() == "s3" {
		s.hashed, s.rule = true, sigv4.EncodeOnce
	}
	if err := s.parse(); err != nil {
		return nil, err
	}
	var err error
	if o.Endpoint == "" {
		s.place, err = s.awsPlace(o.URI.Region)
		return s, err
	}
	if s.endpoint, err = s.endpointPlace(o.Endpoint); err != nil {
		return nil, err
	}
	s.place = s.endpoint.in(s, o.URI.Region)
	return s, nil
}

// parse reads what the URI has behind the service's name.
func (s *AWSService) parse() error {
	path, query, _ := strings.Cut(s.uri.Path, "?")
	target := ""
	if s.uri.Action != "" {
		path = ""
		target, query = s.action()
	}
	variables := 0
	var err error
	if s.path, err = parseTemplate("/"+path, &variables); err == nil {
		s.query, err = parseTemplate(query, &variables)
	}
	if err == nil {
		s.target, err = parseTemplate(target, &variables)
	}
	if err != nil {
		return fmt.Errorf("path %q: %w", s.uri.Path, err)
	}
	return nil
}

// action is what names the URI's action: a target, of a service that has it in a
// header, or a part of the query.
func (s *AWSService) action() (target, query string) {
	more := strings.Trim(strings.ReplaceAll(s.uri.Path, "?", "&"), "&")
	if s.uri.Service.Protocol == awsendpoint.JSON {
		return s.uri.Service.Target(s.uri.Action), more
	}
	query = "Action=" + s.uri.Action
	if version := s.uri.Service.Version; version != "" && !strings.Contains("&"+more, "&Version=") {
		query += "&Version=" + version
	}
	if more != "" {
		query += "&" + more
	}
	return "", query
}

// AWSServiceVariables returns the names of the variables of a URI in their order
// there; nil for one that can't be called.
func AWSServiceVariables(uri awsendpoint.URI) []string {
	s := &AWSService{uri: uri}
	if s.parse() != nil {
		return nil
	}
	return s.target.names(s.query.names(s.path.names(nil)))
}

// awsPlace is where AWS has the service in a region.
func (s *AWSService) awsPlace(region string) (*servicePlace, error) {
	if !awsendpoint.IsAWSRegion(region) {
		return nil, fmt.Errorf("%q can't be a region of AWS", region)
	}
	host := s.uri.Service.Host(region, s.uri.Subdomain)
	return &servicePlace{tls: true, host: host, backend: s.upstreams.backend(address{addr: host + ":443", tls: true, name: host}, nil), region: s.uri.Service.Region(region)}, nil
}

// endpointPlace is where a service is whose endpoint was configured. Its regions
// and its subdomains are all there.
func (s *AWSService) endpointPlace(endpoint string) (*servicePlace, error) {
	t, err := parseURI(endpoint)
	switch {
	case err != nil:
		return nil, err
	case len(t.query) > 0 || len(t.path) > 1 || len(t.path) == 1 && t.path[0].name != "":
		return nil, fmt.Errorf("the endpoint %q has more than a path", endpoint)
	}
	p := &servicePlace{tls: t.tls, host: t.host, backend: s.upstreams.backend(t.address(), nil)}
	if len(t.path) == 1 {
		p.base = strings.TrimSuffix(t.path[0].literal, "/")
	}
	switch sub := s.uri.Subdomain; {
	case sub == "":
	case s.uri.Service.Prefix == "s3":
		// Whether the store has names for its buckets isn't known; all have paths.
		p.base += "/" + sub
	default:
		p.host = sub + "." + p.host
	}
	return p, nil
}

// in is the same place for another region.
func (p *servicePlace) in(s *AWSService, region string) *servicePlace {
	other := *p
	other.region = s.uri.Service.Region(region)
	return &other
}

// of is where the service is for an exchange, whose mappings may have chosen the
// region.
func (s *AWSService) of(x *plan.Exchange) (*servicePlace, error) {
	region := x.Mapped.Region
	switch {
	case region == "" || region == s.uri.Region:
		return s.place, nil
	case !awsendpoint.ValidRegion(region):
		return nil, fmt.Errorf("%q can't be a region", region)
	case s.endpoint != nil:
		return s.endpoint.in(s, region), nil
	}
	return s.awsPlace(strings.Clone(region))
}

// Integrate calls the service and leaves its response in x.
func (s *AWSService) Integrate(x *plan.Exchange) error {
	place, err := s.of(x)
	if err != nil {
		return &plan.Fault{Kind: plan.BadRequest, Reason: err.Error(), Cause: err}
	}
	keys, err := s.keys(x)
	if err != nil {
		return s.noKeys(x, err)
	}
	c := call{x: x, backend: place.backend, method: s.method}
	if c.method == "" {
		c.method = x.Request.Method
	}
	w := serviceRequests.Get().(*serviceRequest)
	err = s.prepare(&c, w, place, keys)
	w.release()
	if err != nil {
		return err
	}
	if err := c.run(s.timeout); err != nil {
		return err
	}
	x.Integration.Selection = strconv.Itoa(x.Integration.Status)
	x.Integration.RequestID = serviceRequestID(x.Response.Headers)
	if s.proxy && x.Integration.Status >= 300 {
		return serviceError(x)
	}
	return nil
}

// maxServiceError is how much of an error is looked at for its message.
const maxServiceError = 16 << 10

// serviceError is the fault of an error that a service answers. Its message is
// for the logs.
func serviceError(x *plan.Exchange) error {
	text := x.Response.Body
	if stream := x.Response.BodyStream; stream != nil {
		text = make([]byte, maxServiceError)
		n, _ := io.ReadFull(stream, text) // what came is what there is to tell
		text = text[:n]
		if err := stream.Close(); err != nil {
			return &plan.Fault{Kind: plan.IntegrationUnreachable, Reason: err.Error(), Cause: err}
		}
	}
	words := serviceMessage(text[:min(len(text), maxServiceError)])
	if words == "" {
		words = "the service answered with status " + x.Integration.Selection
	}
	x.Integration.Error = words
	x.Response = plan.Response{Headers: x.Response.Headers[:0]}
	return &plan.Fault{Kind: plan.IntegrationFailure, Reason: words}
}

// serviceMessage finds the message of an error in JSON or XML.
func serviceMessage(text []byte) string {
	var doc struct{ Message string }
	if json.Unmarshal(text, &doc) == nil && doc.Message != "" {
		return cut(doc.Message, maxErrorText)
	}
	_, after, found := bytes.Cut(text, []byte("<Message>"))
	if !found {
		return ""
	}
	message, _, _ := bytes.Cut(after, []byte("<"))
	return cut(html.UnescapeString(string(message)), maxErrorText)
}

// noKeys is the fault of a request that can't be signed.
func (s *AWSService) noKeys(x *plan.Exchange, err error) error {
	words := "Execution failed due to configuration error: " + err.Error()
	if t := x.Trace; t != nil {
		t.Error("%s", words)
	}
	x.Integration.Error = words
	return &plan.Fault{Kind: plan.IntegrationFailure, Reason: words, Cause: err}
}

// serviceRequestID is the id by which the service knows the request.
func serviceRequestID(headers plan.Headers) string {
	for _, name := range [...]string{"x-amzn-requestid", "x-amz-request-id"} {
		if id, ok := headers.Lookup(name); ok {
			return id
		}
	}
	return ""
}

// A serviceRequest is memory for making one request.
type serviceRequest struct {
	headers plan.Headers
	names   []string
	one     [1]string
	signed  sigv4.Request
}

var serviceRequests = sync.Pool{New: func() any {
	w := &serviceRequest{}
	w.signed.Header = w.values
	return w
}}

// values are those of a header by its name in lower case.
func (w *serviceRequest) values(name string) []string {
	for i := range w.headers {
		if plan.EqualFold(w.headers[i].Name, name) {
			w.one[0] = w.headers[i].Value
			return w.one[:]
		}
	}
	return nil
}

// release gives the memory back, without a trace of the request in it.
func (w *serviceRequest) release() {
	clear(w.headers)
	clear(w.names)
	w.headers, w.names, w.one = w.headers[:0], w.names[:0], [1]string{}
	w.signed = sigv4.Request{Header: w.signed.Header}
	serviceRequests.Put(w)
}

// add adds a header in place of one of its name, and tells that it is signed.
func (w *serviceRequest) add(name, signedAs, value string) {
	w.headers = append(w.headers, plan.Header{Name: name, Value: value})
	if signedAs != "" {
		w.names = append(w.names, signedAs)
	}
}

// prepare writes the request into Scratch, signed.
func (s *AWSService) prepare(c *call, w *serviceRequest, place *servicePlace, keys sigv4.Keys) error {
	x := c.x
	body, mapped := x.OutboundBody()
	switch {
	case safe(c.method):
		body = nil
	case !mapped:
		if err := x.ReadBody(); err != nil {
			return &plan.Fault{Kind: plan.BadRequest, Reason: "the request's body can't be read: " + err.Error(), Cause: err}
		}
		body = x.Request.Body
	}

	start := len(x.Scratch)
	x.Scratch = append(x.Scratch, place.base...)
	if x.Mapped.Path != "" {
		x.Scratch = append(x.Scratch, x.Mapped.Path...)
	} else {
		x.Scratch = s.path.appendPath(x.Scratch, x)
	}
	path := scratched(x, start)
	if climbs(path) {
		return &plan.Fault{Kind: plan.BadRequest, Reason: "the path " + path + " for the service has dots that lead elsewhere"}
	}
	start = len(x.Scratch)
	x.Scratch = s.query.appendQuery(x.Scratch, x)
	if mapped := x.Mapped.Query; mapped != "" {
		if len(x.Scratch) > start {
			x.Scratch = append(x.Scratch, '&')
		}
		x.Scratch = append(x.Scratch, mapped...)
	}
	query := scratched(x, start)

	start = len(x.Scratch)
	x.Scratch = s.target.appendPath(x.Scratch, x)
	w.collect(x, scratched(x, start))
	w.signed.Method, w.signed.Path, w.signed.Query, w.signed.Host = c.method, path, query, place.host
	if keys.AccessKeyID != "" {
		s.sign(x, w, place, keys, body)
	}
	if x.Trace.WantsInfo() {
		s.trace(x, w, place, body)
	}

	start = len(x.Scratch)
	b := append(append(x.Scratch, c.method...), ' ')
	b = append(b, path...)
	if query != "" {
		b = append(append(b, '?'), query...)
	}
	b = http1.AppendHeader(append(b, " HTTP/1.1\r\n"...), "Host", place.host)
	for i := range w.headers {
		b = http1.AppendHeader(b, w.headers[i].Name, w.headers[i].Value)
	}
	if len(body) > 0 || hasBody(c.method) {
		b = appendLength(b, int64(len(body)))
	}
	b = append(b, "\r\n"...)
	if len(body) > maxBuffered {
		c.rest = bytes.NewReader(body) // it is in memory once
	} else {
		b = append(b, body...)
	}
	x.Scratch = b
	c.request = b[start:]
	return nil
}

// scratched is what was appended to Scratch from start on, which stays as it is
// until the exchange ends.
func scratched(x *plan.Exchange, start int) string {
	return unsafe.String(unsafe.SliceData(x.Scratch[start:]), len(x.Scratch)-start)
}

// The headers that a signature adds.
const (
	amzDate   = "X-Amz-Date"
	amzToken  = "X-Amz-Security-Token"
	amzHash   = "X-Amz-Content-Sha256"
	amzTarget = "X-Amz-Target"
)

// collect lists the headers of the request but those of the signature.
func (w *serviceRequest) collect(x *plan.Exchange, target string) {
	targeted := false
	for i := range x.Mapped.Headers {
		h := &x.Mapped.Headers[i]
		if !http1.ValidName(h.Name) || !http1.ValidValue(h.Value) || isOwn(h.Name) {
			continue
		}
		targeted = targeted || plan.EqualFold(h.Name, amzTarget)
		w.add(h.Name, signedName(h.Name), h.Value)
	}
	if target != "" && !targeted {
		w.add(amzTarget, "x-amz-target", target)
	}
	w.add(apiIDHeader, "", x.Stage.API.ID)
	w.add(traceIDHeader, "", traceHeaderOf(x))
}

// isOwn tells whether a header is the gateway's to write: those of the connection,
// those of the signature, and the host, by which a store could take another
// bucket for the one that the URI names.
func isOwn(name string) bool {
	own := ""
	switch len(name) {
	case 4:
		own = "host"
	case 6:
		own = "expect"
	case 10:
		own = amzDate
	case 13:
		own = "authorization"
	case 14:
		own = "content-length"
	case 20:
		own = amzToken
	}
	return plan.EqualFold(name, own) || http1.HopByHop(name)
}

// signedName is a header's name in a signature, "" for one that isn't signed.
func signedName(name string) string {
	if len(name) == 12 && plan.EqualFold(name, "content-type") {
		return "content-type"
	}
	if len(name) > 6 && plan.EqualFold(name[:6], "x-amz-") {
		return strings.ToLower(name)
	}
	return ""
}

// sign signs the request.
func (s *AWSService) sign(x *plan.Exchange, w *serviceRequest, place *servicePlace, keys sigv4.Keys, body []byte) {
	timestamp := sigv4.Timestamp(s.upstreams.Clock())
	w.add(amzDate, "x-amz-date", timestamp)
	if keys.Token != "" {
		w.add(amzToken, "x-amz-security-token", keys.Token)
	}
	hash := s.hash(x, w, body)
	w.names = append(w.names, "host")
	slices.Sort(w.names)
	start := len(x.Scratch)
	x.Scratch = s.signer.Append(x.Scratch, &w.signed, keys, place.region, s.uri.Service.SigningName(), timestamp, w.names,
		sigv4.Check{BodyHash: hash, Path: s.rule})
	w.add("Authorization", "", scratched(x, start))
}

// hash is what a signature says of the body, which S3 has in a header, too. A
// mapping can have it say that the body isn't signed.
func (s *AWSService) hash(x *plan.Exchange, w *serviceRequest, body []byte) string {
	for i := range w.headers {
		if !plan.EqualFold(w.headers[i].Name, amzHash) {
			continue
		}
		if w.headers[i].Value != sigv4.UnsignedPayload {
			w.headers[i].Value = hashOf(x, body)
		}
		return w.headers[i].Value
	}
	hash := hashOf(x, body)
	if s.hashed {
		w.add(amzHash, "x-amz-content-sha256", hash)
	}
	return hash
}

func hashOf(x *plan.Exchange, body []byte) string {
	if len(body) == 0 {
		return sigv4.EmptyHash
	}
	sum := sha256.Sum256(body)
	start := len(x.Scratch)
	x.Scratch = hex.AppendEncode(x.Scratch, sum[:])
	return scratched(x, start)
}

// climbs tells whether a path has a segment of dots, encoded or not: what a client
// puts into a variable stays where the variable stands.
func climbs(path string) bool {
	dots := 0
	for i := 0; i <= len(path); i++ {
		switch {
		case i == len(path) || path[i] == '/' || path[i] == '\\':
			if dots == 1 || dots == 2 {
				return true
			}
			dots = 0
		case path[i] == '%' && i+2 < len(path) && path[i+1] == '2' && (path[i+2] == 'f' || path[i+2] == 'F'),
			path[i] == '%' && i+2 < len(path) && path[i+1] == '5' && (path[i+2] == 'c' || path[i+2] == 'C'):
			if dots == 1 || dots == 2 {
				return true
			}
			dots, i = 0, i+2
		case dots < 0:
		case path[i] == '.':
			dots++
		case path[i] == '%' && i+2 < len(path) && path[i+1] == '2' && (path[i+2] == 'e' || path[i+2] == 'E'):
			dots, i = dots+1, i+2
		default:
			dots = -1
		}
	}
	return false
}

// trace tells what is about to be sent.
func (s *AWSService) trace(x *plan.Exchange, w *serviceRequest, place *servicePlace, body []byte) {
	uri := "http://"
	if place.tls {
		uri = "https://"
	}
	uri += place.host + w.signed.Path
	if w.signed.Query != "" {
		uri += "?" + w.signed.Query
	}
	traceCall(x, uri, w.headers, body)
}
