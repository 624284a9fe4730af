// Package definition declares what is stored for the APIs that run: AWS's own
// shapes as documents, each in a small struct with the few things the gateway
// remembers beyond them, and the store kinds that hold them.
//
// It is below control, which writes these documents, and compile, which reads
// them; it must import neither, nor any data-plane package. Members of a shape
// that are computed (apiEndpoint) aren't stored. The names of our own members
// begin with an underscore, which no AWS member does.
package definition
