// Package http1 is the message syntax of HTTP/1.1 (RFC 9112): request and
// response heads, body framing, and the few rules by which a hop treats
// headers. It reads strictly, because what two parsers understand differently
// can be used to smuggle a request past one of them, and it reads in place:
// header lines are views of the buffer they arrived in, in order and case.
//
// Package serve uses it towards clients, package integrate towards backends.
// It imports plan and the standard library only.
package http1
