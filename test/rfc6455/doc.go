// Package rfc6455 puts RFC 6455 to a running gateway, case by case, at the level
// of frames: what must come back, or with which code the connection must end.
// cases_test.go and utf8_test.go have the cases, handshake_test.go those of the
// handshake; README.md lists them all.
package rfc6455
