// Package socket owns the open connections of WebSocket APIs: it reads and
// writes their frames (RFC 6455), bounds what they may send and how long they
// may last, finds them by their ids and ends them. What a message means is its
// Handler's, which package serve fills: handshakes and messages walk through
// the steps there.
//
// An idle connection is a goroutine with the smallest stack, a Conn and its
// Handler: buffers are taken from pools while a frame is read or written. Each
// message runs in a goroutine of its own, a bounded number of them a
// connection; a client that sends faster isn't read meanwhile. As on AWS,
// messages of one connection have no order.
//
// The frames' headers and masks are those of gobwas/ws. It was measured with
// 8,000 idle connections: 3.7 KB each with a goroutine of its own, where
// lxzan/gws, which keeps a buffered reader for each connection, took 5.4 KB
// with the smallest one.
//
// The walk: Registry.Adopt (registry.go), conn.go, read.go, then serve's
// Handler; write.go for what goes out.
//
// Package socket doesn't know plans or exchanges.
package socket
