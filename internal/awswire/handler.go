package awswire

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/awswire/sigv4"
)

// A Handler answers management calls.
type Handler struct {
	o        Options
	router   *router
	patterns patterns
}

// NewHandler makes the handler of the services. It panics if two operations
// claim the same request, which only a wrong model can cause.
func NewHandler(o Options) *Handler {
	if o.MaxBodyBytes == 0 {
		o.MaxBodyBytes = DefaultMaxBodyBytes
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.RequestID == nil {
		o.RequestID = randomID
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Handler{o: o, router: newRouter(o.Services)}
}

// randomID is a version 4 UUID.
func randomID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	x := hex.EncodeToString(b[:])
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}

// A request is one management call on its way.
type request struct {
	*http.Request
	call *Call
	// path and query as they were received.
	path, query string
	signed      sigv4.Request
	signature   *sigv4.Signature
	route       route
	body        []byte
	// refused tells that the call may not come from where it came.
	refused bool
	// form is the query and form parameters of an awsQuery call.
	form form
}

// ServeHTTP answers one call.
func (h *Handler) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	r := h.newRequest(hr)
	start := r.call.Time
	out, err := h.answer(r)
	if err != nil {
		out = h.fault(r, err)
	}
	h.write(w, r, out)
	h.o.Logger.Debug("management call", "service", r.route.serviceName(), "operation", r.route.operationName(), "status", out.status,
		"caller", r.call.Principal.ARN, "request", r.call.RequestID, "took", h.o.Clock().Sub(start))
}

func (h *Handler) newRequest(hr *http.Request) *request {
	r := &request{Request: hr}
	r.path, r.query = rawTarget(hr)
	r.signed = sigv4.Request{
		Method: hr.Method, Path: r.path, Query: r.query, Host: hr.Host, ContentLength: hr.ContentLength,
		Header: func(name string) []string { return hr.Header.Values(name) },
	}
	source, _, err := net.SplitHostPort(hr.RemoteAddr)
	if err != nil {
		source = hr.RemoteAddr
	}
	r.call = &Call{
		Context: hr.Context(), Account: h.o.Account, Region: h.o.Region, RequestID: h.o.RequestID(),
		Host: hr.Host, Secure: hr.TLS != nil, Stage: apiStageOf(hr.Context()), SourceIP: source, Time: h.o.Clock().UTC(),
	}
	return r
}

// rawTarget is the path and query as they stood in the request line.
func rawTarget(hr *http.Request) (path, query string) {
	target := hr.RequestURI
	if target == "" {
		target = hr.URL.RequestURI()
	}
	if !strings.HasPrefix(target, "/") {
		// Absolute form: the authority was already taken into Host.
		if _, rest, ok := strings.Cut(target, "://"); ok {
			i := strings.IndexAny(rest, "/?")
			if i < 0 {
				return "/", ""
			}
			target = rest[i:]
		}
	}
	path, query, _ = strings.Cut(target, "?")
	if path == "" {
		path = "/"
	}
	return path, query
}

// answer takes a call through all its steps.
func (h *Handler) answer(r *request) (out response, err error) {
	defer func() {
		if v := recover(); v != nil {
			if e, ok := v.(error); ok && errors.Is(e, http.ErrAbortHandler) {
				panic(v)
			}
			h.o.Logger.Error("an operation panicked", "service", r.route.serviceName(), "operation", r.route.operationName(),
				"request", r.call.RequestID, "panic", v, "stack", string(debug.Stack()))
			err = internalFailure(nil)
		}
	}()
	if err := h.guard(r.Request); err != nil {
		r.refused = true
		r.route = h.router.guess(r)
		return response{}, err
	}
	var parseErr error
	r.signature, parseErr = sigv4.Parse(&r.signed)
	cred, err := h.identify(r, parseErr)
	if err != nil {
		r.route = h.router.guess(r)
		return response{}, err
	}
	if err := h.readBody(r); err != nil {
		r.route = h.router.guess(r)
		return response{}, err
	}
	r.route, err = h.router.route(r)
	if err != nil {
		return response{}, err
	}
	if err := h.authenticate(r, cred); err != nil {
		return response{}, err
	}
	if err := h.inflate(r); err != nil {
		return response{}, err
	}
	return h.invoke(r)
}

// invoke decodes, checks, calls and encodes.
func (h *Handler) invoke(r *request) (response, error) {
	s, op := r.route.service, r.route.operation
	handler := s.Handlers[r.route.index]
	var in any
	if handler.newInput != nil {
		in = handler.newInput()
		if err := decode(r, in); err != nil {
			return response{}, err
		}
		if err := check(s, op, in, &h.patterns); err != nil {
			return response{}, err
		}
	}
	if h.o.Authorize != nil && !r.call.Principal.Root && !op.Unsigned {
		action := Action{
			Service: s.SigningName, Model: s.Name, Operation: op.Name, Method: r.Method, Path: r.route.path(),
			UserAgent: r.Header.Get("User-Agent"), Referer: r.Header.Get("Referer"), Input: in,
		}
		if err := h.o.Authorize(r.call, action); err != nil {
			return response{}, err
		}
		if h.o.Require != nil {
			r.call.Guard = func(name, resource string) error { return h.o.Require(r.call, action, name, resource) }
		}
	}
	out, err := handler.call(r.call, in)
	if err != nil {
		return response{}, err
	}
	return encode(r, out)
}

