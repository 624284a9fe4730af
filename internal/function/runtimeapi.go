package function

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// runtimeAPI serves the Lambda Runtime API (2018-06-01) to one custom runtime, on a loopback port of its own. Only
// processes of the environment may connect: others on the host, functions among them, must not take its events.
type runtimeAPI struct {
	listener net.Listener
	server   *http.Server
	served   chan struct{} // closed when the server has stopped

	attached chan struct{} // closed once process is set
	process  *process
	owner    *meter

	isReady    chan struct{} // closed by the first call of next
	readyOnce  sync.Once
	asked      chan struct{} // told by each call of next
	initError  chan answer
	events     chan *apiEvent
	answers    chan answer
	pieces     chan piece
	interrupts chan struct{}
	timer      *time.Timer

	mu      sync.Mutex
	current string // the id of the invocation that waits for its answer

	// Of a streamed answer, used by receive only.
	streamed    bool
	streamStart bool
	streamErr   error
	collected   []byte
}

type apiEvent struct {
	inv      *Invocation
	deadline time.Time
}

// piece is a part of a streamed answer; the first has no bytes but the content type.
type piece struct {
	first       bool
	contentType string
	bytes       []byte
	taken       chan struct{}
}

const apiPrefix = "/2018-06-01/runtime/"

func newRuntimeAPI(logger *slog.Logger) (*runtimeAPI, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	a := &runtimeAPI{
		listener: listener, served: make(chan struct{}), attached: make(chan struct{}), isReady: make(chan struct{}),
		asked:     make(chan struct{}, 1),
		initError: make(chan answer, 1), events: make(chan *apiEvent), answers: make(chan answer, 1),
		pieces: make(chan piece), interrupts: make(chan struct{}, 1), timer: time.NewTimer(time.Hour),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+apiPrefix+"invocation/next", a.serveNext)
	mux.HandleFunc("POST "+apiPrefix+"invocation/{id}/response", a.serveResponse)
	mux.HandleFunc("POST "+apiPrefix+"invocation/{id}/error", a.serveError)
	mux.HandleFunc("POST "+apiPrefix+"init/error", a.serveInitError)
	mux.HandleFunc("GET /2018-06-01/ping", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "pong")
	})
	a.server = &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
	return a, nil
}

func (a *runtimeAPI) address() string { return a.listener.Addr().String() }

// serve begins to answer; the process may have connected already.
func (a *runtimeAPI) serve(wg *sync.WaitGroup) {
	wg.Go(func() {
		defer close(a.served)
		// It ends by close, always with an error that says so.
		_ = a.server.Serve(&ownListener{Listener: a.listener, api: a})
	})
}

// attach says whose connections are accepted.
func (a *runtimeAPI) attach(p *process, owner *meter) {
	a.process, a.owner = p, owner
	close(a.attached)
}

// ownListener refuses connections that aren't from the environment's processes.
type ownListener struct {
	net.Listener
	api *runtimeAPI
}

func (l *ownListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case <-l.api.attached:
		case <-time.After(10 * time.Second):
			_ = conn.Close()
			continue
		}
		if !l.api.owner.owns(conn) {
			_ = conn.Close()
			continue
		}
		return conn, nil
	}
}

// within returns a channel that tells when the deadline has passed.
func (a *runtimeAPI) within(deadline time.Time) <-chan time.Time {
	a.timer.Reset(time.Until(deadline))
	return a.timer.C
}

func (a *runtimeAPI) ready(deadline time.Time) (*answer, error) {
	select {
	case <-a.asked:
		return nil, nil
	case failed := <-a.initError:
		return &failed, nil
	case <-a.process.exited:
	case <-a.within(deadline):
		return nil, errDeadline
	}
	select {
	case failed := <-a.initError:
		return &failed, nil
	default:
		return nil, errGone
	}
}

func (a *runtimeAPI) send(inv *Invocation, deadline time.Time) error {
	a.streamed, a.streamStart, a.streamErr, a.collected = false, false, nil, nil
	select {
	case a.events <- &apiEvent{inv: inv, deadline: deadline}:
		return nil
	case <-a.process.exited:
		return errGone
	case <-a.within(deadline):
		return errDeadline
	}
}

