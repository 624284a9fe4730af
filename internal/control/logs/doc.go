// Package logs answers the CloudWatch Logs API: log groups with their
// retention and tags in the definitions, streams and events in logstore. It
// also gives functions and access logs a Writer into a group, which costs no
// transaction.
//
// It must not import the data plane. The next stop of a call is store or
// logstore.
package logs
