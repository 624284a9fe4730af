// Package throttle limits how many requests pass. Token buckets with a rate and
// a burst are what API Gateway has for an account, for the routes of a stage,
// for one route, and for the clients of usage plans; a Ledger counts what
// clients use of a plan's quota. A request costs a few atomic operations; there
// is no lock, and of a quota now and then the time to write to disk.
//
// Buckets and counts outlive plans: package compile asks for the limit of a
// route or a client by its ids, and finds what it had before. serve asks the limits of
// a matched exchange; the next stop is package transform. Package plan has the
// interfaces behind which both could be kept elsewhere.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
package throttle
