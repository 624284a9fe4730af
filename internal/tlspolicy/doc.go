// Package tlspolicy makes the TLS configurations of custom domain names: what
// each of API Gateway's security policies takes and refuses, and session tickets
// that outlive a configuration and the process.
//
// A configuration is made for each handshake, of a Handshaker that is never written:
// there is no lock but that of the ticket keys, which is only read. What crypto/tls
// can't do of a policy is noted beside it and listed in docs/TLS.md.
//
// It is a leaf: it imports the standard library only. What a connection is for,
// package serve asks the plan.
package tlspolicy
