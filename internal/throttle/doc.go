// Package throttle limits how many requests pass: token buckets with a rate and
// a burst, as API Gateway has them for an account, for the routes of a stage
// and for one route. A request costs one atomic operation; there is no lock and
// no timer.
//
// Buckets outlive plans: package compile asks for the limit of a route by its
// id, and finds the bucket that the route had before. serve asks the limits of
// a matched exchange; the next stop is package transform.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html
package throttle
