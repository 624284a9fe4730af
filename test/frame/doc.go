// Package frame is a WebSocket client for tests that says every bit itself, so
// that it can send what no proper client would, and shows what comes byte for
// byte.
package frame
