// Package acmeissuer has certificates signed by a public authority that speaks
// ACME (RFC 8555): it keeps the account, places orders, and proves that names lead
// here, by HTTP-01 and TLS-ALPN-01 with its [Challenges] and by DNS-01 with
// [Records]. It asks the authority when to renew (RFC 9773), and revokes.
//
// When an order is placed, and what is done with the certificates, control/acm
// says; listeners reach the challenges through an interface of serve's. It imports
// nothing of the house.
package acmeissuer