func (a *runtimeAPI) receive(deadline time.Time, stream Stream) (answer, error) {
	expired := a.within(deadline)
	for {
		select {
		case got := <-a.answers:
			// An invocation lasts until the runtime asks for the next one, and some exit instead.
			select {
			case <-a.asked:
			case <-a.process.exited:
				got.fatal = true
			case <-expired:
				got.fatal = true
			}
			return a.concluded(got), nil
		case p := <-a.pieces:
			a.take(p, stream)
			close(p.taken)
		case <-a.process.exited:
			select {
			case got := <-a.answers:
				got.fatal = true
				return a.concluded(got), nil
			default:
				return answer{}, errGone
			}
		case <-expired:
			return answer{}, errDeadline
		case <-a.interrupts:
			return answer{}, errInterrupted
		}
	}
}

// take passes on a piece of a streamed answer, or collects it.
func (a *runtimeAPI) take(p piece, stream Stream) {
	switch {
	case p.first:
		a.streamed = true
		if stream != nil {
			a.streamStart = true
			a.streamErr = stream.Start(p.contentType)
		}
	case stream != nil:
		if a.streamErr == nil {
			_, a.streamErr = stream.Write(p.bytes)
		}
	case !a.streamStart && len(a.collected) <= maxResponsePayload:
		a.collected = append(a.collected, p.bytes...)
	}
}

// concluded completes an answer with what was streamed before it.
func (a *runtimeAPI) concluded(got answer) answer {
	switch {
	case !a.streamed:
	case a.streamStart:
		got.streamed = true
	case got.failed: // the error takes the place of what came before it
	case len(a.collected) > maxResponsePayload:
		return responseTooLarge()
	default:
		got.payload = a.collected
	}
	return got
}

func (a *runtimeAPI) interrupt() {
	select {
	case a.interrupts <- struct{}{}:
	default:
	}
}

func (a *runtimeAPI) close() {
	_ = a.server.Close()
	_ = a.listener.Close() // for a server that never began
	a.timer.Stop()
}

func (a *runtimeAPI) serveNext(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	running := a.current != ""
	a.mu.Unlock()
	if running {
		refuseState(w, "the invocation under way has no answer yet")
		return
	}
	a.readyOnce.Do(func() { close(a.isReady) })
	select {
	case a.asked <- struct{}{}:
	default:
	}
	var e *apiEvent
	select {
	case e = <-a.events:
	case <-r.Context().Done():
		return
	}
	a.mu.Lock()
	a.current = e.inv.RequestID
	a.mu.Unlock()
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Lambda-Runtime-Aws-Request-Id", e.inv.RequestID)
	h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(e.deadline.UnixMilli(), 10))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", e.inv.InvokedARN)
	for name, value := range map[string]string{
		"Lambda-Runtime-Trace-Id":         e.inv.TraceID,
		"Lambda-Runtime-Client-Context":   string(e.inv.ClientContext),
		"Lambda-Runtime-Cognito-Identity": string(e.inv.CognitoIdentity),
	} {
		if value != "" {
			h.Set(name, value)
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(e.inv.Payload)))
	// When this fails the runtime is gone or asks again; the invocation then runs into its end or its timeout.
	_, _ = w.Write(e.inv.Payload)
}

// claim reserves the right to answer the invocation of a request's path.
func (a *runtimeAPI) claim(w http.ResponseWriter, r *http.Request) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.current == "":
		refuseState(w, "there is no invocation under way")
		return false
	case a.current != r.PathValue("id"):
		refuseAPI(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
		return false
	}
	a.current = ""
	return true
}

func (a *runtimeAPI) serveResponse(w http.ResponseWriter, r *http.Request) {
	mode := r.Header.Get("Lambda-Runtime-Function-Response-Mode")
	if mode != "" && mode != "streaming" {
		if a.claim(w, r) {
			a.answers <- failure("Runtime.InvalidResponseModeHeader", "RequestId: "+r.PathValue("id")+" Error: invalid response mode")
			refuseAPI(w, http.StatusBadRequest, "InvalidFunctionResponseMode", "Invalid function response mode")
		}
		return
	}
	if !a.claim(w, r) {
		return
	}
	if mode == "streaming" || isStream(r) {
		a.serveStream(w, r)
		return
	}
	body, err := readBody(r)
	if errors.Is(err, errTooLarge) {
		a.answers <- responseTooLarge()
		refuseAPI(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge",
			"Exceeded maximum allowed payload size (6291556 bytes).")
		return
	}
	if err != nil {
		a.answers <- truncated(r.PathValue("id"))
		refuseAPI(w, http.StatusBadRequest, "TruncatedHTTPRequest", "HTTP request detected as truncated")
		return
	}
	a.answers <- answer{payload: body, contentType: r.Header.Get("Content-Type")}
	accept(w)
}

