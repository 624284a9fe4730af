// Package localca is the certificate authority that issues what users request
// of ACM, for any name: a root that clients may trust, and below it
// intermediates that sign. It is kept in the data directory and made at first
// use.
//
// It isn't package localcert's authority, which can sign for the gateway's own
// names only: who trusts this root trusts whoever can read its key for every
// name there is, which is why nothing installs it unasked (gatehouse trust).
//
// It is a leaf: it imports the standard library only.
package localca
