// Package localcert makes the certificates of a gateway that has none: a small
// authority of its own, made at first start and kept in the data directory,
// and a certificate for the names a local gateway goes by. The authority can
// sign for those names only, so trusting it lends it nothing else.
//
// It is a leaf: it imports the standard library only.
package localcert
