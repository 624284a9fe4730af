package plan

import (
	"io"
	"net/netip"
	"slices"
	"time"
)

// An Exchange is one request's trip: the request, where it was placed, what
// the steps learned about it, and the response. The front that received the
// request owns it and reuses it for a later one.
type Exchange struct {
	Request  Request
	Response Response

	// RequestID is apigw-requestid / $context.requestId; TraceRoot the
	// "1-5759e988-bd862e3fe1be46a994272793" of X-Amzn-Trace-Id.
	RequestID string
	TraceRoot string
	// ExtendedRequestID is x-amz-apigw-id / $context.extendedRequestId of a REST
	// API; RequestID is a UUID there. TraceHeader is the whole X-Amzn-Trace-Id
	// that integrations of a REST API get.
	ExtendedRequestID, TraceHeader string
	// Start is when the first byte of the request was taken.
	Start time.Time

	// API is the API the request is addressed to, set even when it has no stage
	// for it. Stage and Route are nil until they are found.
	API   *API
	Stage *Stage
	Route *Route
	// DomainName is the host without port that the client used and
	// DomainPrefix its first label. On WebSocket APIs DomainName is what the
	// address of @connections begins with, port included.
	DomainName, DomainPrefix string
	// StagePath is Path without the stage segment and without a mapping's base
	// path, still encoded: what routes are matched against. GatewayPath is the
	// path with the stage but without the address prefix of a path form.
	StagePath, GatewayPath string
	// Domain is the custom domain that the host is, nil without one; BasePath the
	// key of the mapping that was taken, "" for none. GatewayPath is the whole
	// path then, except on HTTP APIs, whose functions don't see the mapping's.
	Domain   *Domain
	BasePath string
	// VPCEndpoint is the id of the VPC endpoint that the request to a private API came
	// over and VPC that of its network; "" where that isn't known, and elsewhere.
	VPCEndpoint, VPC string
	// PathForm tells that the API was named in the path, not by the host.
	PathForm bool
	// Params are the values of the route's path variables in the order of
	// Route.ParamNames. They are views of StagePath as it was received, still
	// percent-encoded, so that they can be put into another path as they are;
	// who needs the text decodes them with AppendDecoded.
	Params []string

	// Mapped is the request as parameter mapping changed it for the integration.
	// Integrations read Outbound methods, logs and authorizers the Request.
	Mapped MappedRequest

	// Extracted is what a mapping found in a body.
	Extracted Extracted

	// Integration is what the integration step reports for logs and metrics.
	Integration IntegrationReport
	// Turns are for who works on long bodies, Memory is where they are held; nil
	// bounds nothing.
	Turns  *Turns
	Memory *Memory
	// Cache is what the stage's cache did.
	Cache CacheReport
	// Overrides are what mapping templates set on $context.
	Overrides Overrides
	// APIKey is the API key that the request brought and APIKeyID its id, "" for
	// none.
	APIKey, APIKeyID string
	// Client is whose key that is; nil for requests that count for nobody.
	Client *Client
	// Caller is who signed the request; its members are "" when nobody did.
	Caller Caller
	// ClientCert is the certificate that the client showed to a domain with mutual
	// TLS; nil without one. Steps run only for one that is trusted.
	ClientCert *ClientCert
	// Authorization is what an authorizer says of the caller, nil for nothing;
	// Authorizer is what the step reports. The events of a connection have the
	// Authorization of its handshake.
	Authorization *Authorization
	Authorizer    AuthorizerReport
	// Fault is why the gateway itself answered, nil when it did not; Error is
	// what $context.error says of it on REST APIs and WebSocket APIs.
	Fault *Fault
	Error GatewayError
	// Socket is the event of a WebSocket API's connection; nil for other APIs.
	Socket *Socket
	// Trace takes the lines of the execution log; nil when nobody wants them.
	Trace *Trace

	// Scratch is memory for the steps, kept by the front from one exchange to
	// the next. A step appends to it and stores the result back; what it
	// appended stays as it is until the exchange ends.
	Scratch []byte

	held    int64      // of Memory
	holder  netip.Addr // for whom
	crowded bool
}

// Reset makes the exchange ready for another request. It keeps the memory of
// its lists and of Scratch, and drops everything else.
func (x *Exchange) Reset() {
	x.release()
	request, response, mapped, params, uri := x.Request.Headers, x.Response.Headers, x.Mapped.Headers, x.Params, x.Mapped.URIParams
	clear(request)
	clear(response)
	clear(mapped)
	clear(params)
	clear(uri)
	*x = Exchange{Params: params[:0], Scratch: x.Scratch[:0]}
	x.Request.Headers, x.Response.Headers, x.Mapped.Headers, x.Mapped.URIParams = request[:0], response[:0], mapped[:0], uri[:0]
}

// OutboundHeaders are the headers the integration gets: the client's, or what
// parameter mapping made of them.
func (x *Exchange) OutboundHeaders() Headers {
	if x.Mapped.On {
		return x.Mapped.Headers
	}
	return x.Request.Headers
}

// OutboundQuery is the query the integration gets, still encoded and without
// the "?".
func (x *Exchange) OutboundQuery() string {
	if x.Mapped.On {
		return x.Mapped.Query
	}
	return x.Request.Query
}

