// Package keep fetches the truststores that custom domain names are told of, from
// an S3-compatible store or from files, and keeps a copy of each in the data
// directory: a domain takes its clients without the store, too.
//
// It imports truststore and awswire/sigv4, no other package of the gateway.
package keep