// isStream tells the streams of runtimes that don't say so, as AWS's client for Go doesn't: they announce an error's
// trailer and aren't JSON.
func isStream(r *http.Request) bool {
	_, announced := r.Trailer["Lambda-Runtime-Function-Error-Type"]
	return announced && r.Header.Get("Content-Type") != "application/json"
}

func truncated(requestID string) answer {
	return failure("Runtime.TruncatedResponse", "RequestId: "+requestID+" Error: the response ended early")
}

func (a *runtimeAPI) serveStream(w http.ResponseWriter, r *http.Request) {
	pass := func(p piece) bool {
		p.taken = make(chan struct{})
		select {
		case a.pieces <- p:
			<-p.taken
			return true
		case <-r.Context().Done():
			return false
		}
	}
	contentType := r.Header.Get("Content-Type")
	if !pass(piece{first: true, contentType: contentType}) {
		return
	}
	buf := make([]byte, 16<<10)
	for {
		n, err := r.Body.Read(buf)
		if n > 0 && !pass(piece{bytes: buf[:n]}) {
			return
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			a.answers <- truncated(r.PathValue("id"))
			return
		}
	}
	if errorType := r.Trailer.Get("Lambda-Runtime-Function-Error-Type"); errorType != "" {
		body, err := base64.StdEncoding.DecodeString(r.Trailer.Get("Lambda-Runtime-Function-Error-Body"))
		if err != nil || len(body) == 0 {
			body = failure(errorType, "").payload
		}
		a.answers <- answer{payload: body, errorType: errorType, failed: true}
	} else {
		a.answers <- answer{contentType: contentType}
	}
	accept(w)
}

func (a *runtimeAPI) serveError(w http.ResponseWriter, r *http.Request) {
	if !a.claim(w, r) {
		return
	}
	a.answers <- reported(r)
	accept(w)
}

func (a *runtimeAPI) serveInitError(w http.ResponseWriter, r *http.Request) {
	select {
	case <-a.isReady:
		refuseState(w, "the init phase is over")
		return
	default:
	}
	failed := reported(r)
	failed.fatal = true
	select {
	case a.initError <- failed:
		accept(w)
	default:
		refuseState(w, "an init error was reported before")
	}
}

// reported makes the failure that a runtime reports of its function.
func reported(r *http.Request) answer {
	errorType := r.Header.Get("Lambda-Runtime-Function-Error-Type")
	body, err := readBody(r)
	if errors.Is(err, errTooLarge) {
		return responseTooLarge()
	}
	if err != nil || len(body) == 0 {
		return failure(orUnknown(errorType), "")
	}
	if errorType == "" {
		errorType = errorTypeOf(body)
	}
	return answer{payload: body, errorType: orUnknown(errorType), failed: true}
}

func orUnknown(errorType string) string {
	if errorType == "" {
		return "Runtime.Unknown"
	}
	return errorType
}

var errTooLarge = errors.New("function: body too large")

func readBody(r *http.Request) ([]byte, error) {
	if r.ContentLength > maxResponsePayload {
		return nil, errTooLarge
	}
	var body []byte
	var err error
	if r.ContentLength > 0 {
		body = make([]byte, r.ContentLength)
		_, err = io.ReadFull(r.Body, body)
	} else {
		body, err = io.ReadAll(io.LimitReader(r.Body, maxResponsePayload+1))
	}
	if len(body) > maxResponsePayload {
		return nil, errTooLarge
	}
	return body, err
}

func accept(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`+"\n")
}

func refuseState(w http.ResponseWriter, why string) {
	refuseAPI(w, http.StatusForbidden, "InvalidStateTransition", "State transition is not allowed: "+why)
}

func refuseAPI(w http.ResponseWriter, status int, errorType, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The runtime may be gone already.
	_ = json.NewEncoder(w).Encode(map[string]string{"errorType": errorType, "errorMessage": message})
}

// peerOf returns the two ends of a connection.
func peerOf(conn net.Conn) (peer, local *net.TCPAddr) {
	peer, _ = conn.RemoteAddr().(*net.TCPAddr)
	local, _ = conn.LocalAddr().(*net.TCPAddr)
	return peer, local
}