// OutboundBody is the body the integration gets when that isn't the client's as
// it came: a mapping rendered or converted it.
func (x *Exchange) OutboundBody() (body []byte, mapped bool) {
	return x.Mapped.Body, x.Mapped.HasBody
}

// maxFirstRead is how much room a body gets on the word of its announced
// length alone.
const maxFirstRead = 64 << 10

// ReadBody reads the whole body into Request.Body, whose memory is Scratch. It
// does nothing when the body was read before or there is none. The limit of a
// body's size is the BodyReader's, that of all bodies together Memory's.
func (x *Exchange) ReadBody() error {
	r := &x.Request
	if r.Body != nil || r.BodyReader == nil {
		return nil
	}
	start := len(x.Scratch)
	// One byte more than announced lets the reader tell its end.
	x.Scratch = slices.Grow(x.Scratch, int(min(max(r.ContentLength, 511), maxFirstRead))+1)
	for {
		n, err := r.BodyReader.Read(x.Scratch[len(x.Scratch):cap(x.Scratch)])
		x.Scratch = x.Scratch[:len(x.Scratch)+n]
		if err == io.EOF {
			r.Body = x.Scratch[start:len(x.Scratch):len(x.Scratch)]
			return nil
		}
		if err != nil {
			return err
		}
		if err := x.GrowScratch(start); err != nil {
			return err
		}
	}
}

// GrowScratch makes room in Scratch, if there is none, for more of a body that
// begins at start. Its error is ErrCrowded.
func (x *Exchange) GrowScratch(start int) error {
	full := cap(x.Scratch)
	if len(x.Scratch) < full {
		return nil
	}
	x.Scratch = slices.Grow(x.Scratch, 512)
	if len(x.Scratch)-start < maxFirstRead {
		return nil // what every request may have
	}
	return x.Hold(cap(x.Scratch) - full)
}

// ReadResponse reads a response's body that is still a stream into Response.Body,
// so that it can be looked at. The stream's own bounds are its bounds, and Memory.
func (x *Exchange) ReadResponse() error {
	r := &x.Response
	if r.BodyStream == nil {
		return nil
	}
	var err error
	body := make([]byte, 0, 512)
	for err == nil {
		if full := cap(body); len(body) == full {
			body = slices.Grow(body, 512)
			if len(body) >= maxFirstRead {
				if err = x.Hold(cap(body) - full); err != nil {
					break
				}
			}
		}
		var n int
		n, err = r.BodyStream.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
	}
	if closed := r.BodyStream.Close(); err == io.EOF { //nolint:errorlint // a reader's io.EOF is never wrapped
		err = closed
	}
	r.Body, r.BodyStream, r.StreamLength = body, nil, 0
	return err
}

// ResponseLength is how many bytes of a body went to the client.
func (x *Exchange) ResponseLength() int64 {
	switch {
	case x.Request.IsHead():
		return 0
	case x.Response.BodyStream != nil:
		return max(x.Response.StreamLength, 0)
	}
	return int64(len(x.Response.Body))
}

// DataProcessed is how many bytes of bodies came and went.
func (x *Exchange) DataProcessed() int64 {
	received := int64(len(x.Request.Body))
	if received == 0 {
		received = max(x.Request.ContentLength, 0)
	}
	return received + x.ResponseLength()
}

// A Caller is the AWS identity that a request was signed with.
type Caller struct {
	AccountID string
	// ID is the unique id of the user, or "<role id>:<session name>".
	ID          string
	AccessKeyID string
	ARN         string
	// SessionToken is that of a session's key, "" for any other. It is a secret.
	SessionToken string
}

// A MappedRequest is what parameter mapping made of a request.
type MappedRequest struct {
	// On tells that there was a mapping: Headers and Query are in place of the
	// request's.
	On      bool
	Headers Headers
	// FromClient is how many of Headers, the first ones, came from the client.
	// The others are the mapping's own: no Connection header names them.
	FromClient int
	Query      string
	// Host is what a backend gets as its Host header instead of its own name;
	// "" when that isn't mapped.
	Host string
	// Path takes the place of the whole path that the integration gets, percent
	// encoded; "" when it isn't mapped.
	Path string
	// Region is the region of the AWS service that is called, "" for the one that
	// the integration says.
	Region string
	// URIParams are the values of the variables of an integration's URI, percent
	// encoded, in their order there: REST APIs map each.
	URIParams []string
	// Body is in place of the request's body if HasBody is set.
	Body    []byte
	HasBody bool
}

// Extracted are values that a mapping found in a body, so that it reads the body
// once for all of them.
type Extracted struct {
	// By is the mapping, which alone knows what the values are; nil for none.
	By     any
	Values []string
}

// An IntegrationReport is what $context.integration* and the metrics read.
type IntegrationReport struct {
	// Called tells that an integration was called; Latency how long it took.
	Called  bool
	Latency time.Duration
	// Status is the status of the service call ($context.integration.integrationStatus),
	// FunctionStatus what the function or backend chose ($context.integration.status).
	Status, FunctionStatus int
	// RequestID is the backend's own request id, Error the text of
	// $context.integration.error.
	RequestID, Error string
	// Selection is what the selection patterns of a REST API's integration
	// responses are held against: the status, or the message of a function's
	// error. Failed tells that a function failed: only then a pattern matches.
	Selection string
	Failed    bool
}
