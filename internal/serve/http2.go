package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
)

// An http2Front serves the connections that chose HTTP/2, with net/http.
type http2Front struct {
	s      *Server
	server *http.Server
	handed chan net.Conn
	quit   context.Context
	stop   context.CancelFunc
}

// connKey is the context key of a request's connection. net/http has no other
// way to tell a handler.
type connKey struct{}

func newHTTP2Front(s *Server) *http2Front {
	f := &http2Front{s: s, handed: make(chan net.Conn)}
	f.quit, f.stop = context.WithCancel(context.Background())
	var protocols http.Protocols
	protocols.SetHTTP2(true)
	f.server = &http.Server{
		Handler: f,
		// "OPTIONS *" is answered as in HTTP/1.1.
		DisableGeneralOptionsHandler: true,
		Protocols:                    &protocols,
		ReadHeaderTimeout:            s.HeadTimeout,
		IdleTimeout:                  s.IdleTimeout,
		MaxHeaderBytes:               maxManagementHead,
		ErrorLog:                     slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		BaseContext:                  func(net.Listener) context.Context { return s.base },
		ConnContext: func(ctx context.Context, nc net.Conn) context.Context {
			// Accept returns nothing else.
			return context.WithValue(ctx, connKey{}, nc.(*tls.Conn).NetConn().(*handedConn).c)
		},
		HTTP2: &http.HTTP2Config{MaxConcurrentStreams: 250, SendPingTimeout: s.StallTimeout, WriteByteTimeout: s.StallTimeout},
	}
	return f
}

func (f *http2Front) run() {
	if err := f.server.Serve(f); err != nil && !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
		f.s.log.Error("the HTTP/2 front stopped", "error", err)
	}
}

// serve hands a connection over and waits for its end.
func (f *http2Front) serve(c *conn, over net.Conn, under *handedConn) {
	c.enter(phaseHTTP2, f.s.Clock())
	select {
	case f.handed <- over:
		<-under.closed
	case <-f.quit.Done():
	}
}

func (f *http2Front) shutdown(ctx context.Context) error {
	err := f.server.Shutdown(ctx)
	if err != nil {
		// Shutdown closes the listener only at its end, Close in any case.
		if err := f.server.Close(); err != nil {
			f.s.log.Debug("cannot close an HTTP/2 connection", "error", err)
		}
	}
	f.stop()
	return err
}

// Accept returns the next connection that chose HTTP/2.
func (f *http2Front) Accept() (net.Conn, error) {
	select {
	case nc := <-f.handed:
		return nc, nil
	case <-f.quit.Done():
		return nil, net.ErrClosed
	}
}

// Close ends Accept.
func (f *http2Front) Close() error {
	f.stop()
	return nil
}

// Addr says that there is no address of its own.
func (f *http2Front) Addr() net.Addr { return &net.TCPAddr{} }

// ServeHTTP serves one stream of a connection.
func (f *http2Front) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	f.s.serveStream(r.Context().Value(connKey{}).(*conn), rw, r)
}
