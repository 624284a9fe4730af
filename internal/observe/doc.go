// Package observe tells operators what the data plane did: access logs in the
// $context variables of API Gateway, and metrics under CloudWatch's names, for
// Prometheus and by the minute.
//
// What it does per request costs no allocation and waits for nobody: a log
// that can't keep up drops lines and counts them. Formats are parsed when a
// stage is compiled. It imports plan and contextvar; package compile gives each
// stage its AccessLog and its Counters, serve calls them when a response is on
// its way, and cmd/gatehouse chooses where lines go.
package observe
