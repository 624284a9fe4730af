// Package acmeissuer has certificates signed by a public authority that speaks
// ACME (RFC 8555): it keeps the account, places orders, and answers with its
// [Challenges] when the authority asks whether a name leads here, by HTTP-01 or
// TLS-ALPN-01.
//
// What is done with the certificates, control/acm says; listeners reach the
// challenges through an interface of serve's. It imports nothing of the house.
package acmeissuer
