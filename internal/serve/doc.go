// Package serve is the front of the data plane: it owns the listeners, tells
// TLS from plain, HTTP/2 from HTTP/1.1 and takes HTTP/3, turns each request into a
// plan.Exchange, runs the steps of the API's kind in AWS's order, and is the
// only place that makes bytes of a response or a fault. What isn't addressed
// to an API goes to the management handler it was given.
//
// A request's walk: listen.go accepts, connection.go (HTTP/1.1) or stream.go for
// http2.go and http3.go reads, place.go decides whom it is for, http.go runs an HTTP
// API's steps, respond.go writes; then the access log and the metrics see the exchange.
// A WebSocket begins as a request (handshake.go), then the connection is handed to
// package socket, which brings each message to message.go.
//
// Package serve imports plan, http1 and socket, never the store, stored definitions or
// the management API.
package serve
