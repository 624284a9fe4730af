// Package truststore reads the truststores of mutual TLS and judges clients'
// certificates by them, as API Gateway does.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mutual-tls.html
//
// It is a leaf: it imports the standard library only. Where a truststore comes
// from is control's to know, and when a certificate is asked about, plan's.
package truststore