// readBody reads a body within the limit. A call nobody signed gets little.
func (h *Handler) readBody(r *request) error {
	limit := h.o.MaxBodyBytes
	if r.signature == nil {
		limit = min(limit, maxFormBytes)
	}
	if r.ContentLength > limit {
		return tooLarge(limit)
	}
	if r.Body == nil {
		return nil
	}
	var b bytes.Buffer
	if r.ContentLength > 0 {
		// The length is the client's word: trust it for a first piece only.
		b.Grow(int(min(r.ContentLength, 1<<20)) + bytes.MinRead)
	}
	n, err := b.ReadFrom(io.LimitReader(r.Body, limit+1))
	if n > limit {
		return tooLarge(limit)
	}
	if err != nil {
		return &Error{Code: "SerializationException", Status: http.StatusBadRequest, Message: "the request body could not be read", Cause: err}
	}
	r.body = b.Bytes()
	return nil
}

func tooLarge(limit int64) error {
	return &Error{Code: "RequestEntityTooLargeException", Status: http.StatusRequestEntityTooLarge,
		Message: "Request must be smaller than " + strconv.FormatInt(limit, 10) + " bytes"}
}

// inflate undoes a gzip Content-Encoding, after the signature, which covers
// the bytes sent.
func (h *Handler) inflate(r *request) error {
	// ExportApi and friends have no body; a payload keeps its encoding only if
	// the client says "identity".
	if !strings.EqualFold(r.Header.Get("Content-Encoding"), "gzip") {
		return nil
	}
	broken := &Error{Code: "SerializationException", Status: http.StatusBadRequest, Message: "the request body is not valid gzip"}
	z, err := gzip.NewReader(bytes.NewReader(r.body))
	if err != nil {
		return broken
	}
	body, err := io.ReadAll(io.LimitReader(z, h.o.MaxBodyBytes+1))
	if err != nil {
		return broken
	}
	if int64(len(body)) > h.o.MaxBodyBytes {
		return tooLarge(h.o.MaxBodyBytes)
	}
	r.body = body
	return nil
}

// Headers that AWS sends in a casing of its own, so they are set without
// http.Header's methods.
const (
	requestIDHeader = "x-amzn-RequestId"
	errorTypeHeader = "x-amzn-ErrorType"
)

// write sends a response.
func (h *Handler) write(w http.ResponseWriter, r *request, out response) {
	head := w.Header()
	for name, value := range out.header {
		head[name] = value
	}
	head[requestIDHeader] = []string{r.call.RequestID}
	if out.events != nil {
		w.WriteHeader(out.status)
		if err := h.stream(w, out); err != nil {
			h.o.Logger.Warn("event stream ended early", "request", r.call.RequestID, "error", err)
		}
		return
	}
	if out.status != http.StatusNoContent {
		head.Set("Content-Length", strconv.Itoa(len(out.body)))
	}
	w.WriteHeader(out.status)
	if out.status == http.StatusNoContent || r.Method == http.MethodHead {
		return
	}
	if _, err := w.Write(out.body); err != nil {
		h.o.Logger.Debug("client went away", "request", r.call.RequestID, "error", err)
	}
}

func (h *Handler) stream(w http.ResponseWriter, out response) error {
	flush := http.NewResponseController(w)
	return out.events(func(frame []byte) error {
		if _, err := w.Write(frame); err != nil {
			return err
		}
		if err := flush.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return err
		}
		return nil
	})
}

// fault makes the response of an error, logging those that are ours.
func (h *Handler) fault(r *request, err error) response {
	var e *Error
	if !errors.As(err, &e) {
		e = internalFailure(err)
	}
	if errors.Is(err, context.Canceled) {
		h.o.Logger.Debug("call cancelled", "request", r.call.RequestID)
	} else if e.Cause != nil || e.Server {
		log := h.o.Logger.With("service", r.route.serviceName(), "operation", r.route.operationName(), "code", e.Code, "request", r.call.RequestID)
		if e.Cause != nil && e.Cause.Error() != err.Error() {
			log = log.With("cause", e.Cause)
		}
		log.Error("management call failed", "error", err)
	}
	return encodeError(r, e)
}

// internalFailure hides an error that no operation meant for the client, but for
// an outage, which is nothing of the call's.
func internalFailure(cause error) *Error {
	message := "The call failed inside the gateway; its log has the reason under this request id."
	var outage interface{ Outage() string }
	if errors.As(cause, &outage) {
		message = outage.Outage() + "; the gateway's log has more under this request id."
	}
	return &Error{Code: "InternalFailure", Status: http.StatusInternalServerError, Server: true, Message: message, Cause: cause}
}
